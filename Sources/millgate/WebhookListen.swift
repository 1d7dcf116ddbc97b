import ArgumentParser
import Bytes
import Foundation
import Gateway
import Reactor
import Webhooks

struct WebhookListen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Receive webhooks here, verify them and print them: what a partner tries first.",
        discussion: """
            Answers 204 to what is signed with the secret (whsec_…) or by the public key (whpk_…), and 401 with the \
            reason to everything else. The secret comes from a file or from $WEBHOOK_SECRET, never from the command line.

            Example:
              millgate webhook rotate mes-partner > secret.txt
              millgate webhook listen --port 9000 --secret-file secret.txt
            """)

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port; 0 takes a free one.")
    var port: UInt16 = 9000

    @Option(help: "File with the secret, or with several, one a line. (default: $WEBHOOK_SECRET)")
    var secretFile: String?

    @Option(help: "Answer with this status in place of 204, to see what the gateway does about it.")
    var status = 204

    func validate() throws {
        if !(200...599).contains(status) { throw ValidationError("--status is a status from 200 to 599.") }
    }

    func run() async throws {
        let text: String?
        if let secretFile {
            text = PrivateFiles.text(secretFile)
        } else {
            text = ProcessInfo.processInfo.environment["WEBHOOK_SECRET"]
        }
        guard let text else {
            throw failure("give the secret with --secret-file, or in $WEBHOOK_SECRET", .validationFailure)
        }
        let secrets = text.split(whereSeparator: \.isWhitespace).compactMap { WebhookSecret(String($0)) }
        guard !secrets.isEmpty else {
            throw failure("no secret there: it begins with whsec_, or a public key with whpk_", .validationFailure)
        }
        let signals = try Signals()
        let address: SocketAddress
        do throws(ReactorError) {
            address = try await WebhookReceiver.start(
                host: host, port: port, secrets: secrets, status: status,
                print: {
                    Swift.print($0); fflush(nil)
                })
        } catch {
            throw failure("cannot listen: \(error)")
        }
        print("listening on http://\(host):\(address.port)")
        fflush(nil)
        while await signals.next() != .stop {}
    }
}
