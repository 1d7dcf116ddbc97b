/// Work on files, one piece after the other on a thread of its own: a reactor never waits for a disk.
final class FileThread: Sendable {
    private struct Mailbox {
        var jobs: [@Sendable () -> Void] = []
        var isClosed = false
        var isGone = false
        var onGone: [CheckedContinuation<Void, Never>] = []
    }

    /// Most pieces that wait; more are refused with `.overloaded`.
    private static let waitingMax = 4_096

    private let mailbox = Monitor(Mailbox())

    init(_ name: String, lock: DirectoryLock) throws(StoreError) {
        let mailbox = mailbox
        try WorkerThread.start(name) {
            while true {
                let job: (@Sendable () -> Void)? = mailbox.sleep { mailbox in
                    if mailbox.jobs.isEmpty { return mailbox.isClosed ? .done(nil) : .wait(until: nil) }
                    return .done(mailbox.jobs.removeFirst())
                }
                guard let job else { break }
                job()
            }
            lock.release()
            let waiting = mailbox.withLock { mailbox in
                mailbox.isGone = true
                defer { mailbox.onGone = [] }
                return mailbox.onGone
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    deinit {
        mailbox.withLock { $0.isClosed = true }
        mailbox.wake()
    }

    func perform<R: Sendable, E: Error>(
        refused: @escaping @Sendable (StoreError) -> E, _ body: @escaping @Sendable () throws(E) -> R
    ) async throws(E) -> R {
        let result: Result<R, E> = await withCheckedContinuation { continuation in
            let refusal = mailbox.withLock { mailbox -> StoreError? in
                if mailbox.isClosed { return .closed }
                if mailbox.jobs.count >= Self.waitingMax { return .overloaded }
                mailbox.jobs.append {
                    do throws(E) {
                        continuation.resume(returning: .success(try body()))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
                return nil
            }
            if let refusal {
                continuation.resume(returning: .failure(refused(refusal)))
            } else {
                mailbox.wake()
            }
        }
        return try result.get()
    }

    /// Does what waits, and returns when the thread has ended.
    func close() async {
        await withCheckedContinuation { continuation in
            let gone = mailbox.withLock { mailbox in
                mailbox.isClosed = true
                if !mailbox.isGone { mailbox.onGone.append(continuation) }
                return mailbox.isGone
            }
            if gone { continuation.resume() } else { mailbox.wake() }
        }
    }
}
