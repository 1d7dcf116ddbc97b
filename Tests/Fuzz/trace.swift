// Any bytes as a `traceparent`: never a crash, and what is accepted is written back with the same trace and span.
#if !FUZZ
    import Bytes
    import Telemetry
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTrace(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let context = TraceContext.parse(bytes.span) else { return 0 }
    var out: [UInt8] = []
    context.append(to: &out)
    guard out.count == TraceContext.textLength, out[3..<52] == bytes[3..<52],
        TraceContext.parse(out.span) == context
    else { fatalError("a trace context does not survive writing and reading") }
    return 0
}
