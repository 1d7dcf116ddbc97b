import Bytes
import Testing
import Wire

@testable import HTTP

/// The known attacks on HTTP/2, as far as they can be seen without a socket: the connection ends with
/// ENHANCE_YOUR_CALM, for the reason that is counted.
@Suite struct BudgetTests {
    struct Flood: Sendable, CustomTestStringConvertible {
        var reason: HTTP2CutOff
        var frames: @Sendable (Int) -> [UInt8]
        var testDescription: String { reason.name }
    }

    private static func stream(_ i: Int) -> UInt32 { UInt32(2 * i + 3) }

    static let floods: [Flood] = [
        Flood(reason: .settingsFlood) { _ in Frames.settings() },
        Flood(reason: .pingFlood) { _ in Frames.ping() },
        Flood(reason: .priorityFlood) { i in Frames.frame(.priority, stream: stream(i), [0, 0, 0, 0, 1]) },
        Flood(reason: .windowUpdateFlood) { _ in Frames.windowUpdate(0, 1) },
        Flood(reason: .emptyDataFlood) { i in
            (i == 0 ? Frames.headers(1, Frames.request("POST", "/open"), end: false) : []) + Frames.data(1, "")
        },
        Flood(reason: .emptyDataFlood) { i in
            (i == 0 ? Frames.headers(1, Frames.request("POST", "/open"), end: false) : [])
                + Frames.frame(.data, flags: Frames.padded, stream: 1, [3, 0, 0, 0])
        },
        Flood(reason: .unknownFrameFlood) { _ in Frames.frame(0xbb) },
        // CVE-2023-44487
        Flood(reason: .resetFlood) { i in
            Frames.headers(stream(i), Frames.request("GET", "/open")) + Frames.reset(stream(i))
        },
        // CVE-2025-8671: the client makes the server reset.
        Flood(reason: .resetFlood) { i in
            Frames.headers(stream(i), Frames.request("POST", "/open"), end: false)
                + Frames.windowUpdate(stream(i), 0x7fff_ffff)
        },
        Flood(reason: .resetFlood) { i in Frames.headers(stream(i), Frames.request("GET", "/", [("connection", "x")]))
        },
        // CVE-2024-27316
        Flood(reason: .continuationFlood) { i in
            i == 0
                ? Frames.headers(1, whole: false) : Frames.frame(.continuation, stream: 1, Frames.block([("x", "y")]))
        },
    ]

    @Test(arguments: floods)
    func aFloodEndsTheConnection(_ flood: Flood) throws {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        var frames = recorder.frames()
        var sent = 0
        while sent < 2_000, recorder.session?.isFinished == false {
            recorder.receive(flood.frames(sent))
            frames += recorder.frames()
            sent += 1
        }
        frames += recorder.frames()
        #expect(recorder.session?.reason == flood.reason)
        #expect(frames.last?.kind == .goAway)
        #expect(frames.last?.code == HTTP2ErrorCode.enhanceYourCalm.rawValue)
        #expect(recorder.session?.isFinished == true)
        let most = [.resetFlood: 201, .continuationFlood: 10][flood.reason] ?? 300
        #expect(sent <= most, "\(sent) frames were taken")
    }

