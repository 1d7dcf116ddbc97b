// Any bytes as a chunked body: no crash, ranges inside the bytes, and the same payload, trailers, end and error whether it
// comes whole or in two pieces (the first byte says where).
#if !FUZZ
    import Bytes
    import HTTP
#endif

private struct Seen: Equatable {
    var payload: [UInt8] = []
    var consumed = 0
    var isComplete = false
    var trailers: [String] = []
    var error: HTTPError?
}

private func readBody(_ bytes: [UInt8], cuts: [Int]) -> Seen {
    var reader = BodyReader(framing: .chunked, limits: HTTPLimits(trailerBytesMax: 200, bodyBytesMax: 1_000))
    var seen = Seen()
    do {
        feeding: for cut in cuts {
            while true {
                let window = bytes.span.extracting(seen.consumed..<cut)
                switch try reader.read(window) {
                case .needMore(let consumed):
                    seen.consumed += consumed
                    continue feeding
                case .data(let range, let consumed):
                    guard !range.isEmpty, range.upperBound <= consumed else { fatalError("a wrong range") }
                    seen.payload += window.extracting(range).array
                    seen.consumed += consumed
                case .end(let consumed):
                    seen.consumed += consumed
                    seen.isComplete = true
                    break feeding
                }
            }
        }
        guard seen.isComplete == ((try? reader.finish()) != nil) else { fatalError("an end that is none") }
    } catch {
        seen.error = error
        seen.consumed = 0
    }
    seen.trailers = reader.trailers.map { $0.0 + ":" + $0.1 }
    return seen
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunked(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let whole = readBody(bytes, cuts: [bytes.count])
    guard whole.payload.count <= 1_000 else { fatalError("a body beyond its limit") }
    guard readBody(bytes, cuts: [min(bytes.count, Int(first)), bytes.count]) == whole else {
        fatalError("pieces are read otherwise than the whole")
    }
    return 0
}
