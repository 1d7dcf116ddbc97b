import Audit
import Bytes

/// Writes the segments and the head of an audit log. Lives on the log's thread.
///
/// `offset` and `chain` stand after the last line that is synced; they move only when a batch is on disk. After a failed
/// write the file is cut back to `offset` before anything else is written, because what lies behind it is unknown: after
/// a failed sync the system may have dropped pages and say that all is well the next time.
final class LogWriter {
    private let configuration: AppendLog.Configuration
    private let headFile: DiskFile
    private var file: DiskFile?
    private(set) var segment: Int
    private var lines: Int
    private var offset: Int
    private var isSealed: Bool
    private var openedAt: WallInstant
    private var headGeneration: Int
    private(set) var chain: AuditChain
    /// Whether bytes may lie behind `offset`.
    private var tailIsUnknown = false
    /// When the head was written and not synced since.
    private var headUnsyncedSince: MonotonicInstant?
    private var out = IOBuffer(capacity: 65_536)
    private let hasher = AuditHasher()
    private(set) var linesMalformed = 0
    private(set) var linesWritten = 0
    /// Whether the head could not be written after the last batch. It is then behind the log, which is no fault.
    private var headIsStale = false

    /// Opens the log where it ends, and notes in it what was found.
    init(_ configuration: AppendLog.Configuration) throws(StoreError) {
        self.configuration = configuration
        try Files.makeDirectory(configuration.directory)
        let found = try LogRecovery.run(configuration)
        headFile = try DiskFile(configuration.directory + "/" + AuditSegment.headFileName, disk: configuration.disk)
        headGeneration = found.headGeneration
        segment = found.end.segment
        lines = found.end.lines
        offset = found.end.offset
        chain = found.end.chain
        isSealed = found.end.isSealed
        openedAt = found.end.openedAt ?? configuration.now()
        if segment > 0, !isSealed {
            file = try DiskFile(
                configuration.directory + "/" + AuditSegment.fileName(segment), disk: configuration.disk)
            tailIsUnknown = true
        }
        if segment == 0 || isSealed || found.end.keyID != configuration.key.id { try rotate() }
        try write(nil, [note(found.note)])
        try syncHead()
    }

    /// Numbers, chains, writes and syncs lines: those of `plain`, then each of `more`. All of them or, by throwing, none.
    func write(_ plain: IOBuffer?, _ more: [[UInt8]]) throws(StoreError) {
        if isSealed || offset >= configuration.segmentBytesMax || isOld { try rotate() }
        out.clear()
        var next = chain
        var count = 0
        if let plain {
            // Once, instead of growing by halves; a line takes about as much again as its number and link.
            out.makeRoom(plain.count + plain.count / 8 + 4_096)
            count += chainLines(plain.readable, &next)
        }
        for bytes in more { count += chainLines(bytes.span, &next) }
        if count > 0 { try put(next, lines: count) }
        linesWritten += count
        if out.capacity > 1 << 20 { out = IOBuffer(capacity: 65_536) }
    }

    /// After a failure: notes that there was one, and so tries whether writing works again.
    func resume(_ plain: IOBuffer, failures: Int) throws(StoreError) {
        try write(plain, [note("writing failed \(failures) times; entries that somebody waited for were refused")])
    }

    /// Whether the head should be synced by now, or when it should be.
    var headSyncDue: MonotonicInstant? { headUnsyncedSince.map { $0 + configuration.headSyncInterval } }

    func syncHead() throws(StoreError) {
        try headFile.sync()
        headUnsyncedSince = nil
    }

    func close() throws(StoreError) {
        try write(nil, [note("the log was closed")])
        try syncHead()
    }

    // MARK: - Segments

    private var isOld: Bool { lines > 1 && configuration.now() - openedAt >= configuration.segmentAgeMax }

    /// Seals the segment, if one is open, and begins the next. May be called again after it has thrown.
    private func rotate() throws(StoreError) {
        let now = configuration.now()
        if file != nil, !isSealed {
            let seal = AuditSegment.seal(segment, lines: lines, after: chain, time: now, key: configuration.key)
            out.clear()
            var next = chain
            next.append(seal.span, hasher: hasher, to: out)
            try put(next, lines: 1)
            isSealed = true
        }
        // The head attests the seal on disk before the next file exists, so that a head is never behind a whole file.
        if headIsStale { try writeHead() }
        if segment > 0 { try syncHead() }
        let path = configuration.directory + "/" + AuditSegment.fileName(segment + 1)
        let fresh = try DiskFile(path, disk: configuration.disk)
        try fresh.truncate(to: 0)
        out.clear()
        var next = chain
        let header = AuditSegment.header(segment + 1, after: chain, time: now, key: configuration.key)
        next.append(header.span, hasher: hasher, to: out)
        try fresh.write(out, at: 0)
        try fresh.sync()
        try Files.syncDirectory(configuration.directory)
        file = fresh
        segment += 1
        chain = next
        offset = out.count
        lines = 1
        isSealed = false
        tailIsUnknown = false
        openedAt = now
        headIsStale = (try? writeHead()) == nil
    }

    /// Writes what is in `out` behind the synced lines.
    private func put(_ next: AuditChain, lines count: Int) throws(StoreError) {
        guard let file else { throw .closed }
        if tailIsUnknown { try file.truncate(to: offset) }
        tailIsUnknown = true
        try file.write(out, at: offset)
        try file.sync()
        tailIsUnknown = false
        offset += out.count
        chain = next
        lines += count
        // The lines are on disk whether or not the head follows.
        headIsStale = (try? writeHead()) == nil
    }

    private func writeHead() throws(StoreError) {
        // Counted on only when written: a slot that tore is written again before the other one is touched.
        let head = AuditHead(
            generation: headGeneration + 1, segment: segment, chain: chain, time: configuration.now())
        try headFile.write(head.bytes(key: configuration.key), at: head.offset)
        headGeneration += 1
        headIsStale = false
        if headUnsyncedSince == nil { headUnsyncedSince = SystemClock.monotonic() }
    }

    // MARK: - Lines

    private func chainLines(_ bytes: Span<UInt8>, _ chain: inout AuditChain) -> Int {
        var count = 0
        var start = 0
        while let end = bytes.firstLineFeed(from: start) {
            let object = bytes.extracting(start..<end)
            start = end + 1
            guard object.count > 2, object[0] == UInt8(ascii: "{"), object[object.count - 1] == UInt8(ascii: "}") else {
                linesMalformed += 1
                continue
            }
            chain.append(object, hasher: hasher, to: out)
            count += 1
        }
        if start < bytes.count { linesMalformed += 1 }
        return count
    }

    private func note(_ text: String) -> [UInt8] {
        var entry = AuditEntry(time: configuration.now(), kind: .admin)
        entry.detail = text
        return entry.line
    }
}
