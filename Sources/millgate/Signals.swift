import Foundation
import Reactor
import Synchronization

/// What an operator tells a running process.
enum Instruction: Sendable {
    case reload
    case stop
}

/// SIGTERM, SIGINT and SIGHUP as a stream. They are blocked in every thread and taken by one that waits for them.
final class Signals: Sendable {
    private let stream: AsyncStream<Instruction>

    /// To be made before other threads are started, which inherit the mask.
    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Instruction.self)
        self.stream = stream
        SignalCalls.ignorePipe()
        SignalCalls.block()
        try? ThreadCalls.start(name: "signals") {
            while true { continuation.yield(SignalCalls.wait() == SIGHUP ? .reload : .stop) }
        }
    }

    func next() async -> Instruction {
        for await instruction in stream { return instruction }
        return .stop
    }
}
