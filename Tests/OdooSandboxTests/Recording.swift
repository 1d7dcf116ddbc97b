import Foundation
import JSON

@testable import OdooSandbox

/// One recorded exchange of the real Odoo, from Tests/Fixtures/odoo.
struct Recording: Sendable {
    let number: Int
    /// `046-mo-action-confirm`.
    let name: String
    let version: SandboxVersion
    /// Nil for Odoo's own outgoing calls.
    let request: SandboxRequest?
    /// Nil when the connection was closed without an answer.
    let status: Int?
    let fields: [(name: String, value: String)]
    let body: String

    static func all(_ version: SandboxVersion) throws -> [Recording] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/odoo/\(version.rawValue)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        return try files.map { file in
            try Recording(
                name: file.deletingPathExtension().lastPathComponent, version,
                JSONValue.parse(Array(try Data(contentsOf: file))))
        }
    }

    private init(name: String, _ version: SandboxVersion, _ json: JSONValue) {
        self.name = name
        self.version = version
        number = Int(name.prefix(3)) ?? 0
        func fields(_ list: JSONValue?) -> [(name: String, value: String)] {
            (list?.array ?? []).map { ($0[0]?.string ?? "", $0[1]?.string ?? "") }
        }
        request = json["request"].map {
            SandboxRequest(
                method: $0["method"]?.string ?? "", path: $0["path"]?.string ?? "", fields: fields($0["headers"]),
                body: $0["body_base64"]?.string.flatMap { Data(base64Encoded: $0) }.map(Array.init)
                    ?? Array(($0["body"]?.string ?? "").utf8))
        }
        status = json["response"]?["status"]?.int
        self.fields = fields(json["response"]?["headers"])
        body = json["response"]?["body"]?.string ?? ""
    }

    func field(_ name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
}
