import Bytes
import Testing

@testable import HTTP

/// A head as values, to be compared.
struct ParsedHead: Hashable, CustomStringConvertible {
    var line: [String]
    var fields: [String]
    var framing: BodyFraming
    var flags: [Bool]
    var headBytes: Int
    var description: String { "\(line) \(fields) \(framing) \(flags) \(headBytes)" }

    init(_ head: MessageHead, _ bytes: Span<UInt8>) {
        line = []
        if head.status == 0 {
            line = [
                bytes.extracting(head.methodRange).text, bytes.extracting(head.targetRange).text,
                bytes.extracting(head.pathRange).text, "\(head.targetForm)", "\(head.method)",
            ]
            if let query = head.queryRange { line.append("?" + bytes.extracting(query).text) }
            if let authority = head.authorityRange { line.append("@" + bytes.extracting(authority).text) }
        } else {
            line = ["\(head.status)", bytes.extracting(head.reasonRange).text]
        }
        line.append("1.\(head.version)")
        fields = []
        for i in 0..<head.count {
            let field = head[i]
            fields.append(
                "\(field.name)\n" + bytes.extracting(field.nameRange).text + "\n"
                    + bytes.extracting(field.valueRange).text + (head.isHopByHop(i) ? "\nhop" : ""))
        }
        framing = head.framing
        flags = [head.keepAlive, head.expectsContinue, head.upgrade, head.isWebSocketUpgrade]
        headBytes = head.headBytes
    }
}

enum Outcome: Hashable {
    case head(ParsedHead)
    case needMore
    case refused(HTTPError)
}

/// Gives the reader the bytes in pieces that end at `cuts`, then all.
func readRequest(_ text: String, cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> Outcome {
    readRequest(Array(text.utf8), cuts: cuts, limits: limits)
}

func readRequest(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> Outcome {
    var reader = RequestHeadReader(limits: limits)
    let head = MessageHead()
    do {
        for cut in cuts + [bytes.count] {
            let seen = bytes.span.extracting(0..<cut)
            if case .complete = try reader.read(seen, into: head) { return .head(ParsedHead(head, seen)) }
        }
        return .needMore
    } catch {
        return .refused(error)
    }
}

func readResponse(
    _ text: String, to method: HTTP.Method = .get, upgrade: Bool = false, cuts: [Int] = [],
    limits: HTTPLimits = .upstream
) -> Outcome {
    let bytes = Array(text.utf8)
    var reader = ResponseHeadReader(limits: limits)
    let head = MessageHead()
    do {
        for cut in cuts + [bytes.count] {
            let seen = bytes.span.extracting(0..<cut)
            let step = try reader.read(seen, requestMethod: method, upgradeRequested: upgrade, into: head)
            if case .complete = step { return .head(ParsedHead(head, seen)) }
        }
        return .needMore
    } catch {
        return .refused(error)
    }
}

/// What a body reader made of some bytes.
struct ReadBody: Hashable {
    var payload: [UInt8] = []
    var isComplete = false
    var consumed = 0
    var error: HTTPError?
    var trailers: [String] = []
    var text: String { payload.span.text }
}

/// Feeds the bytes in pieces that end at `cuts`, as a driver does: what is not consumed is kept and given again.
func readBody(
    _ bytes: [UInt8], _ framing: BodyFraming, cuts: [Int] = [], limits: HTTPLimits = HTTPLimits(), eof: Bool = false
) -> ReadBody {
    var reader = BodyReader(framing: framing, limits: limits)
    var result = ReadBody()
    do {
        feeding: for cut in cuts + [bytes.count] {
            while true {
                let window = bytes.span.extracting(result.consumed..<cut)
                switch try reader.read(window) {
                case .needMore(let consumed):
                    result.consumed += consumed
                    continue feeding
                case .data(let range, let consumed):
                    result.payload += window.extracting(range).array
                    result.consumed += consumed
                case .end(let consumed):
                    result.consumed += consumed
                    result.isComplete = true
                    break feeding
                }
            }
        }
        if eof {
            try reader.finish()
            result.isComplete = true
        }
    } catch {
        result.error = error
    }
    result.trailers = reader.trailers.map { "\($0.0)=\($0.1)" }
    return result
}
