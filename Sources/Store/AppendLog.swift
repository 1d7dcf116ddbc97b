import Audit
import Bytes

/// The audit log as reactors and services see it: hand lines over and go on, or wait until they are on disk.
///
/// One thread numbers, chains and writes what was handed over, in batches with one sync each: at once when somebody
/// waits, otherwise every few milliseconds. Lines of one caller keep their order, except that a line somebody waits for
/// may stand behind plain lines that were handed over after it in the same batch.
///
/// When writing fails (disk full), whoever waits gets the error and the log is `failed` until an attempt, one a second,
/// succeeds. Plain lines are kept for it up to the bound of the backlog.
package final class AppendLog: Sendable {
    private struct Waiter {
        /// Empty for somebody who waits for what was handed over before.
        let lines: [UInt8]
        let continuation: CheckedContinuation<StoreError?, Never>
    }

    private struct Queue: WorkerMailbox {
        var lines = IOBuffer(capacity: 65_536)
        /// When the first of `lines` came.
        var since: MonotonicInstant?
        var waiters: [Waiter] = []
        var waitingBytes = 0
        /// Bytes that the thread took and could not write yet.
        var keptBytes = 0
        var status = Status()
        var ending = WorkerEnding()

        /// Bytes that wait.
        var backlog: Int { lines.count + waitingBytes + keptBytes }

        /// Gives the lines away, behind those that `taken` holds since a failure.
        mutating func hand(to taken: inout IOBuffer) {
            if taken.isEmpty {
                swap(&lines, &taken)
            } else {
                taken.append(copying: lines.readable)
                lines.clear()
            }
            since = nil
            keptBytes = taken.count
        }
    }

    /// Bytes of a buffer at the start; it grows with the load.
    private static let bufferBytes = 65_536

    private let queue = Monitor(Queue())
    private let lock: DirectoryLock
    private let backlogBytesMax: Int

    /// Opens the log, checks its end and begins to write.
    ///
    /// Throws `.busy` when another process writes it, `.corrupt` when its end is not what was written.
    package init(_ configuration: Configuration) throws(StoreError) {
        try Files.makeDirectory(configuration.directory)
        lock = try DirectoryLock(configuration.directory + "/audit.lock")
        backlogBytesMax = configuration.backlogBytesMax
        let opened = Monitor<Result<Void, StoreError>?>(nil)
        let (queue, lock) = (queue, lock)
        try WorkerThread.start("audit-log") {
            let writer: LogWriter
            do throws(StoreError) {
                writer = try LogWriter(configuration)
            } catch {
                lock.release()
                opened.withLock { $0 = .failure(error) }
                opened.wake()
                return
            }
            queue.withLock { $0.status.note(writer) }
            opened.withLock { $0 = .success(()) }
            opened.wake()
            Self.work(queue, writer, configuration)
            // Held by the thread, so that nobody else opens the log while it still writes.
            lock.release()
            queue.end()
        }
        let result = opened.sleep { result in result.map { .done($0) } ?? .wait(until: nil) }
        try result.get()
    }

    deinit { queue.abandon() }

    /// Hands over lines that nobody waits for, each a JSON object and a line end. Copies them; takes no memory once the
    /// backlog's buffer has its size.
    ///
    /// - Returns: false when too much waits already or the log was closed: nothing was taken.
    package func submit(_ lines: IOBuffer) -> Bool {
        submit(lines.readable)
    }

    package func submit(_ lines: Span<UInt8>) -> Bool {
        if lines.isEmpty { return true }
        var isFirst = false
        let taken = queue.withLock { queue in
            guard !queue.ending.isClosed, queue.backlog + lines.count <= backlogBytesMax else {
                queue.status.linesRefused += 1
                return false
            }
            queue.lines.append(copying: lines)
            if queue.since == nil {
                queue.since = SystemClock.monotonic()
                isFirst = true
            }
            return true
        }
        if isFirst { queue.wake() }
        return taken
    }

    /// Hands over lines and returns when they are on disk, together with all that was handed over before.
    package func appendDurably(_ lines: [UInt8]) async throws(StoreError) {
        let failure: StoreError? = await withCheckedContinuation { continuation in
            let refusal = queue.withLock { queue -> StoreError? in
                if queue.ending.isClosed { return .closed }
                if let failure = queue.status.failure { return failure }
                if queue.backlog + lines.count > backlogBytesMax {
                    queue.status.linesRefused += 1
                    return .overloaded
                }
                queue.waiters.append(Waiter(lines: lines, continuation: continuation))
                queue.waitingBytes += lines.count
                return nil
            }
            if let refusal { continuation.resume(returning: refusal) } else { queue.wake() }
        }
        if let failure { throw failure }
    }

    /// Appends one entry and returns when it is on disk.
    package func appendDurably(_ entry: AuditEntry) async throws(StoreError) {
        try await appendDurably(entry.line)
    }

    /// Returns when all that was handed over before is on disk.
    package func flush() async throws(StoreError) { try await appendDurably([]) }

    package var status: Status {
        queue.withLock { queue in
            var status = queue.status
            status.backlogBytes = queue.backlog
            return status
        }
    }

    /// Writes what waits, notes the end and closes the files.
    package func close() async { await queue.close() }

    // MARK: - On the thread

    private enum Work {
        case batch([Waiter])
        case tick
        case close
    }

    private static func work(_ queue: Monitor<Queue>, _ writer: LogWriter, _ configuration: Configuration) {
        /// Swapped with the queue's buffer at each batch; holds what could not be written after a failure.
        var taken = IOBuffer(capacity: bufferBytes)
        var retryAt: MonotonicInstant?
        var failures = 0
        var isOpen = true
        while isOpen {
            let work: Work = queue.sleep { queue in
                next(&queue, &taken, headDue: writer.headSyncDue, retryAt: retryAt, configuration)
            }
            var failure: StoreError?
            var waiters: [Waiter] = []
            do throws(StoreError) {
                switch work {
                case .batch(let some):
                    waiters = some
                    try writer.write(taken, some.map(\.lines))
                case .tick where retryAt != nil:
                    try writer.resume(taken, failures: failures)
                case .tick:
                    try writer.syncHead()
                case .close:
                    isOpen = false
                    if !taken.isEmpty { try writer.write(taken, []) }
                    try writer.close()
                }
                // A rare large batch does not stay resident.
                if taken.capacity > 1 << 20 { taken = IOBuffer(capacity: bufferBytes) } else { taken.clear() }
                failures = 0
                retryAt = nil
            } catch {
                failure = error
                failures += 1
                retryAt = SystemClock.monotonic() + configuration.retryInterval
            }
            let keptBytes = taken.count
            queue.withLock { queue in
                queue.status.note(writer)
                queue.status.failure = failure
                queue.keptBytes = keptBytes
                if failure != nil { queue.status.failures += 1 }
                if case .batch = work, failure == nil { queue.status.batches += 1 }
            }
            for waiter in waiters { waiter.continuation.resume(returning: failure) }
        }
    }

    /// What there is to do now, or how long to sleep.
    private static func next(
        _ queue: inout Queue, _ taken: inout IOBuffer, headDue: MonotonicInstant?, retryAt: MonotonicInstant?,
        _ configuration: Configuration
    ) -> Monitor<Queue>.Look<Work> {
        let now = SystemClock.monotonic()
        if let retryAt, !queue.ending.isClosed {
            // Who came to wait before the failure was known is told of it by a batch of their own.
            if queue.waiters.isEmpty { return now < retryAt ? .wait(until: retryAt) : .done(.tick) }
        }
        if !queue.waiters.isEmpty || queue.since.map({ now >= $0 + configuration.batchInterval }) ?? false {
            queue.hand(to: &taken)
            let waiters = queue.waiters
            queue.waiters = []
            queue.waitingBytes = 0
            return .done(.batch(waiters))
        }
        if queue.ending.isClosed {
            queue.hand(to: &taken)
            return .done(.close)
        }
        if let headDue, now >= headDue { return .done(.tick) }
        let gathered = queue.since.map { $0 + configuration.batchInterval }
        return .wait(until: [gathered, headDue].compactMap(\.self).min())
    }

}
