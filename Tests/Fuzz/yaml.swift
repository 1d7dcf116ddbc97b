// Any text: a document is read or refused, never a crash or a hang, and every error has a place in the text.
#if !FUZZ
    import Documents
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzYAML(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    let reader = DocumentReader()
    reader.read(text, file: "fuzz.yaml") { map in
        _ = map.optional("duration")?.duration()
        _ = map.optional("size")?.byteCount()
        for entry in map.entries {
            _ = entry.value.int()
            _ = entry.value.list { $0.string() }
        }
    }
    for error in reader.errors where error.line < 1 || error.column < 1 { fatalError("an error without a place") }
    return 0
}
