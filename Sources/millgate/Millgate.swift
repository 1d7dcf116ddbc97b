import ArgumentParser
import Gateway
import Reactor

/// The command line. One file for each command; none of them does more than reading arguments, calling the rooms and
/// printing.
@main
struct Millgate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millgate",
        abstract: "A gateway between the plant's applications and Odoo.",
        discussion: """
            A first look, from the repository's directory:

              millgate keys dev                       keys, certificates and demo tokens in certs/dev
              millgate token inspect certs/dev/tokens/operator.jwt
              millgate check                          all errors of the configuration, or none
              millgate serve --examples               the gateway, with the built-in Odoo

            Exit codes: 0 good, 1 a verification failed or something could not be done, 64 wrong usage, 78 wrong
            configuration. Completion for your shell: millgate --generate-completion-script bash|zsh|fish.
            """,
        version: Version.current,
        subcommands: [
            Serve.self, Check.self, SandboxCommand.self, Keys.self, Token.self, RevocationCommand.self,
            OperationsCommand.self, PolicyCommand.self, AccountCommand.self, AuditCommand.self, EventsCommand.self,
            ServicesCommand.self, WebhookCommand.self, VersionCommand.self,
        ])

    static func main() async {
        ProcessCalls.keepLibrariesAtExit()
        await main(nil)
    }
}
