import Foundation
import Reactor
import Synchronization

/// What an operator tells a running process.
enum Instruction: Sendable {
    case reload
    case stop
}

/// SIGTERM, SIGINT and SIGHUP as a stream, fed by a thread that waits for them.
final class Signals: Sendable {
    private let stream: AsyncStream<Instruction>

    init() throws(ReactorError) {
        let (stream, continuation) = AsyncStream.makeStream(of: Instruction.self)
        self.stream = stream
        try SignalCalls.catchAll()
        try ThreadCalls.start(name: "signals") {
            while true { continuation.yield(SignalCalls.wait() == SIGHUP ? .reload : .stop) }
        }
    }

    func next() async -> Instruction {
        for await instruction in stream { return instruction }
        return .stop
    }
}
