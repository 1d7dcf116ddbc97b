/// Why a trial did not end as it should.
package struct TrialFailure: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
