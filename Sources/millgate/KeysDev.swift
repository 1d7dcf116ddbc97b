import ArgumentParser
import Bytes
import Identity
import Reactor

struct KeysDev: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Make what development needs: certificates, signing keys, demo tokens.",
        discussion: """
            Example: millgate keys dev

            writes into certs/dev an authority with a server and a client certificate, signing keys for RS256, ES256 and
            HS256 with the key files that deploy/millgate.yaml names, the audit log's key, and a token for each role of
            policies/roles.yaml in certs/dev/tokens. What is there and good for 30 days more is kept. Not for
            production: there, the plant's own PKI and identity provider do this.
            """)

    @Option(help: "Directory for the files.")
    var out = "certs/dev"

    @Option(help: "Issuer that the tokens name.")
    var issuer = DevelopmentFiles.issuer

    @Option(help: "Audience that the tokens name.")
    var audience = DevelopmentFiles.audience

    @Option(help: ArgumentHelp("A further host name for the server's certificate.", valueName: "name"))
    var host: [String] = []

    func run() throws {
        var hosts = host
        // The machine's own name, where the system tells it without asking the network.
        if let name = PrivateFiles.text("/proc/sys/kernel/hostname")?.split(separator: "\n").first.map(String.init),
            !name.isEmpty, name.utf8.allSatisfy({ $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == 45 || $0 == 46 })
        {
            hosts.append(name)
        }
        var files = DevelopmentFiles(
            directory: out, issuer: issuer, audience: audience, hosts: hosts, now: Clock.wall())
        do {
            try files.make()
        } catch {
            throw failure("\(error)")
        }
        if files.written.isEmpty { print("\(out): everything is there and good") }
        for path in files.written { print("wrote \(path)") }
    }
}
