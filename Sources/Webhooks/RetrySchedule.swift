import Bytes

/// When a delivery is tried again. (Standard Webhooks 1.0.0, "Retries")
package struct RetrySchedule: Sendable, Hashable {
    /// The pause before each attempt, counted from the end of the one before; the first is the pause before the first.
    package let pauses: [Nanoseconds]

    package static let standard = RetrySchedule(pauses: [
        0, .seconds(5), .minutes(5), .minutes(30), .hours(2), .hours(5), .hours(10), .hours(14), .hours(20), .hours(24),
    ])
    /// A pause is stretched by up to this part of itself, so that failures of one moment do not come back in one. 0.2.
    package static let jitterPercent: Int64 = 20

    package init(pauses: [Nanoseconds]) { self.pauses = pauses.isEmpty ? [0] : pauses }

    package var attemptsMax: Int { pauses.count }

    /// The pause after `attempts` of them failed; nil when that was the last.
    ///
    /// - Parameter salt: of the endpoint and the message: the same gives the same pause.
    package func pause(after attempts: Int, salt: UInt64) -> Nanoseconds? {
        guard attempts < pauses.count else { return nil }
        let pause = pauses[attempts]
        let chance = Self.mixed(salt &+ UInt64(attempts))
        return pause + Int64(chance >> 33) % (pause / 100 * Self.jitterPercent + 1)
    }

    /// SplitMix64's finisher: spreads neighbours far apart.
    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
