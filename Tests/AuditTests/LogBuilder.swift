import Bytes

@testable import Audit

/// A log in memory, written as the log writer writes it.
struct LogBuilder {
    static let key = makeKey("the audit key of the tests, 32+ bytes")

    static func makeKey(_ text: String) -> AuditKey {
        guard let key = AuditKey(secret: Array(text.utf8)) else { preconditionFailure("too short") }
        return key
    }

    private(set) var chain = AuditChain()
    private(set) var number = 0
    private var lines = 0
    private var current = IOBuffer(capacity: 4_096)
    private var closed: [[UInt8]] = []
    private let hasher = AuditHasher()
    private var time = WallInstant(seconds: 1_790_000_000)
    let key: AuditKey

    init(key: AuditKey = LogBuilder.key) {
        self.key = key
        open()
    }

    /// Segments of `perSegment` entries each, the last one open.
    static func log(entries: Int, perSegment: Int) -> LogBuilder {
        var log = LogBuilder()
        for i in 0..<entries {
            if i > 0, i % perSegment == 0 { log.rotate() }
            log.add(detail: "entry \(i)")
        }
        return log
    }

    mutating func add(detail: String) {
        time = time + .milliseconds(7)
        var entry = AuditEntry(time: time, kind: .outcome, requestID: "r\(chain.sequence)")
        entry.detail = detail
        let line = entry.line
        append(line.span.extracting(0..<line.count - 1))
    }

    mutating func append(_ object: Span<UInt8>) {
        chain.append(object, hasher: hasher, to: current)
        lines += 1
    }

    mutating func rotate() {
        let seal = AuditSegment.seal(number, lines: lines, after: chain, time: time, key: key)
        append(seal.span)
        closed.append(current.readable.array)
        open()
    }

    private mutating func open() {
        number += 1
        lines = 0
        current = IOBuffer(capacity: 4_096)
        let header = AuditSegment.header(number, after: chain, time: time, key: key)
        append(header.span)
    }

    var segments: [[UInt8]] { closed + [current.readable.array] }

    func headFile(generation: Int = 2) -> [UInt8] {
        let head = AuditHead(generation: generation, segment: number, chain: chain, time: time)
        var older = head
        older.generation = generation - 1
        let slots = [
            head.bytes(key: key), older.generation > 0 ? older.bytes(key: key) : [UInt8](repeating: 0, count: 512),
        ]
        return head.offset == 0 ? slots[0] + slots[1] : slots[1] + slots[0]
    }
}

/// Verifies segments that are numbered from `first`.
func verify(
    _ segments: [[UInt8]], head: [UInt8]?, keys: [AuditKey] = [LogBuilder.key], first: Int = 1
) -> AuditReport {
    var verifier = AuditVerifier(keys: keys, head: AuditHead.read(head, keys: keys), firstSegment: first)
    for (i, segment) in segments.enumerated() {
        verifier.read(segment: first + i, name: AuditSegment.fileName(first + i), bytes: segment.span)
    }
    return verifier.finish()
}

/// The lines of a segment, each with its line end.
func lines(_ segment: [UInt8]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var line: [UInt8] = []
    for byte in segment {
        line.append(byte)
        if byte == 10 {
            result.append(line)
            line = []
        }
    }
    if !line.isEmpty { result.append(line) }
    return result
}
