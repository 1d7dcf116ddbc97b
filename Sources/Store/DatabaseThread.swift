import Bytes

/// A database on a thread of its own, with group commit: what waits in the mailbox is done in one transaction, and its
/// callers are told after the commit.
final class DatabaseThread: Sendable {
    /// Tells the caller: nil after the commit, otherwise why there was none.
    typealias Finish = @Sendable (StoreError?) -> Void

    private struct Job: Sendable {
        /// Works on the database. `spoiled`: it failed in a way after which nothing of the transaction may be kept.
        let run: @Sendable (Database) -> (finish: Finish, spoiled: StoreError?)
        /// Tells the caller that the work was not begun.
        let refuse: @Sendable (StoreError) -> Void
    }

    private struct Mailbox: WorkerMailbox {
        var jobs: [Job] = []
        var ending = WorkerEnding()
    }

    /// Most jobs that wait; more are refused with `.overloaded`.
    static let waitingMax = 16_384
    /// Most jobs in one transaction: enough to share a sync, few enough that the first does not wait long.
    static let batchMax = 64

    private let mailbox = Monitor(Mailbox())

    /// Opens the database on its new thread.
    ///
    /// - Parameters:
    ///   - commits: whether jobs run in transactions; without, each stands alone, as for reading.
    ///   - lock: released when the file is closed.
    init(
        _ name: String, commits: Bool, lock: DirectoryLock? = nil,
        open: @escaping @Sendable () throws(StoreError) -> Database
    ) throws(StoreError) {
        let opened = Monitor<Result<Void, StoreError>?>(nil)
        let mailbox = mailbox
        try WorkerThread.start(name) {
            var database: Database?
            do throws(StoreError) {
                database = try open()
            } catch {
                lock?.release()
                opened.withLock { $0 = .failure(error) }
                opened.wake()
                return
            }
            opened.withLock { $0 = .success(()) }
            opened.wake()
            if let database { Self.work(mailbox, database, commits: commits) }
            // The file is closed before anybody is told that it is.
            database = nil
            lock?.release()
            mailbox.end()
        }
        let result = opened.sleep { result in result.map { .done($0) } ?? .wait(until: nil) }
        try result.get()
    }

    deinit { mailbox.abandon() }

    /// Does `body` on the thread and returns when it is committed.
    func perform<R: Sendable>(
        _ body: @escaping @Sendable (Database) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        let result: Result<R, StoreError> = await withCheckedContinuation { continuation in
            let refusal = mailbox.withLock { mailbox -> StoreError? in
                if mailbox.ending.isClosed { return .closed }
                if mailbox.jobs.count >= Self.waitingMax { return .overloaded }
                let job = Job { database in
                    do throws(StoreError) {
                        let value = try body(database)
                        return ({ continuation.resume(returning: $0.map { .failure($0) } ?? .success(value)) }, nil)
                    } catch {
                        return (
                            { continuation.resume(returning: .failure($0 ?? error)) },
                            error.isAboutTheRequest ? nil : error
                        )
                    }
                } refuse: {
                    continuation.resume(returning: .failure($0))
                }
                mailbox.jobs.append(job)
                return nil
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) } else { mailbox.wake() }
        }
        return try result.get()
    }

    /// Does what waits, closes the database and returns.
    func close() async { await mailbox.close() }

    // MARK: - On the thread

    private static func work(_ mailbox: Monitor<Mailbox>, _ database: Database, commits: Bool) {
        while true {
            let jobs: [Job] = mailbox.sleep { mailbox in
                if mailbox.jobs.isEmpty { return mailbox.ending.isClosed ? .done([]) : .wait(until: nil) }
                if mailbox.jobs.count <= batchMax {
                    let all = mailbox.jobs
                    mailbox.jobs = []
                    return .done(all)
                }
                let some = Array(mailbox.jobs[..<batchMax])
                mailbox.jobs.removeFirst(batchMax)
                return .done(some)
            }
            if jobs.isEmpty { break }
            if commits { transact(jobs[...], database) } else { for job in jobs { job.run(database).finish(nil) } }
        }
    }

    private static func transact(_ jobs: ArraySlice<Job>, _ database: Database) {
        var jobs = jobs
        while !jobs.isEmpty {
            var finishes: [Finish] = []
            var failure: StoreError?
            do throws(StoreError) {
                try database.run("BEGIN IMMEDIATE")
                while failure == nil, let job = jobs.popFirst() {
                    let (finish, spoiled) = job.run(database)
                    finishes.append(finish)
                    failure = spoiled
                }
                if failure == nil { try database.run("COMMIT") }
            } catch {
                failure = error
            }
            if let failure {
                if database.isInTransaction { try? database.run("ROLLBACK") }
                if finishes.isEmpty {
                    // There was no BEGIN, so the rest cannot be tried either.
                    for job in jobs { job.refuse(failure) }
                    return
                }
            }
            for finish in finishes { finish(failure) }
        }
    }
}
