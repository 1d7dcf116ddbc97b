/// How far an operation has come.
///
///     accepted ──▶ dispatched ──▶ applied
///         │  │         │    ├───▶ rejected
///         │  │         │    └───▶ unknown ──▶ settled
///         │  └─────────┼────────▶ applied      (nothing was left to do)
///         └────────────┴────────▶ rejected     (nothing was sent)
///
/// Before anything that changes something is sent, the operation is `dispatched` on disk. So what is `accepted` after a
/// crash was certainly not sent and may be started, and what is `dispatched` may have happened and must be looked at.
package enum OperationState: String, Sendable, CaseIterable {
    /// Stored; nothing was sent.
    case accepted
    /// Something was sent, or is about to be.
    case dispatched
    /// Done, with the answer stored.
    case applied
    /// Refused; nothing was changed.
    case rejected
    /// Sent, and nobody can say whether it was done.
    case unknown
    /// Was unknown; somebody or something found out what happened.
    case settled

    /// Whether nothing more will happen: the stored answer is the last word, and retention may remove it.
    package var isFinal: Bool {
        switch self {
        case .applied, .rejected, .settled: true
        case .accepted, .dispatched, .unknown: false
        }
    }

    /// Whether an operation in this state may become `next`. The same state again is one more step in the journal.
    package func mayBecome(_ next: OperationState) -> Bool {
        switch (self, next) {
        case (.accepted, .accepted), (.accepted, .dispatched), (.accepted, .applied), (.accepted, .rejected): true
        case (.dispatched, .dispatched), (.dispatched, .applied), (.dispatched, .rejected), (.dispatched, .unknown):
            true
        case (.unknown, .unknown), (.unknown, .settled): true
        case (.accepted, _), (.dispatched, _), (.applied, _), (.rejected, _), (.unknown, _), (.settled, _): false
        }
    }

    /// Place in `allCases`.
    var index: Int {
        switch self {
        case .accepted: 0
        case .dispatched: 1
        case .applied: 2
        case .rejected: 3
        case .unknown: 4
        case .settled: 5
        }
    }
}
