import ArgumentParser

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make keys and certificates.",
        discussion: """
            millgate keys dev                                   all that development needs, in certs/dev
            millgate keys new --kind ec --kid plant-2026 --out keys
            """,
        subcommands: [KeysNew.self, KeysDev.self])
}
