/// Work on files, one piece after the other on a thread of its own: a reactor never waits for a disk.
final class FileThread: Sendable {
    private struct Mailbox: WorkerMailbox {
        var jobs: [@Sendable () -> Void] = []
        var ending = WorkerEnding()
    }

    /// Most pieces that wait; more are refused with `.overloaded`.
    private static let waitingMax = 4_096

    private let mailbox = Monitor(Mailbox())

    init(_ name: String, lock: DirectoryLock) throws(StoreError) {
        let mailbox = mailbox
        try WorkerThread.start(name) {
            while true {
                let job: (@Sendable () -> Void)? = mailbox.sleep { mailbox in
                    if mailbox.jobs.isEmpty { return mailbox.ending.isClosed ? .done(nil) : .wait(until: nil) }
                    return .done(mailbox.jobs.removeFirst())
                }
                guard let job else { break }
                job()
            }
            lock.release()
            mailbox.end()
        }
    }

    deinit { mailbox.abandon() }

    func perform<R: Sendable, E: Error>(
        refused: @escaping @Sendable (StoreError) -> E, _ body: @escaping @Sendable () throws(E) -> R
    ) async throws(E) -> R {
        let result: Result<R, E> = await withCheckedContinuation { continuation in
            let refusal = mailbox.withLock { mailbox -> StoreError? in
                if mailbox.ending.isClosed { return .closed }
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
    func close() async { await mailbox.close() }
}
