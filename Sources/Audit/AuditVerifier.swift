import Bytes
import JSON

/// Reads segments in order and finds any line that was changed, dropped, moved, doubled or cut off.
///
/// Read the head first and the segments after it: then a log that is being written meanwhile is ahead of its head, which
/// is no fault. One segment is in memory at a time.
///
/// How a fault is named: where the number is the expected one, the line or the link before it was changed. Where it is
/// not, the line that follows decides: if that one has the number after the expected, a line was changed in place;
/// otherwise numbers that were skipped are missing until they turn up later (reordered), and a number already seen is a
/// duplicate. After a fault the check goes on from the link as it stands, so that one edit is one finding.
package struct AuditVerifier {
    private let keys: [AuditKey]
    private let head: AuditHead.Reading
    private var report = AuditReport()

    /// Number that the next segment must have; nil before the first.
    private var nextSegment: Int?
    private let firstSegment: Int
    private var lastFile = AuditSegment.headFileName
    private var sealed = false
    private var keyID = ""
    private var openedAt: WallInstant?
    /// Number of the last line in order, and its link; nil after a line whose link cannot be known.
    private var last = 0
    private var link: AuditDigest? = .zero
    /// Numbers skipped so far, with the place where the skip was seen.
    private var gaps: [(numbers: Range<Int>, file: String, line: Int)] = []
    private var linkAtHead: AuditDigest?
    private let hasher = AuditHasher()

    /// - Parameters:
    ///   - keys: those that headers, seals and head may be made with; with none, MACs are not checked.
    ///   - firstSegment: the oldest segment that must be there: more than 1 where older ones were archived.
    package init(keys: [AuditKey], head: AuditHead.Reading, firstSegment: Int = 1) {
        self.keys = keys
        self.head = head
        self.firstSegment = firstSegment
        report.isAuthenticated = !keys.isEmpty
        if case .head(let head, _) = head, head.chain.sequence == 0 { linkAtHead = .zero }
    }

    /// Checks one segment. Segments come in the order of their numbers.
    package mutating func read(segment number: Int, name: String, bytes: Span<UInt8>) {
        closeFile()
        let expected = nextSegment ?? firstSegment
        if number != expected {
            let gone = number == expected + 1 ? "segment \(expected) is" : "segments \(expected) to \(number - 1) are"
            find(.segment, name, 0, nil, number > expected ? "\(gone) gone" : "segment \(expected) expected")
            link = nil
        }
        report.segments += 1
        nextSegment = number + 1
        lastFile = name
        sealed = false

        var reader = LineReader(bytes: bytes)
        var line = reader.next()
        var lineNumber = 0
        while let current = line {
            let following = reader.next()
            lineNumber += 1
            let raw = bytes.extracting(current)
            if lineNumber == 1 { checkHeader(raw, segment: number) }
            check(raw, lineNumber: lineNumber, following: following.flatMap { AuditChainedLine(bytes.extracting($0)) })
            if report.findingsTotal == 0, gaps.isEmpty {
                report.intactEnd.segment = number
                report.intactEnd.offset = current.upperBound + 1
                report.intactEnd.lines = lineNumber
                report.intactEnd.chain = AuditChain(sequence: last, link: link ?? .zero)
                report.intactEnd.isSealed = sealed
                report.intactEnd.keyID = keyID
                report.intactEnd.openedAt = openedAt
            }
            line = following
        }
        report.lines += lineNumber
        report.tornBytes = bytes.count - reader.position
    }

    /// Checks what only the end can tell, and gives the report.
    package consuming func finish() -> AuditReport {
        for gap in gaps {
            let count = gap.numbers.count
            let what = count == 1 ? "entry \(gap.numbers.lowerBound) is" : "\(count) entries are"
            find(.missing, gap.file, gap.line, gap.numbers.lowerBound, "\(what) gone before this line")
        }
        report.lastSequence = last
        if report.tornBytes > 0 {
            report.notes.append(
                "\(lastFile): the last \(report.tornBytes) bytes are an unfinished line, as a crash leaves it")
        }
        checkHead()
        report.findings.sort { ($0.file, $0.line) < ($1.file, $1.line) }
        return report
    }

    // MARK: - Lines

    private mutating func check(_ raw: Span<UInt8>, lineNumber: Int, following: AuditChainedLine?) {
        if sealed { find(.seal, lastFile, lineNumber, nil, "a line follows the seal") }
        let expected = last + 1
        guard let line = AuditChainedLine(raw) else {
            find(.changed, lastFile, lineNumber, expected, "this line does not end with a number and a link")
            if following?.sequence == expected + 1 {
                last = expected
                link = nil
            }
            return
        }
        if line.sequence == expected {
            if let link, hasher.link(after: link, raw.extracting(0..<line.covered)) != line.link {
                find(
                    .changed, lastFile, lineNumber, expected,
                    "this line, or the link at the end of the line before, is not as it was written")
            }
            if raw.hasPrefix(AuditSegment.sealStart) { checkSeal(raw, line: line, lineNumber: lineNumber) }
        } else if following?.sequence == expected + 1 {
            find(.changed, lastFile, lineNumber, expected, "this line says it is number \(line.sequence)")
            last = expected
            link = nil
            return
        } else if line.sequence > expected {
            gaps.append((expected..<line.sequence, lastFile, lineNumber))
        } else {
            if fill(gapWith: line.sequence) {
                find(.reordered, lastFile, lineNumber, line.sequence, "this line was written before those above it")
            } else {
                find(.duplicated, lastFile, lineNumber, line.sequence, "an entry with this number stands further up")
            }
            return
        }
        if report.firstSequence == 0 { report.firstSequence = line.sequence }
        last = line.sequence
        link = line.link
        if case .head(let head, _) = head, head.chain.sequence == line.sequence { linkAtHead = line.link }
    }

    /// Takes a number out of the gaps; false when it is in none.
    private mutating func fill(gapWith sequence: Int) -> Bool {
        guard let i = gaps.firstIndex(where: { $0.numbers.contains(sequence) }) else { return false }
        let gap = gaps.remove(at: i)
        for rest in [gap.numbers.lowerBound..<sequence, sequence + 1..<gap.numbers.upperBound] where !rest.isEmpty {
            gaps.append((rest, gap.file, gap.line))
        }
        return true
    }

    // MARK: - Headers, seals, head

    private mutating func checkHeader(_ raw: Span<UInt8>, segment: Int) {
        guard raw.hasPrefix(AuditSegment.headerStart), let line = AuditChainedLine(raw),
            let json = try? JSONValue.parse(raw),
            let previous = json["previous"]?.string.flatMap({ AuditDigest(text: $0.utf8.span) })
        else { return find(.segment, lastFile, 1, nil, "the segment does not begin with its header") }
        keyID = json["key"]?.string ?? ""
        openedAt = json["time"]?.string.flatMap { WallInstant($0) }
        if json["format"]?.int != AuditSegment.format {
            find(.segment, lastFile, 1, line.sequence, "this format is not known to this version")
        }
        if json["segment"]?.int != segment {
            find(.segment, lastFile, 1, line.sequence, "the header is of another segment than the file's name says")
        }
        if report.segments == 1, segment > 1 {
            // What came before was archived: the header, which the MAC covers, says where the chain stood.
            last = line.sequence - 1
            link = previous
            if case .head(let head, _) = head, head.chain.sequence == last { linkAtHead = previous }
        } else if let link, link != previous {
            find(.segment, lastFile, 1, line.sequence, "the header does not follow from the segment before")
        }
        checkMAC(raw, line, json, domain: AuditSegment.headerDomain, link: previous, lineNumber: 1, kind: .segment)
    }

    private mutating func checkSeal(_ raw: Span<UInt8>, line: AuditChainedLine, lineNumber: Int) {
        sealed = true
        guard let json = try? JSONValue.parse(raw), json["lines"]?.int == lineNumber - 1 else {
            return find(.seal, lastFile, lineNumber, line.sequence, "the seal speaks of another number of lines")
        }
        guard let link else { return }
        checkMAC(raw, line, json, domain: AuditSegment.sealDomain, link: link, lineNumber: lineNumber, kind: .seal)
    }

    private mutating func checkMAC(
        _ raw: Span<UInt8>, _ line: AuditChainedLine, _ json: JSONValue, domain: StaticString, link: AuditDigest,
        lineNumber: Int, kind: AuditFinding.Kind
    ) {
        if keys.isEmpty { return }
        guard let key = keys.first(where: { $0.id == json["key"]?.string }) else {
            let name = json["key"]?.string ?? "none"
            return find(kind, lastFile, lineNumber, line.sequence, "made with a key (\(name)) that was not given")
        }
        let end = line.submitted - AuditSegment.macTail
        guard end > 0, let mac = json["mac"]?.string.flatMap({ AuditDigest(text: $0.utf8.span) }),
            key.mac(domain, link: link, raw.extracting(0..<end)).bytes.span.equalsInConstantTime(mac.bytes.span)
        else { return find(kind, lastFile, lineNumber, line.sequence, "its MAC is wrong") }
    }

    /// What must hold of a file that another one follows.
    private mutating func closeFile() {
        guard report.segments > 0 else { return }
        if report.tornBytes > 0 {
            find(
                .changed, lastFile, 0, nil, "\(report.tornBytes) bytes after the last line, and another segment follows"
            )
        } else if !sealed {
            find(.seal, lastFile, 0, nil, "the segment is not sealed, and another one follows")
        }
        report.tornBytes = 0
    }

    private mutating func checkHead() {
        let file = AuditSegment.headFileName
        switch head {
        case .missing:
            if report.segments > 0 { find(.head, file, 0, nil, "the file is gone: nothing says where the log ends") }
        case .damaged:
            find(.head, file, 0, nil, "the file is not as it was written, or made with a key that was not given")
        case .head(let head, let torn):
            if torn { report.notes.append("\(file): the older slot is torn, as a power failure may leave it") }
            let sequence = head.chain.sequence
            if sequence > last {
                let first = last + 1
                let gone = first == sequence ? "entry \(first) is" : "entries \(first) to \(sequence) are"
                find(.cut, lastFile, 0, sequence, "\(gone) gone from the end of the log")
            } else if linkAtHead != head.chain.link {
                find(.head, file, 0, sequence, "the entries do not lead to the link that the head attests")
            } else if sequence < last {
                report.notes.append(
                    "\(file): \(last - sequence) lines follow the one that the head attests: "
                        + "written meanwhile, or just before a crash")
            }
        }
    }

    private mutating func find(
        _ kind: AuditFinding.Kind, _ file: String, _ line: Int, _ sequence: Int?, _ detail: String
    ) {
        report.findingsTotal += 1
        guard report.findings.count < AuditReport.findingsMax else { return }
        report.findings.append(
            AuditFinding(kind: kind, file: file, line: line, sequence: sequence, detail: detail))
    }
}

/// Ranges of the lines that end with a line end, without it.
private struct LineReader: ~Escapable {
    let bytes: Span<UInt8>
    /// Offset of the first byte that is in no line yet.
    var position = 0

    @_lifetime(copy bytes)
    init(bytes: Span<UInt8>) { self.bytes = bytes }

    @_lifetime(self: copy self)
    mutating func next() -> Range<Int>? {
        guard let end = bytes.firstLineFeed(from: position) else { return nil }
        defer { position = end + 1 }
        return position..<end
    }
}
