import Foundation
import JSON
import Testing

@testable import Odoo

/// One exchange with a running Odoo, `Tests/Fixtures/odoo/VERSION/NNN-name.json`.
struct Recording {
    let version: Int
    /// `094-mo-partial-read-raw`.
    let name: String
    let json: JSONValue

    /// `094`.
    var number: String { String(name.prefix(3)) }
    var path: String? { json["request"]?["path"]?.string }
    var isJSONRPC: Bool { path == "/jsonrpc" }
    var isJSON2: Bool { path?.hasPrefix("/json/2/") ?? false }
    /// An exchange of the RPC routes, also a failed one.
    var isRPC: Bool { isJSONRPC || isJSON2 }

    var requestBody: JSONValue? {
        json["request"]?["body"]?.string.flatMap { text in try? JSONValue.parse(text) }
    }
    var requestID: Int? { requestBody?["id"]?.int }

    var status: Int? { json["response"]?["status"]?.int }
    var responseText: String { json["response"]?["body"]?.string ?? "" }
    var responseBody: JSONValue? { try? JSONValue.parse(responseText) }

    /// Nil where the connection ended without an answer.
    var response: OdooResponse? {
        guard let status else { return nil }
        let fields = json["response"]?["headers"]?.array ?? []
        let type = fields.first { $0[0]?.string?.lowercased() == "content-type" }?[1]?.string
        return OdooResponse(status: status, contentType: type, body: Array(responseText.utf8))
    }

    /// What our decoder makes of it; fails the exchange as the transport would.
    func decoded() -> Result<JSONValue?, OdooError> {
        guard let response else { return .failure(OdooError(.closedWithoutAnswer)) }
        return isJSON2
            ? OdooJSON2.result(of: response) : OdooJSONRPC.result(of: response, id: requestID)
    }

    func result() throws -> JSONValue? { try decoded().get() }

    static let all: [Recording] = [17, 19].flatMap(load)

    static func find(_ version: Int, _ number: String) throws -> Recording {
        let hit = all.first { $0.version == version && $0.number == number }
        return try #require(hit, "no recording \(version)/\(number)")
    }

    private static func load(_ version: Int) -> [Recording] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = tests.appendingPathComponent("Fixtures/odoo/\(version)")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".json") }.sorted().map { file in
            guard let data = FileManager.default.contents(atPath: folder.appendingPathComponent(file).path),
                let json = try? JSONValue.parse(Array(data))
            else { fatalError("recording \(version)/\(file) cannot be read") }
            return Recording(version: version, name: String(file.dropLast(5)), json: json)
        }
    }
}
