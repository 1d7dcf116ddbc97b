#if !FUZZ
    import Audit
    import Bytes
#endif

/// Two segments cut out of the input, and a head from its first bytes: the verifier must neither crash nor call a log
/// intact whose head it cannot read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAudit(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let cut = bytes.firstIndex(of: 0) ?? bytes.count / 2
    let first = Array(bytes[..<cut])
    let second = Array(bytes[cut...])
    let key = AuditKey(secret: [UInt8](repeating: 7, count: 32))
    for keys in [key.map { [$0] } ?? [], []] {
        let head = AuditHead.read(bytes.count >= AuditHead.fileBytes ? Array(bytes[..<1_024]) : nil, keys: keys)
        var verifier = AuditVerifier(keys: keys, head: head)
        verifier.read(segment: 1, name: "audit-00000001.jsonl", bytes: first.span)
        verifier.read(segment: 2, name: "audit-00000002.jsonl", bytes: second.span)
        let report = verifier.finish()
        precondition(!report.isIntact || head != .missing)
    }
    return 0
}
