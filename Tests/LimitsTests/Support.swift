import Bytes
import Limits

extension MonotonicInstant {
    static func seconds(_ n: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: .seconds(n)) }
    static func milliseconds(_ n: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: .milliseconds(n)) }
}

/// Steps of a simulation: many where the code is optimised, enough where it isn't.
func steps(_ many: Int) -> Int {
    #if DEBUG
        many / 40
    #else
        many
    #endif
}

let hasher = LimitKeyHasher(secret: 1, 2)
