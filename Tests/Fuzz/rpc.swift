// Any bytes as a script's call: read or refused, and what is read can be judged, relayed and answered.
#if !FUZZ
    import JSON
    import Odoo
#endif

private let paths = [
    "/xmlrpc/2/object", "/xmlrpc/common", "/jsonrpc", "/web/dataset/call_kw", "/json/2/mrp.production/search_read",
]
private let endpoints = [
    OdooEndpoint(credentials: .jsonRPC(database: "d", user: 2, secret: "ours"), context: OdooContext(companies: [1])),
    OdooEndpoint(credentials: .json2(database: "d", key: "ours"), context: OdooContext(companies: [1])),
]

/// The first byte chooses the path.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRPC(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let path = paths[Int(start[0]) % paths.count]
    let body = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    guard let wire = RPCWire(path: path), let message = try? RPCReader.read(wire, path: path, body: body) else {
        return 0
    }
    if case .call(let call) = message.request {
        let scope = RPCScope(call)
        let seen = scope.json(of: call)
        if scope.touched(of: ["standard_price"]) == nil, scope.values.contains("standard_price") {
            fatalError("a masked field is set")
        }
        for endpoint in endpoints { _ = endpoint.request(relaying: call, id: 1) }
        let answer = RPCAnswer.success(seen.hiding(["name"]), to: message)
        if case .xmlRPC = wire, (try? XMLRPCReader.methodResponse(answer.body)) == nil {
            fatalError("an answer that cannot be read back")
        }
    }
    return 0
}
