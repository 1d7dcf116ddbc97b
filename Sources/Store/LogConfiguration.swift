import Audit
import Bytes

extension AppendLog {
    /// How an audit log is written.
    package struct Configuration: Sendable {
        /// Made where it is missing, with mode 0700.
        package var directory: String
        /// The first signs; the others are accepted for what was written before. Never empty.
        package var key: AuditKey
        package var formerKeys: [AuditKey] = []
        /// Size from which a segment is sealed and the next one begun, in bytes. Default 64 MiB.
        package var segmentBytesMax = 64 << 20
        /// Age from which a segment is sealed and the next one begun. Default 24 hours.
        package var segmentAgeMax: Nanoseconds = .hours(24)
        /// How long entries that nobody waits for are gathered before they are written. Default 5 ms: what a crash may
        /// cost of them.
        package var batchInterval: Nanoseconds = .milliseconds(5)
        /// Most bytes of entries that wait to be written; beyond it entries are refused. Default 8 MiB.
        package var backlogBytesMax = 8 << 20
        /// How long after a failure to write the next attempt is made. Default 1 s.
        package var retryInterval: Nanoseconds = .seconds(1)
        /// How long the head may be older on the disk (not in the file) than the log: what a power failure, not a
        /// crash, leaves unattested. Default 1 s.
        package var headSyncInterval: Nanoseconds = .seconds(1)

        var disk = Disk.real
        var now: @Sendable () -> WallInstant = SystemClock.wall

        package init(directory: String, key: AuditKey) {
            self.directory = directory
            self.key = key
        }

        var keys: [AuditKey] { [key] + formerKeys }
    }

    /// What the log is doing, for metrics and readiness.
    package struct Status: Sendable, Equatable {
        /// Why nothing can be written at the moment; nil while all is well.
        package var failure: StoreError?
        /// Number of the last entry on disk.
        package var sequence = 0
        package var segment = 0
        /// Bytes of entries that wait.
        package var backlogBytes = 0
        package var linesWritten = 0
        /// Entries that were refused because too many waited.
        package var linesRefused = 0
        /// Lines that were no JSON object and were dropped: a fault of this program.
        package var linesMalformed = 0
        package var batches = 0
        /// Times that writing failed.
        package var failures = 0

        mutating func note(_ writer: LogWriter) {
            sequence = writer.chain.sequence
            segment = writer.segment
            linesWritten = writer.linesWritten
            linesMalformed = writer.linesMalformed
        }
    }
}
