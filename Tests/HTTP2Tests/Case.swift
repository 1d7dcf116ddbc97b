import HTTP
import Testing
import Wire

/// What a client sends on a new connection, and what must come of it.
struct Case: Sendable, CustomTestStringConvertible {
    enum Expectation: Sendable, Equatable {
        /// GOAWAY with this error, and the end of the connection.
        case connection(HTTP2ErrorCode)
        /// RST_STREAM with this error; the connection goes on.
        case stream(UInt32, HTTP2ErrorCode)
        /// Either, where the RFC leaves the choice.
        case any(UInt32, HTTP2ErrorCode)
        /// The stream gets a response, and the connection goes on.
        case answered(UInt32)
        /// Nothing happens: no error of stream or connection.
        case ignored
    }

    var section: String
    var name: String
    /// Sent one after the other, each after the one before was worked off.
    var parts: [[UInt8]]
    var expectation: Expectation
    /// Whether preface and SETTINGS come first.
    var greets = true

    init(_ section: String, _ name: String, _ expectation: Expectation, greets: Bool = true, _ parts: [UInt8]...) {
        self.section = section
        self.name = name
        self.parts = parts
        self.expectation = expectation
        self.greets = greets
    }

    var testDescription: String { "RFC \(section): \(name)" }

    static var greeting: [UInt8] { Frames.preface + Frames.settings() + Frames.settingsAck }

    /// Nil when what came is what was expected; else what is wrong.
    func verdict(on frames: [Frames.Frame]) -> String? {
        let ends = frames.first { $0.kind == .goAway && $0.code != 0 }
        let resets = frames.filter { $0.kind == .reset && $0.code != 0 }
        func says(_ frame: Frames.Frame?, _ code: HTTP2ErrorCode) -> Bool { frame?.code == code.rawValue }
        let isRight =
            switch expectation {
            case .connection(let code): says(ends, code)
            case .stream(let id, let code): ends == nil && resets.contains { $0.stream == id && says($0, code) }
            case .any(let id, let code):
                says(ends, code) || ends == nil && resets.contains { $0.stream == id && says($0, code) }
            case .answered(let id):
                ends == nil && resets.isEmpty && frames.contains { $0.kind == .headers && $0.stream == id }
            case .ignored: ends == nil && resets.isEmpty
            }
        return isRight ? nil : "expected \(expectation), got \(frames)"
    }
}
