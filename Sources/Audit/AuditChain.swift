import Bytes

/// The place in the log where the next line goes, and how lines are chained.
///
/// A line as submitted is `{…}`. On disk it is `{…,"seq":N,"chain":"L"}`: `N` counts all lines of the log from 1, segment
/// headers and seals among them, and
///
///     L(N) = SHA-256( L(N-1) ‖ every byte of line N before `,"chain":` )
///
/// in base64url, over the 32 raw bytes of the link before; `L(0)` is 32 zero bytes. Number and link have a fixed place at
/// the end of the line, so that the bytes covered are those on disk and no JSON needs to be written the same way twice.
package struct AuditChain: Sendable, Equatable {
    /// Number of the last line; 0 before the first.
    package private(set) var sequence: Int
    /// Link of the last line.
    package private(set) var link: AuditDigest

    package init(sequence: Int = 0, link: AuditDigest = .zero) {
        self.sequence = sequence
        self.link = link
    }

    /// Appends `object`, completed with its number and link, and a line end.
    ///
    /// - Parameter object: one JSON object with at least one member, without line end.
    package mutating func append(_ object: Span<UInt8>, hasher: AuditHasher, to out: IOBuffer) {
        var sink = out
        let start = out.count
        sequence += 1
        out.append(copying: object.extracting(0..<object.count - 1))
        sink.append(",\"seq\":")
        sink.append(decimal: sequence)
        link = hasher.link(after: link, out.readable.extracting(start..<out.count))
        sink.append(",\"chain\":\"")
        link.appendText(to: &sink)
        sink.append("\"}\n")
    }
}

/// A line of the log taken apart, without reading it as JSON.
struct AuditChainedLine {
    let sequence: Int
    let link: AuditDigest
    /// Bytes that the link covers: everything before `,"chain":`.
    let covered: Int
    /// Bytes before `,"seq":`: the object as submitted, without its closing brace.
    let submitted: Int

    /// `,"chain":"`, 43 characters, `"}`.
    private static let tail = 10 + AuditDigest.textCount + 2

    /// Nil when the line does not end as every line does.
    init?(_ line: Span<UInt8>) {
        covered = line.count - Self.tail
        guard covered > 0, line.extracting(covered..<covered + 10).equals(",\"chain\":\""),
            line.extracting(line.count - 2..<line.count).equals("\"}"),
            let link = AuditDigest(text: line.extracting(covered + 10..<line.count - 2))
        else { return nil }
        var digits = covered
        while digits > 0, line[digits - 1] &- 48 < 10 { digits -= 1 }
        // A second text for one number would be a second line with the same meaning.
        guard digits >= 7 + 2, digits < covered, line[digits] != 48,
            line.extracting(digits - 7..<digits).equals(",\"seq\":"), line[0] == UInt8(ascii: "{"),
            let sequence = line.extracting(digits..<covered).decimal
        else { return nil }
        self.sequence = sequence
        self.link = link
        submitted = digits - 7
    }
}
