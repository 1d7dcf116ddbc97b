// Any text as a pattern, matched with the rest of the input: the table and the program must agree, and neither crashes.
#if !FUZZ
    import Patterns
#endif

/// The text up to the first zero byte is the pattern, the rest what it is matched with.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPattern(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: min(count, 512)))
    let cut = bytes.firstIndex(of: 0) ?? bytes.count
    let text = String(decoding: bytes[..<cut], as: UTF8.self)
    let subject = String(decoding: bytes[min(cut + 1, bytes.count)...], as: UTF8.self)
    guard let pattern = try? Pattern(text, instructionsMax: 500),
        let slow = try? Pattern(text, instructionsMax: 500, withTable: false)
    else { return 0 }
    for subject in [subject, "", "a", "ab\n1é"] where pattern.matches(subject) != slow.matches(subject) {
        fatalError("the table and the program differ")
    }
    return 0
}
