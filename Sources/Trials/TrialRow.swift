/// What came of the trial of one service.
package struct TrialRow: Sendable {
    package enum Verdict: String, Sendable {
        case passed = "ok"
        case failed
        /// Nobody wrote a trial for this service.
        case missing = "no trial"
    }

    package let operation: String
    package let verdict: Verdict
    /// Of the call itself, in milliseconds.
    package let milliseconds: Int
    /// What was seen, or what was wrong.
    package let detail: String

    package var text: String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        let time = verdict == .missing ? "" : "\(milliseconds) ms"
        return padded(operation, 34) + padded(verdict.rawValue, 9) + padded(time, 9) + detail
    }
}
