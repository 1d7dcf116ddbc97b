import Audit
import Foundation

/// Reads the lines of an audit log in order, and goes on where it stopped when more were written.
struct AuditTail {
    private let directory: String
    private var segment = 0
    private var offset: UInt64 = 0

    init(_ directory: String) { self.directory = directory }

    /// Gives each whole line that is new.
    mutating func forEachNew(_ body: ([UInt8]) -> Void) throws {
        let numbers = try FileManager.default.contentsOfDirectory(atPath: directory)
            .compactMap { AuditSegment.number(ofFileName: $0) }.sorted()
        for number in numbers where number >= segment {
            if number > segment {
                segment = number
                offset = 0
            }
            try readOn(body)
        }
    }

    private mutating func readOn(_ body: ([UInt8]) -> Void) throws {
        let path = directory + "/" + AuditSegment.fileName(segment)
        guard let handle = FileHandle(forReadingAtPath: path) else { return }
        defer { try? handle.close() }
        try handle.seek(toOffset: offset)
        var rest: [UInt8] = []
        while let block = try handle.read(upToCount: 1 << 20), !block.isEmpty {
            rest += block
            var start = 0
            while let end = rest[start...].firstIndex(of: 10) {
                offset += UInt64(end - start + 1)
                body(Array(rest[start..<end]))
                start = end + 1
            }
            rest.removeFirst(start)
        }
    }
}
