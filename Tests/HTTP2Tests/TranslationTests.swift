import Bytes
import Testing
import Wire

@testable import HTTP

/// Requests of HTTP/2 come out as the heads that HTTP/1.1 would have brought.
@Suite struct TranslationTests {
    private func head(_ fields: [(String, String)], end: Bool = true) -> (String?, Recorder) {
        let recorder = Recorder()
        recorder.receive(Case.greeting + Frames.headers(1, fields, end: end))
        return (recorder.heads.first, recorder)
    }

    @Test func theAuthorityBecomesHost() {
        let (head, recorder) = head(Frames.request("GET", "/web?a=b", [("accept", "*/*")]))
        defer { recorder.close() }
        #expect(head == "GET /web?a=b\naccept: */*\nhost: plant.example")
    }

    @Test func aHostThatAgreesStandsOnce() {
        let (head, recorder) = head(Frames.request("GET", "/", [("host", "plant.example")]))
        defer { recorder.close() }
        #expect(head == "GET /\nhost: plant.example")
    }

    @Test func crumbsOfCookiesBecomeOneLine() {
        let (head, recorder) = head(
            Frames.request("GET", "/", [("cookie", "a=1"), ("x-a", "b"), ("cookie", "c=2"), ("cookie", "d=3")]))
        defer { recorder.close() }
        #expect(head == "GET /\ncookie: a=1; c=2; d=3\nx-a: b\nhost: plant.example")
    }

    @Test func aWebSocketBecomesAnUpgrade() throws {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        let fields =
            Frames.request("CONNECT", "/websocket") + [(":protocol", "websocket"), ("sec-websocket-version", "13")]
        recorder.receive(Frames.headers(1, fields, end: false))
        #expect(recorder.heads == ["GET /websocket\nsec-websocket-version: 13\nhost: plant.example"])
        let stream = HTTP2Stream(limits: HTTPLimits())
        stream.begin(1)
        stream.addWebSocketKey((0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f))
        let line = try #require(stream.head.first(.secWebSocketKey))
        let bytes = stream.headBytes
        // RFC 6455 §4.1, the example's nonce.
        #expect(bytes.extracting(line.valueRange).text == "AAECAwQFBgcICQoLDA0ODw==")
    }

    @Test func trailersAreKeptAsLines() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        recorder.receive(
            Frames.headers(1, Frames.request("POST"), end: false) + Frames.data(1, "abc")
                + Frames.headers(1, [("x-sum", "42")]))
        #expect(recorder.bodies[1] == Array("abc".utf8))
        #expect(recorder.trailers[1] == "x-sum: 42\r\n")
    }

    @Test func aBodyWithoutLengthIsFramedInChunks() throws {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        recorder.receive(Frames.headers(1, Frames.request("POST", "/open"), end: false))
        recorder.receive(Frames.headers(3, Frames.request("POST", "/open", [("content-length", "7")]), end: false))
        recorder.receive(Frames.headers(5, Frames.request("POST", "/open")))
        #expect(recorder.open.map(\.stream.head.framing) == [.chunked, .length(7), .none])
    }

    /// An answer before the request has ended is followed by RST_STREAM with NO_ERROR. (RFC 9113 §8.1)
    @Test func anEarlyAnswerSparesTheRestOfTheBody() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        recorder.receive(Frames.headers(1, Frames.request("POST", "/open"), end: false))
        recorder.open.first?.answer(413)
        let frames = recorder.frames()
        #expect(frames.contains { $0.kind == .reset && $0.code == 0 && $0.stream == 1 })
        recorder.receive(Frames.data(1, "on its way", end: true) + Frames.ping())
        #expect(recorder.frames().map(\.kind) == [.ping])
        #expect(recorder.session?.reason == nil)
    }

    /// Large responses come as the windows allow, and say what has left.
    @Test func responsesWaitForTheClientsWindow() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting + Frames.headers(1, Frames.request("GET", "/open")))
        let request = recorder.open.first
        request?.answer(200, body: [UInt8](repeating: 7, count: 100_000))
        func data() -> Int { recorder.frames().filter { $0.kind == .data }.reduce(0) { $0 + $1.payload.count } }
        #expect(data() == 65_535)
        #expect(request?.takenBytes == 65_535)
        recorder.receive(Frames.windowUpdate(1, 100_000))
        #expect(data() == 0)
        recorder.receive(Frames.windowUpdate(0, 100_000))
        #expect(data() == 100_000 - 65_535)
        #expect(recorder.ended.map(\.code) == [0])
    }

    /// GOAWAY first without a last stream, then, once the client must have heard, with it. (RFC 9113 §6.8)
    @Test func goingAwayLosesNoStream() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        recorder.session?.announceEnd()
        let notice = recorder.frames()
        #expect(notice.contains { $0.kind == .goAway && Frames.Frame.word($0.payload, 0) == 0x7fff_ffff })
        #expect(notice.contains { $0.kind == .ping })
        // On its way when the notice was sent.
        recorder.receive(Frames.headers(1, Frames.request("GET", "/open")))
        recorder.session?.goAway()
        #expect(recorder.frames().contains { $0.kind == .goAway && Frames.Frame.word($0.payload, 0) == 1 })
        #expect(recorder.session?.isFinished == false)
        recorder.receive(Frames.headers(3))
        recorder.open.first?.answer(200)
        #expect(recorder.frames().filter { $0.kind == .headers }.map(\.stream) == [1])
        #expect(recorder.session?.isFinished == true)
    }
}