    /// What the budgets allow in a second may go on for as long as it wants.
    @Test func aClientWithinItsBudgetsStays() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        for second in 0..<60 {
            recorder.now = recorder.now + .seconds(1)
            for _ in 0..<60 { recorder.receive(Frames.ping()) }
            for i in 0..<20 {
                let id = UInt32(2 * (second * 20 + i) + 1)
                recorder.receive(Frames.headers(id, Frames.request("GET", "/open")) + Frames.reset(id))
            }
            _ = recorder.frames()
        }
        #expect(recorder.session?.reason == nil)
        #expect(recorder.cutOffs.isEmpty)
        #expect(recorder.heads.count == 1_200)
    }

    /// An HPACK bomb: one field of four KiB in the table, named again by one byte each. (CVE-2016-1544)
    @Test func aHeadThatGrowsByDecompressionEndsTheConnection() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        let large = [0x40] + Frames.string("x") + Frames.string(String(repeating: "y", count: 4_000))
        recorder.receive(
            Frames.frame(.headers, flags: 5, stream: 1, Frames.block(Frames.request()) + large))
        let bomb = [UInt8](repeating: 0xbe, count: 16_000)
        recorder.receive(Frames.frame(.headers, flags: 5, stream: 3, Frames.block(Frames.request()) + bomb))
        let frames = recorder.frames()
        #expect(recorder.session?.reason == .headerListBomb)
        #expect(frames.last?.code == HTTP2ErrorCode.enhanceYourCalm.rawValue)
        #expect(recorder.heads.count == 1)
    }

    /// A head a little too large is answered; the connection, whose compression stays in step, goes on.
    @Test func aHeadThatIsTooLargeIsAnsweredWith431() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.receive(Case.greeting)
        let more = (0..<3).map { ("x-\($0)", String(repeating: "y", count: 7_000)) }
        let block = Frames.block(Frames.request("GET", "/", more))
        recorder.receive(
            Frames.frame(.headers, flags: 1, stream: 1, Array(block[..<16_000]))
                + Frames.frame(.continuation, flags: 4, stream: 1, Array(block[16_000...])) + Frames.headers(3))
        let frames = recorder.frames()
        #expect(recorder.refusals == [.headTooLong])
        #expect(Set(frames.filter { $0.kind == .headers }.map(\.stream)) == [1, 3])
        #expect(frames.allSatisfy { $0.kind != .goAway && $0.kind != .reset })
    }

    @Test func moreStreamsThanAllowedAreRefused() {
        var limits = HTTP2Limits()
        limits.streamsMax = 4
        let recorder = Recorder(limits: limits)
        defer { recorder.close() }
        recorder.receive(Frames.preface + Frames.settings())
        // Before the client has acknowledged our SETTINGS it cannot know. (RFC 9113 §5.1.2)
        for i in 0..<6 { recorder.receive(Frames.headers(UInt32(2 * i + 1), Frames.request("GET", "/open"))) }
        let resets = recorder.frames().filter { $0.kind == .reset }
        #expect(resets.map(\.stream).sorted() == [9, 11])
        #expect(resets.allSatisfy { $0.code == HTTP2ErrorCode.refusedStream.rawValue })
        #expect(recorder.heads.count == 4)
    }

    /// DATA beyond the window that was not given back. (RFC 9113 §6.9.1)
    @Test func bodiesStayWithinTheirWindows() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.consumes = false
        recorder.receive(Case.greeting)
        recorder.receive(Frames.headers(1, Frames.request("POST", "/open"), end: false))
        let full = [UInt8](repeating: 1, count: 16_384)
        for _ in 0..<8 { recorder.receive(Frames.data(1, full)) }
        #expect(recorder.frames().allSatisfy { $0.kind != .windowUpdate || $0.stream == 0 })
        #expect(recorder.session?.reason == nil)
        recorder.receive(Frames.data(1, [1]))
        let frames = recorder.frames()
        #expect(frames.contains { $0.code == HTTP2ErrorCode.flowControlError.rawValue })
        // The byte too many was read before its stream was reset.
        #expect(recorder.bodies[1]?.count == 131_073)
    }

    /// What was taken is given back.
    @Test func windowsAreGivenBackAsBodiesAreTaken() {
        let recorder = Recorder()
        defer { recorder.close() }
        recorder.consumes = false
        recorder.receive(Case.greeting)
        recorder.receive(Frames.headers(1, Frames.request("POST", "/open"), end: false))
        for _ in 0..<8 { recorder.receive(Frames.data(1, [UInt8](repeating: 1, count: 16_384))) }
        _ = recorder.frames()
        recorder.open.first.map { recorder.session?.consume($0.stream, 131_072) }
        let updates = recorder.frames().filter { $0.kind == .windowUpdate && $0.stream == 1 }
        #expect(updates.reduce(0) { $0 + Frames.Frame.word($1.payload, 0) } == 131_072)
    }
}
