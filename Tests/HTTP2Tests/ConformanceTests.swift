import HTTP
import Testing
import Wire

/// Every error case of RFC 9113 and RFC 7541 that a client can bring about, without sockets; `SocketConformanceTests`
/// runs the same table through them.
@Suite struct ConformanceTests {
    static let cases =
        FramingCases.preface + FramingCases.streams + FramingCases.types + MessageCases.fields + MessageCases.pseudo
        + MessageCases.bodies + CompressionCases.all

    @Test(arguments: cases)
    func errorsAreAnsweredWithTheRightError(_ test: Case) {
        let recorder = Recorder()
        defer { recorder.close() }
        if test.greets { recorder.receive(Case.greeting) }
        var frames: [Frames.Frame] = []
        for part in test.parts {
            recorder.receive(part)
            frames += recorder.frames()
        }
        if let wrong = test.verdict(on: frames) { Issue.record("\(wrong)") }
    }

    /// The same wherever the network cuts what the client sent.
    @Test(arguments: cases)
    func errorsAreTheSameByteByByte(_ test: Case) {
        let recorder = Recorder()
        defer { recorder.close() }
        if test.greets { for byte in Case.greeting { recorder.receive([byte]) } }
        var frames: [Frames.Frame] = []
        for part in test.parts {
            if part.count > 2_000 {
                recorder.receive(part)
            } else {
                for byte in part { recorder.receive([byte]) }
            }
            frames += recorder.frames()
        }
        if let wrong = test.verdict(on: frames) { Issue.record("\(wrong)") }
    }

    @Test func theTableIsWhole() {
        #expect(Self.cases.count >= 140)
        #expect(Set(Self.cases.map(\.testDescription)).count == Self.cases.count)
    }
}
