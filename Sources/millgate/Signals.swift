import Foundation
import Reactor
import Synchronization

/// What an operator tells a running process.
enum Instruction: Sendable {
    case reload
    case upgrade
    case stop
}

/// SIGTERM, SIGINT, SIGHUP and SIGUSR2 as a stream, fed by a thread that waits for them.
final class Signals: Sendable {
    private let stream: AsyncStream<Instruction>

    init() throws(ReactorError) {
        let (stream, continuation) = AsyncStream.makeStream(of: Instruction.self)
        self.stream = stream
        try SignalCalls.catchAll()
        try ThreadCalls.start(name: "signals") {
            while true {
                switch SignalCalls.wait() {
                case SIGHUP: continuation.yield(.reload)
                case SIGUSR2: continuation.yield(.upgrade)
                default: continuation.yield(.stop)
                }
            }
        }
    }

    func next() async -> Instruction {
        for await instruction in stream { return instruction }
        return .stop
    }
}
