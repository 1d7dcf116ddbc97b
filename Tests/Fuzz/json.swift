// Any bytes: reading never crashes, and what is read writes back to a text that reads as the same value.
#if !FUZZ
    import Bytes
    import JSON
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let value = try? JSONValue.parse(bytes) else {
        var line: [UInt8] = []
        JSONText.appendString(bytes.span, to: &line)
        guard (try? JSONValue.parse(line)) != nil else { fatalError("an escaped string does not read") }
        return 0
    }
    let canonical = value.canonicalBytes
    // The canonical text of a long fraction has an exponent besides its digits.
    let limits = JSONLimits(numberBytesMax: 256)
    guard let again = try? JSONValue.parse(value.bytes), again == value, again.hashValue == value.hashValue,
        let third = try? JSONValue.parse(canonical, limits: limits), third.canonicalBytes == canonical
    else { fatalError("a value does not survive writing and reading") }
    return 0
}
