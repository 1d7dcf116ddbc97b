import ArgumentParser

struct Token: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Issue and inspect tokens.",
        discussion: """
            millgate token issue --sub anna --role operator --site plant-1
            millgate token inspect certs/dev/tokens/operator.jwt --config deploy/millgate.yaml
            """,
        subcommands: [TokenIssue.self, TokenInspect.self])
}
