// Any text as a pattern, a query and a body of one contract, and as a contract: read or refused, never a crash; and what
// is accepted is accepted again when it comes back with its defaults.
#if !FUZZ
    import Bytes
    import Contracts
    import Documents
    import JSON
#endif

private let endpoint: Endpoint? = {
    let text = """
        operation: thing.make
        title: t
        description: d
        kind: write
        admission: batch
        deadline: 1s
        idempotency: i
        settling: {found_by: external-id, look: The thing., absent: repeats, handed_over: [the thing]}
        endpoints:
          - name: make
            method: POST
            path: /v1/things/{id}
            summary: s
            path_parameters: [{name: id, description: d, schema: {type: integer, minimum: 1}}]
            query_parameters:
              - {name: a, description: d, schema: {type: array, items: {type: number, multipleOf: 0.01}}}
              - {name: p, description: d, schema: {type: string, pattern: '^(a|b?c)*[x-z]{1,3}$', maxLength: 40}}
            body:
              schema:
                type: object
                additionalProperties: false
                properties:
                  n: {type: number, exclusiveMinimum: 0, multipleOf: 0.001}
                  t: {type: string, format: date-time}
                  l: {type: array, maxItems: 9, uniqueItems: true, items: {type: [integer, string], default: 1}}
                  f: {type: boolean, default: false}
                anyOf: [{required: [n]}, {properties: {f: {const: true}}, required: [f]}]
            response: {schema: {}}
            examples: [{summary: s, path: {id: 1}, body: {n: 1}, response: 1}]
        """
    return try? ContractSet.load(files: [("a/thing.make.yaml", text)])["thing.make"]?.endpoints.first
}()

/// The text up to the first zero byte is the query and the path's parameter, the rest the body.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzContracts(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let endpoint else { fatalError("the contract does not load") }
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let cut = bytes.firstIndex(of: 0) ?? 0
    let query = String(decoding: bytes[..<cut], as: UTF8.self)
    let rest = Array(bytes[(cut == 0 ? 0 : cut + 1)...])
    let body = try? JSONValue.parse(rest)
    do {
        let input = try endpoint.read(captures: ["1"], query: query, body: body)
        let again = try endpoint.read(captures: ["1"], query: nil, body: input.body)
        if again.body != input.body { fatalError("defaults change what they completed") }
    } catch {
        if error.violations.isEmpty || error.violations.count > Violation.countMax { fatalError("no violation") }
        _ = error.problem.bytes
    }
    _ = try? endpoint.read(captures: [query], query: nil, body: ["n": 1])
    _ = try? Schema.load(String(decoding: rest, as: UTF8.self), file: "fuzz.yaml").validate(body ?? nil)
    if let path = PathTemplate(query) { _ = path.match(query) }
    return 0
}
