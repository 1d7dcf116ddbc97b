// Any bytes as the head of a request, and of a response: no crash, offsets inside the bytes, the same result when they
// come in two pieces (the first byte says where), and what is read writes back to what reads the same.
#if !FUZZ
    import Bytes
    import HTTP
#endif

private enum Seen: Equatable {
    case head(fields: [[UInt8]], target: [UInt8], framing: BodyFraming, bytes: Int)
    case needMore
    case refused(HTTPError)
}

private func readRequest(_ bytes: [UInt8], cut: Int?) -> Seen {
    var reader = RequestHeadReader(limits: HTTPLimits(headBytesMax: 4_096, fieldCountMax: 30))
    let head = MessageHead(capacity: 30)
    do {
        for end in (cut.map { [$0] } ?? []) + [bytes.count] {
            let seen = bytes.span.extracting(0..<end)
            guard case .complete = try reader.read(seen, into: head) else { continue }
            var fields: [[UInt8]] = []
            for i in 0..<head.count {
                fields.append(seen.extracting(head[i].nameRange).array)
                fields.append(seen.extracting(head[i].valueRange).array)
            }
            guard head.headBytes <= end, head.pathRange.upperBound <= end, head.methodRange.upperBound <= end else {
                fatalError("an offset is outside")
            }
            return .head(
                fields: fields, target: seen.extracting(head.targetRange).array, framing: head.framing,
                bytes: head.headBytes)
        }
        return .needMore
    } catch {
        return .refused(error)
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP1(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let cut = min(bytes.count, Int(first))
    let whole = readRequest(bytes, cut: nil)
    let parts = readRequest(bytes, cut: cut)
    if whole != parts {
        // In pieces, an error before the end of a line may have to wait for that end.
        var ended = RequestHeadReader(limits: HTTPLimits(headBytesMax: 4_096, fieldCountMax: 30))
        let head = MessageHead(capacity: 30)
        let all = bytes + [13, 10, 13, 10]
        var last = Seen.needMore
        do {
            for end in [cut, bytes.count, all.count] {
                if case .complete = try ended.read(all.span.extracting(0..<end), into: head) {
                    fatalError("what is refused as a whole is read in pieces")
                }
            }
        } catch {
            last = .refused(error)
        }
        guard parts == .needMore, last == whole else { fatalError("pieces are read otherwise than the whole") }
    }
    if case .head(let fields, let target, let framing, _) = whole, let method = bytes.split(separator: 32).first {
        var again: [UInt8] = []
        let name = method.starts(with: [13, 10]) ? Array(method.dropFirst(2)) : Array(method)
        HTTPWriter.requestLine(method: name.span, target: target.span, to: &again)
        for i in stride(from: 0, to: fields.count, by: 2) {
            let (name, value) = (fields[i], fields[i + 1])
            HTTPWriter.field(name.span, value.span, to: &again)
        }
        HTTPWriter.crlf(to: &again)
        // The version may have been 1.0, which asks for less; a head that grew may be too long.
        switch readRequest(again, cut: nil) {
        case .head(let fieldsAgain, let targetAgain, let framingAgain, _):
            guard fieldsAgain == fields, targetAgain == target, framingAgain == framing else {
                fatalError("a head does not survive writing and reading")
            }
        case .refused(.hostMissing), .refused(.headTooLong): break
        default: fatalError("a head that was read does not read again")
        }
    }

    var reader = ResponseHeadReader()
    let head = MessageHead()
    for end in [cut, bytes.count] {
        let seen = bytes.span.extracting(0..<end)
        guard let step = try? reader.read(seen, requestMethod: .get, into: head) else { break }
        guard case .complete = step else { continue }
        guard head.headBytes <= end, head.status >= 100, head.status < 600 else { fatalError("a wrong response head") }
        break
    }
    let path = bytes.span
    let risk = PathGuard.risk(of: path)
    let decoded = PercentDecoding.decode(path)
    if risk == nil, let decoded, decoded.contains("/../") || decoded.hasSuffix("/..") {
        fatalError("a dot segment passed the guard")
    }
    _ = PathSegments.split(path)
    _ = QueryString(path)
    return 0
}
