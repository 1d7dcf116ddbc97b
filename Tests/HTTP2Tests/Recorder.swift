import Bytes
import Wire

@testable import HTTP

/// A session in memory with a handler that answers each request at once, but for the path `/open`.
final class Recorder: HTTP2SessionOwner {
    let limits: HTTP2Limits
    let template: HTTP2Template
    private(set) var session: HTTP2Session?
    /// Heads of requests, as lines of HTTP/1.1 would say them.
    var heads: [String] = []
    var bodies: [UInt32: [UInt8]] = [:]
    var trailers: [UInt32: String] = [:]
    var cutOffs: [HTTP2CutOff] = []
    var refusals: [HTTPError] = []
    var ended: [(id: UInt32, code: UInt32)] = []
    var open: [Request] = []
    /// Whether bodies are given back to the windows as they come.
    var consumes = true
    var answersAlways = true
    let output = IOBuffer(capacity: 65_536)
    var now = MonotonicInstant(nanoseconds: 0)

    init(limits: HTTP2Limits = HTTP2Limits(), http: HTTPLimits = HTTPLimits()) {
        self.limits = limits
        template = HTTP2Template(http: http, limits: limits)
        session = HTTP2Session(template: template, owner: self, now: now)
    }

    func close() {
        session?.close()
        session = nil
    }

    func takeStream() -> HTTP2Stream? {
        guard open.count < limits.streamsMax else { return nil }
        let request = Request(self)
        open.append(request)
        return request.stream
    }

    func cutOff(_ reason: HTTP2CutOff) { cutOffs.append(reason) }

    func receive(_ bytes: [UInt8]) {
        let input = IOBuffer(capacity: bytes.count + 1)
        bytes.withUnsafeBufferPointer { input.append(copying: Span(_unsafeElements: $0)) }
        session?.receive(input.readable, now: now)
    }

    /// Everything that is due, as frames.
    func frames() -> [Frames.Frame] {
        let output = output
        var all: [UInt8] = []
        while true {
            output.clear()
            session?.produce(into: output, bytesMax: 32_768, now: now)
            if output.isEmpty { break }
            all += output.readable.array
        }
        return Frames.parse(all)
    }

    final class Request: HTTP2Receiver {
        let stream: HTTP2Stream
        unowned let recorder: Recorder
        var id: UInt32 = 0
        var takenBytes = 0

        init(_ recorder: Recorder) {
            self.recorder = recorder
            stream = HTTP2Stream(limits: recorder.template.httpLimits)
            stream.receiver = self
        }

        func requestHead() {
            id = UInt32(stream.id)
            let head = stream.head
            let stream = stream
            let bytes = stream.headBytes
            var text = "\(bytes.extracting(head.methodRange).text) \(bytes.extracting(head.targetRange).text)"
            for i in 0..<head.count {
                text += "\n\(bytes.extracting(head[i].nameRange).text): \(bytes.extracting(head[i].valueRange).text)"
            }
            recorder.heads.append(text)
            if head.method == .connect || head.isWebSocketUpgrade { answer(501) }
        }

        func requestRefused(_ error: HTTPError) {
            recorder.refusals.append(error)
            answer(error.status)
        }

        func requestBody(_ bytes: Span<UInt8>) {
            recorder.bodies[id, default: []] += bytes.array
            if recorder.consumes { recorder.session?.consume(stream, bytes.count) }
        }

        func requestEnded() {
            recorder.trailers[id] = String(decoding: stream.trailers, as: UTF8.self)
            let stream = stream
            let bytes = stream.headBytes
            if recorder.answersAlways, !bytes.extracting(stream.head.targetRange).equals("/open") { answer(200) }
        }

        func answer(_ status: Int, body: [UInt8] = []) {
            stream.beginFields(status: status)
            if !body.isEmpty {
                let buffer = IOBuffer(capacity: body.count)
                let body = body
                buffer.append(copying: body.span)
                stream.waiting = buffer
                stream.endResponse()
            }
            recorder.session?.submitHead(stream, hasBody: !body.isEmpty)
        }

        func responseTaken(_ count: Int) { takenBytes += count }

        func closed(_ code: UInt32) {
            recorder.ended.append((id, code))
            recorder.open.removeAll { $0 === self }
            stream.receiver = nil
        }
    }
}
