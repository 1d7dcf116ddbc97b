import Audit
import Bytes
import Contracts
import Foundation
import JSON
import Reactor

/// A request to the admin listener that may change something.
package struct AdminRequest: Sendable {
    package var method: String
    package var path: String
    package var query: String
    package var body: [UInt8]

    /// Longest body, in bytes.
    package static let bodyBytesMax = 262_144

    /// The body as a JSON object; nil for anything else.
    package var object: JSONObject? { (try? JSONValue.parse(body))?.object }
}

/// An answer of the admin listener: JSON.
package struct AdminResponse: Sendable {
    package var status: Int
    package var body: JSONValue

    package init(_ status: Int, _ body: JSONValue) {
        self.status = status
        self.body = body
    }

    package static func problem(_ type: ProblemType, _ detail: String) -> AdminResponse {
        let problem = Problem(type, detail)
        return AdminResponse(problem.status, (try? JSONValue.parse(problem.bytes)) ?? .null)
    }
}

/// A part of the admin interface. Every request to one must carry the admin token.
package protocol AdminResource: Sendable {
    /// Nil for paths that are not this part's.
    func answer(_ request: AdminRequest) async -> AdminResponse?
}

/// The token that the admin interface asks for: made at each start, in a file for its owner alone. Who can read the file
/// runs the gateway; a page in somebody's browser or another user of the machine cannot.
package struct AdminToken: Sendable {
    private let bytes: [UInt8]

    /// The file beside the stores.
    package static func path(state: String) -> String { state + "/admin.token" }

    init(state: String) throws(SecretError) {
        let path = Self.path(state: state)
        var generator = SystemRandomNumberGenerator()
        let text = Base64URL.encode((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
        bytes = Array(text.utf8)
        let files = FileManager.default
        try? files.removeItem(atPath: path)
        guard files.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600]) else {
            throw SecretError(description: "\(path): the admin token cannot be written")
        }
    }

    func accepts(_ field: String?) -> Bool {
        guard let field, field.hasPrefix("Bearer ") else { return false }
        let given = Array(field.dropFirst(7).utf8)
        return given.span.equalsInConstantTime(bytes.span)
    }
}
