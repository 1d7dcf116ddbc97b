import ArgumentParser

struct ServicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "The governed services, held against a live Odoo and tried on one.",
        subcommands: [ServicesCheck.self, ServicesTest.self])
}
