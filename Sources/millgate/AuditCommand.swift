import ArgumentParser

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Verify and read the audit log.",
        discussion: """
            millgate audit verify var/audit --key certs/dev/audit.key
            millgate audit show var/audit --subject operator --since 8h
            millgate audit show var/audit --follow
            """,
        subcommands: [AuditVerify.self, AuditShow.self])
}
