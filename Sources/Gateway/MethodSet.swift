import HTTP

/// Methods as bits, so that a route's check is one instruction.
enum MethodSet {
    /// Those that are passed on at all. TRACE would show the client what proxies added; CONNECT asks for a tunnel.
    static let known: [(String, Method)] = [
        ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch), ("DELETE", .delete),
        ("OPTIONS", .options),
    ]

    /// No names mean all known methods.
    static func bits(_ names: [String]) -> UInt32 {
        var bits: UInt32 = 0
        for (name, method) in known where names.isEmpty || names.contains(name) { bits |= 1 << UInt32(method.rawValue) }
        return bits
    }

    @inline(__always)
    static func contains(_ bits: UInt32, _ method: Method) -> Bool { bits & (1 << UInt32(method.rawValue)) != 0 }
}
