import JSON

/// One way in which a request is not what the contract says.
package struct Violation: Hashable, Sendable, CustomStringConvertible {
    package enum Place: Hashable, Sendable {
        /// JSON Pointer into the body; empty for the body as a whole. (RFC 6901)
        case body(String)
        case query(String)
        case path(String)
        case header(String)
    }

    package let place: Place
    /// What is wrong and what would be right.
    package let detail: String

    package init(_ place: Place, _ detail: String) {
        self.place = place
        self.detail = detail
    }

    package init(pointer: String, _ detail: String) { self.init(.body(pointer), detail) }

    /// The pointer of a violation in a body, or nil.
    package var pointer: String? {
        guard case .body(let pointer) = place else { return nil }
        return pointer
    }

    /// A member of a problem's `violations`: `pointer` for the body, `parameter` and `in` for the rest.
    package var json: JSONValue {
        switch place {
        case .body(let pointer): ["pointer": .string(pointer), "detail": .string(detail)]
        case .query(let name): ["parameter": .string(name), "in": "query", "detail": .string(detail)]
        case .path(let name): ["parameter": .string(name), "in": "path", "detail": .string(detail)]
        case .header(let name): ["parameter": .string(name), "in": "header", "detail": .string(detail)]
        }
    }

    package var description: String {
        switch place {
        case .body(let pointer): pointer.isEmpty ? detail : "\(pointer): \(detail)"
        case .query(let name), .path(let name), .header(let name): "\(name): \(detail)"
        }
    }

    /// Most violations reported of one value; what comes after adds nothing for a person. Default 100.
    package static let countMax = 100
}
