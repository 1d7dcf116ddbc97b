/// The path of an endpoint, `/v1/production-orders/{id}/confirm`.
package struct PathTemplate: Hashable, Sendable, CustomStringConvertible {
    enum Segment: Hashable, Sendable {
        case literal(String)
        case parameter(String)
    }

    let segments: [Segment]

    /// Nil when the text is no template: it begins with `/`, segments are not empty, literals are of unreserved
    /// characters, and each parameter is `{name}` and occurs once.
    package init?(_ text: String) {
        guard text.hasPrefix("/"), text.utf8.count <= 200 else { return nil }
        var segments: [Segment] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if part.hasPrefix("{"), part.hasSuffix("}") {
                let name = String(part.dropFirst().dropLast())
                guard !name.isEmpty, name.utf8.allSatisfy({ Self.isNameByte($0) }),
                    !segments.contains(.parameter(name))
                else { return nil }
                segments.append(.parameter(name))
            } else {
                guard !part.isEmpty, part.utf8.allSatisfy({ Self.isNameByte($0) || $0 == 45 || $0 == 46 }) else {
                    return nil
                }
                segments.append(.literal(String(part)))
            }
        }
        self.segments = segments
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "_")
    }

    package var parameters: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    package var description: String {
        segments.map { segment in
            switch segment {
            case .literal(let text): "/" + text
            case .parameter(let name): "/{\(name)}"
            }
        }.joined()
    }

    /// The raw text of each parameter, in order; nil when the path is another one. A parameter is never empty.
    package func match(_ path: some StringProtocol) -> [String]? {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        let parts = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == segments.count else { return nil }
        var captures: [String] = []
        for (part, segment) in zip(parts, segments) {
            switch segment {
            case .literal(let text): guard part.elementsEqual(text.utf8) else { return nil }
            case .parameter:
                guard !part.isEmpty else { return nil }
                captures.append(String(decoding: part, as: UTF8.self))
            }
        }
        return captures
    }

    /// The shape that two endpoints must not share: parameters without their names.
    var shape: String {
        segments.map { if case .literal(let text) = $0 { "/" + text } else { "/{}" } }.joined()
    }
}
