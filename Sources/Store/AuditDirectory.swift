import Audit
import Bytes

/// An audit log at rest or being written, for those who read it: `millgate audit verify` and `show`.
package enum AuditDirectory {
    /// Numbers of the segments, in order.
    package static func segments(in directory: String) throws(StoreError) -> [Int] {
        try Files.names(in: directory).compactMap { AuditSegment.number(ofFileName: $0) }.sorted()
    }

    /// Checks every line. Reads one segment at a time.
    ///
    /// - Parameters:
    ///   - keys: those that the log was written with; with none, MACs are not checked.
    ///   - firstSegment: the oldest that must be there, where older ones were archived.
    package static func verify(
        _ directory: String, keys: [AuditKey], firstSegment: Int = 1
    ) throws(StoreError) -> AuditReport {
        // The head before the segments: a log that is written meanwhile is then ahead of its head.
        let head = AuditHead.read(try Files.read(directory + "/" + AuditSegment.headFileName), keys: keys)
        var verifier = AuditVerifier(keys: keys, head: head, firstSegment: firstSegment)
        for number in try segments(in: directory) where number >= firstSegment {
            let name = AuditSegment.fileName(number)
            guard let bytes = try Files.read(directory + "/" + name) else { continue }
            verifier.read(segment: number, name: name, bytes: bytes.span)
        }
        return verifier.finish()
    }

    /// Gives the lines in order, without their line ends, until `body` returns false. An unfinished last line is left out.
    package static func forEachLine(
        in directory: String, _ body: (_ file: String, _ line: Span<UInt8>) throws -> Bool
    ) throws {
        for number in try segments(in: directory) {
            let name = AuditSegment.fileName(number)
            guard let bytes = try Files.read(directory + "/" + name) else { continue }
            let span = bytes.span
            var start = 0
            while let end = span.firstIndex(of: 10, from: start) {
                if try !body(name, span.extracting(start..<end)) { return }
                start = end + 1
            }
        }
    }
}
