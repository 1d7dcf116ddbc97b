import Bytes
import Synchronization

/// The part of a reactor that other threads hold: its mailbox, and the executor that keeps async code on its loop.
///
/// Tasks started by `spawn` prefer this executor, so that their bodies, child tasks and default actors run on the
/// loop's thread and never bounce through the global pool.
public final class ReactorHandle: TaskExecutor, Sendable {
    public let index: Int
    private let wake: WakeDescriptor
    private let mailbox = Mutex(Mailbox())
    private let thread = Atomic<UInt>(0)
    /// Whether the mailbox may hold something: looked at each turn, three times, in place of its lock.
    private let hasMail = Atomic<Bool>(false)
    private let ending = Mutex(Ending())

    private struct Mailbox {
        var work: [@Sendable (Reactor) -> Void] = []
        var jobs: [UnownedJob] = []
        var isSignalled = false
    }

    private struct Ending {
        var hasEnded = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    init(index: Int) throws(ReactorError) {
        self.index = index
        wake = try WakeDescriptor()
    }

    // The eventfd lives as long as the process: tasks may hold the handle after the loop has ended.

    /// Starts a reactor on a thread of its own. `setup` runs there before the loop's first turn.
    public static func start(
        index: Int, name: String = "reactor", setup: @escaping @Sendable (Reactor) -> Void
    ) throws(ReactorError) -> ReactorHandle {
        let handle = try ReactorHandle(index: index)
        // What can fail fails here, where somebody can be told: the thread only takes it over.
        let poll = Mutex<Epoll?>(try handle.makePoll())
        try ThreadCalls.start(name: "\(name)-\(index)") {
            if let poll = poll.withLock({ $0.take() }) {
                let reactor = Reactor(index: index, handle: handle, poll: poll)
                setup(reactor)
                reactor.run()
            }
            handle.loopEnded()
        }
        return handle
    }

    /// Runs `work` on the loop's thread in its next turn.
    public func post(_ work: @escaping @Sendable (Reactor) -> Void) {
        let signal = mailbox.withLock { box in
            box.work.append(work)
            hasMail.store(true, ordering: .releasing)
            return Self.mustSignal(&box, from: thread)
        }
        if signal { wake.signal() }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let signal = mailbox.withLock { box in
            box.jobs.append(unowned)
            hasMail.store(true, ordering: .releasing)
            return Self.mustSignal(&box, from: thread)
        }
        if signal { wake.signal() }
    }

    private static func mustSignal(_ box: inout Mailbox, from thread: borrowing Atomic<UInt>) -> Bool {
        if box.isSignalled || thread.load(ordering: .relaxed) == ThreadCalls.current() { return false }
        box.isSignalled = true
        return true
    }

    /// Starts async work on the loop.
    public func spawn(_ body: @escaping @Sendable () async -> Void) {
        Task(executorPreference: self) { await body() }
    }

    /// Waits on the loop's own timer wheel, in place of `Task.sleep`, which leaves the loop.
    public func sleep(_ duration: Nanoseconds) async {
        await withCheckedContinuation { continuation in
            let sleeper = Sleeper(continuation)
            post { reactor in
                reactor.schedule(at: reactor.now + duration) { _ in withExtendedLifetime(sleeper) {} }
            }
        }
    }

    /// Wakes a task when it is let go: because the timer fired, or because the loop has ended and the timer with it.
    private final class Sleeper: Sendable {
        private let continuation: CheckedContinuation<Void, Never>

        init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = continuation }

        deinit { continuation.resume() }
    }

    /// Ends the loop in its next turn.
    public func stop() { post { $0.stop() } }

    /// Ends the loop and waits until it is gone with all that hung on it. A program that exits while a loop still frees
    /// its sessions would pull their library's state away under it.
    public func end() async {
        stop()
        await withCheckedContinuation { continuation in
            let hasEnded = ending.withLock { ending in
                if !ending.hasEnded { ending.waiting.append(continuation) }
                return ending.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// Whether the caller runs on the loop's thread.
    public var isCurrent: Bool { thread.load(ordering: .relaxed) == ThreadCalls.current() }

    // MARK: For the loop

    /// An epoll that wakes for this mailbox.
    func makePoll() throws(ReactorError) -> sending Epoll {
        let poll = try Epoll()
        try poll.add(wake.fd, data: Reactor.wakeData, oneDirection: true)
        return poll
    }

    private func loopEnded() {
        let waiting = ending.withLock { ending in
            ending.hasEnded = true
            defer { ending.waiting = [] }
            return ending.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func loopStarts() { thread.store(ThreadCalls.current(), ordering: .relaxed) }

    func drainWake() {
        wake.drain()
        mailbox.withLock { $0.isSignalled = false }
    }

    var hasWork: Bool { hasMail.load(ordering: .acquiring) }

    /// What is to be run before the loop waits. Jobs stay for `runJobs`.
    func takeWork() -> [@Sendable (Reactor) -> Void] {
        mailbox.withLock { box in
            if box.jobs.isEmpty { hasMail.store(false, ordering: .relaxed) }
            defer { box.work = [] }
            return box.work
        }
    }

    /// Runs queued jobs, and those that they enqueue, up to a bound, so that sockets get their turn.
    func runJobs() {
        var rounds = 0
        while rounds < 16 {
            let jobs = mailbox.withLock { box -> [UnownedJob] in
                if box.work.isEmpty { hasMail.store(false, ordering: .relaxed) }
                defer { box.jobs = [] }
                return box.jobs
            }
            if jobs.isEmpty { return }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            rounds += 1
        }
    }
}
