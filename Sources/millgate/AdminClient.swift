import ArgumentParser
import Bytes
import Documents
import Fetch
import Foundation
import Gateway
import JSON
import Reactor

/// How a command reaches the admin interface of a running gateway.
struct AdminOptions: ParsableArguments {
    @Option(help: "The gateway's configuration: where its admin interface and its stores are.")
    var config = "deploy/millgate.yaml"

    @Option(help: ArgumentHelp("The admin interface, if not as configured.", valueName: "url"))
    var admin: String?

    @Option(help: "Who asks, for the audit log. (default: the user's name)")
    var by: String?

    @Flag(help: "Print JSON as the gateway answers it.")
    var json = false

    var actor: String { by ?? NSUserName() }

    /// The answer's body; ends the command with the gateway's own words where it refuses.
    func ask(_ method: String, _ path: String, _ body: JSONObject? = nil) async throws -> JSONValue {
        guard let text = PrivateFiles.text(config) else { throw failure("\(config): cannot be read", .configuration) }
        let configuration: Configuration
        do throws(DocumentErrors) {
            configuration = try ConfigurationReader.read(text: text, file: config)
        } catch {
            complain("\(error)")
            throw ExitCode.configuration
        }
        let file = AdminToken.path(state: configuration.state)
        guard let token = PrivateFiles.text(file) else {
            throw failure("\(file): cannot be read; is the gateway running, and are you its user?")
        }
        let host = configuration.admin.host.isEmpty ? "127.0.0.1" : configuration.admin.host
        let base = admin ?? "http://\(host.contains(":") ? "[\(host)]" : host):\(configuration.admin.port)"
        var settings = FetchConfiguration()
        settings.allowsPlainText = true
        settings.bodyBytesMax = 64 << 20
        let loop = try ReactorHandle.start(index: 0, name: "client") { _ in }
        var request = OutboundRequest(method: method, url: base + path)
        request.fields = [("Authorization", "Bearer " + token), ("Content-Type", "application/json")]
        request.body = body.map { JSONValue.object($0).bytes } ?? []
        let result: Result<OutboundResponse, FetchError>
        do throws(FetchError) {
            result = .success(try await FetchClient(home: loop, configuration: settings).send(request))
        } catch {
            result = .failure(error)
        }
        await loop.end()
        let answer: OutboundResponse
        do {
            answer = try result.get()
        } catch {
            throw failure("\(base): \(error)")
        }
        guard let value = try? JSONValue.parse(answer.body) else {
            throw failure("\(base): no JSON came back (status \(answer.status))")
        }
        guard answer.status < 300 else {
            throw failure(value["detail"]?.string ?? value["title"]?.string ?? "refused with status \(answer.status)")
        }
        return value
    }
}

/// Rows of text, each column as wide as its longest cell.
enum TextTable {
    static func print(_ header: [String], _ rows: [[String]]) {
        var widths = header.map(\.count)
        for row in rows { for (i, cell) in row.enumerated() { widths[i] = max(widths[i], cell.count) } }
        for row in [header] + rows {
            let cells = row.enumerated().map { i, cell in
                i == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[i] - cell.count)
            }
            Swift.print(cells.joined(separator: "  "))
        }
    }
}
