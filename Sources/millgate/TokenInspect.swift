import ArgumentParser
import Bytes
import Documents
import Foundation
import Gateway
import Identity
import JSON
import Reactor

struct TokenInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a token says, and whether the gateway would accept it.",
        discussion: """
            Example: millgate token inspect certs/dev/tokens/operator.jwt --config deploy/millgate.yaml

            Without --config nothing is verified: what is shown is what the token claims. The signature is never printed.
            Exit code 1 when the token is not valid.
            """)

    @Argument(help: "A token, a file with one, or - for standard input.")
    var token: String

    @Option(help: "Verify against the issuers of this configuration.")
    var config: String?

    func run() throws {
        let now = Clock.wall()
        let text = try read()
        guard show(text, now: now) else { throw failure("not a JWT: three parts of base64url, two of them JSON") }
        guard let config else {
            print("not verified: give --config to check it against the issuers there")
            return
        }
        let verifier = try Self.verifier(config)
        do throws(TokenError) {
            let principal = try verifier.verify(text, now: now)
            let application = principal.clientID.map { ", application \($0)" } ?? ""
            print("valid: \(principal.subject) of \(principal.issuer)\(application)")
        } catch {
            print("not valid: \(error)")
            throw ExitCode.failure
        }
    }

    private func read() throws -> String {
        var text = token
        if token == "-" {
            text = readLine() ?? ""
        } else if let content = PrivateFiles.text(token) {
            text = content
        } else if token.split(separator: ".", omittingEmptySubsequences: false).count != 3 || token.contains("/") {
            throw failure("\(token): no such file, and not a token")
        }
        text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return text.hasPrefix("Bearer ") ? String(text.dropFirst(7)) : text
    }

    /// Prints header and claims; false when there are none.
    private func show(_ text: String, now: WallInstant) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]) else {
            return false
        }
        print("header")
        for (name, value) in header.members { print(Self.line(name, value, nil)) }
        print("claims")
        for (name, value) in claims.members {
            var note: String?
            if ["exp", "iat", "nbf"].contains(name), let seconds = value.int, (0..<9_000_000_000).contains(seconds) {
                let instant = WallInstant(seconds: Int64(seconds))
                note = "\(instant.rfc3339), \(TimeText.relative(instant, to: now))"
            }
            print(Self.line(name, value, note))
        }
        return true
    }

    private static func line(_ name: String, _ value: JSONValue, _ note: String?) -> String {
        let shown = Suggestion.shortened(name)
        let padded = shown + String(repeating: " ", count: max(0, 10 - shown.count))
        return "  \(padded) \(value.text)" + (note.map { "  (\($0))" } ?? "")
    }

    private static func object(_ part: Substring) -> JSONObject? {
        Base64URL.decode(String(part)).flatMap { try? JSONValue.parse($0) }?.object
    }

    private static func verifier(_ path: String) throws -> TokenVerifier {
        guard let text = PrivateFiles.text(path) else { throw failure("\(path): cannot be read", .configuration) }
        do throws(DocumentErrors) {
            return try SnapshotBuilder.verifier(ConfigurationReader.read(text: text, file: path).identity)
        } catch {
            complain("\(error)")
            throw ExitCode.configuration
        }
    }
}
