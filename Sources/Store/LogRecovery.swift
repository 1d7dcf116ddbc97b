import Audit
import Bytes

/// Finds where a log ends when it is opened, and refuses one that was tampered with.
///
/// What may be missing or broken after a crash lies behind the head: an unfinished line, lines of a batch that was not
/// synced, a new segment without header. Such a rest is cut off, and the log notes how much. Anything else, a log that
/// ends before its head above all, no crash can leave: the log is not opened, and a person has to look at it.
enum LogRecovery {
    struct Found {
        /// Where the writer goes on.
        var end: AuditReport.End
        var headGeneration: Int
        /// For the log's first new entry.
        var note: String
    }

    static func run(_ configuration: AppendLog.Configuration) throws(StoreError) -> Found {
        let directory = configuration.directory
        let headPath = directory + "/" + AuditSegment.headFileName
        let segments = try AuditDirectory.segments(in: directory)
        let reading = AuditHead.read(try Files.read(headPath), keys: configuration.keys)
        let head: AuditHead
        switch reading {
        case .head(let found, _):
            head = found
        case .missing where segments.isEmpty:
            head = try createHead(configuration, path: headPath)
        case .missing:
            throw .corrupt("\(headPath) is gone, and nothing else says where the audit log ends; \(advice)")
        case .damaged:
            throw .corrupt("\(headPath) is damaged or was made with a key that was not given; \(advice)")
        }
        guard let last = segments.last else {
            if head.chain.sequence > 0 { throw .corrupt("the segments of the audit log are gone; \(advice)") }
            return Found(
                end: AuditReport.End(), headGeneration: head.generation, note: "the log was opened for the first time")
        }
        var end = try check(last, head: reading, configuration)
        var removed = try Files.size(directory + "/" + AuditSegment.fileName(last)) - end.offset
        if end.segment == 0, last > 1 {
            // The file was made and the crash came before its header: the segment before it must be complete.
            end = try check(last - 1, head: reading, configuration)
            if !end.isSealed { throw .corrupt("\(AuditSegment.fileName(last - 1)) is not sealed; \(advice)") }
        }
        if end.chain.sequence < head.chain.sequence {
            throw .corrupt(
                "the audit log ends with entry \(end.chain.sequence), its head attests \(head.chain.sequence); \(advice)"
            )
        }
        if end.segment == 0 { removed = 0 }
        return Found(
            end: end, headGeneration: head.generation,
            note: "the log was opened; \(end.chain.sequence - head.chain.sequence) lines followed its head"
                + (removed > 0 ? "; \(removed) bytes of an unfinished write were removed" : ""))
    }

    private static let advice = "run `millgate audit verify`, then move the directory away to begin a new log"

    /// The end of the intact part of a segment, which must reach the head.
    private static func check(
        _ number: Int, head: AuditHead.Reading, _ configuration: AppendLog.Configuration
    ) throws(StoreError) -> AuditReport.End {
        let name = AuditSegment.fileName(number)
        guard let bytes = try Files.read(configuration.directory + "/" + name) else {
            throw .corrupt("\(name) is gone; \(advice)")
        }
        var verifier = AuditVerifier(keys: configuration.keys, head: head, firstSegment: number)
        verifier.read(segment: number, name: name, bytes: bytes.span)
        let report = verifier.finish()
        // A file without one whole line is one that a crash left new; the caller looks at the segment before it.
        if report.lines == 0 { return AuditReport.End() }
        if report.isIntact { return report.intactEnd }
        guard case .head(let head, _) = head, report.intactEnd.segment == number,
            report.intactEnd.chain.sequence >= head.chain.sequence,
            !report.findings.contains(where: { $0.kind == .head || $0.kind == .cut })
        else {
            let first = report.findings.first?.description ?? name
            throw .corrupt("\(first) (\(report.findingsTotal) findings); \(advice)")
        }
        return report.intactEnd
    }

    /// The head of a log without a line, on disk before the first segment is: a log without head is one that lost it.
    private static func createHead(
        _ configuration: AppendLog.Configuration, path: String
    ) throws(StoreError) -> AuditHead {
        let head = AuditHead(generation: 1, segment: 0, chain: AuditChain(), time: configuration.now())
        let file = try DiskFile(path + ".new", disk: configuration.disk)
        try file.truncate(to: 0)
        try file.write(
            head.bytes(key: configuration.key) + [UInt8](repeating: 0, count: AuditHead.slotBytes), at: 0)
        try file.sync()
        try Files.rename(path + ".new", path)
        try Files.syncDirectory(configuration.directory)
        return head
    }
}
