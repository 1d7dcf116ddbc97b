import Bytes
import Synchronization

@testable import Services

/// Time as a test wants it. `sleep` moves it on at once, or waits until the test does.
final class TestHost: ServiceHost {
    private struct State {
        var time: Nanoseconds = .seconds(1_000)
        var sleepers: [(until: Nanoseconds, continuation: CheckedContinuation<Void, Never>)] = []
        var running = 0
        var slept: [Nanoseconds] = []
    }

    private let state = Mutex(State())
    private let skips: Bool

    /// - Parameter skips: a sleep costs no time of the test's.
    init(skips: Bool = true) { self.skips = skips }

    /// A host whose time begins where another's is.
    convenience init(since other: TestHost) {
        self.init()
        let time = other.state.withLock { $0.time }
        state.withLock { $0.time = time }
    }

    /// 2026-11-24T06:00:00Z and what passed since.
    static let epoch: Int64 = 1_795_500_000

    var monotonic: MonotonicInstant { MonotonicInstant(nanoseconds: state.withLock { $0.time }) }
    var wall: WallInstant { WallInstant(seconds: Self.epoch) + state.withLock { $0.time } }

    func sleep(_ duration: Nanoseconds) async {
        if skips {
            state.withLock {
                $0.time += duration
                $0.slept.append(duration)
            }
            await Task.yield()
            return
        }
        await withCheckedContinuation { continuation in
            state.withLock { $0.sleepers.append(($0.time + duration, continuation)) }
        }
    }

    func spawn(_ body: @escaping @Sendable () async -> Void) {
        state.withLock { $0.running += 1 }
        Task {
            await body()
            self.state.withLock { $0.running -= 1 }
        }
    }

    func advance(_ duration: Nanoseconds) {
        let due = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.time += duration
            let due = state.sleepers.filter { $0.until <= state.time }.map(\.continuation)
            state.sleepers.removeAll { $0.until <= state.time }
            return due
        }
        for continuation in due { continuation.resume() }
    }

    var sleeps: [Nanoseconds] { state.withLock { $0.slept } }

    /// Waits until everything that was spawned is over.
    func idle() async throws {
        for _ in 0..<5_000 {
            if state.withLock({ $0.running }) == 0 { return }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw StillRunning()
    }

    struct StillRunning: Error {}
}
