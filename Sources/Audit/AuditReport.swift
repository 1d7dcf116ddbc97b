import Bytes

/// Something wrong with the log, and where.
package struct AuditFinding: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// A line, or the link before it, is not as it was written.
        case changed
        /// Lines between two others are gone.
        case missing
        /// A line stands where it was not written.
        case reordered
        /// A line stands here a second time.
        case duplicated
        /// Lines at the end are gone.
        case cut
        /// A whole file is gone, or its header is not what was written.
        case segment
        /// A closed file does not end with its seal, or the seal is not what was written.
        case seal
        /// The head is gone, is not what was written, or attests another history.
        case head
    }

    package var kind: Kind
    package var file: String
    /// Line in the file from 1; 0 for the file as a whole.
    package var line: Int
    /// Number of the entry, where it is known.
    package var sequence: Int?
    /// What is wrong, in words.
    package var detail: String

    package var description: String {
        let place = line > 0 ? "\(file):\(line)" : file
        let entry = sequence.map { " seq \($0):" } ?? ""
        return "\(place):\(entry) \(kind.rawValue): \(detail)"
    }
}

/// What a verification found.
package struct AuditReport: Sendable, Equatable {
    /// Most findings kept; further ones are counted in `findingsTotal`.
    package static let findingsMax = 1_000

    /// How far the log is intact: where a writer may go on.
    package struct End: Sendable, Equatable {
        /// Segment of the last intact line; 0 when there is none.
        package var segment = 0
        /// Bytes of that segment up to and including that line.
        package var offset = 0
        /// Lines of that segment up to and including that line.
        package var lines = 0
        package var chain = AuditChain()
        /// Whether that line is the segment's seal.
        package var isSealed = false
        /// What the segment's header says of the key it was made with and of its time.
        package var keyID = ""
        package var openedAt: WallInstant?

        package init() {}
    }

    package var segments = 0
    /// Lines read, headers and seals included.
    package var lines = 0
    package var firstSequence = 0
    package var lastSequence = 0
    package var findings: [AuditFinding] = []
    package var findingsTotal = 0
    /// What a person should know and what is not wrong: a torn last line, lines after the head.
    package var notes: [String] = []
    /// Whether MACs were checked. Without a key only the chain is, which anybody can compute anew.
    package var isAuthenticated = false
    /// Bytes after the last line end of the last segment: a write that a crash cut short.
    package var tornBytes = 0
    package var intactEnd = End()

    package var isIntact: Bool { findingsTotal == 0 }
}
