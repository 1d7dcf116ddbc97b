// Simulation: the network and the clock in which the real drivers run, step by step, from one seed.
//
// It knows bytes in flight, readiness and time, and nothing of what the bytes mean: clients and servers are scripts of the
// tests. It must never be imported by a room of Sources.
//
// What it plays: bytes that arrive in pieces of any size, writes that are taken in part, readiness that is told late, in
// another order, or for nothing, ends and resets at any moment, connections that fail, and a clock that jumps. All of it is
// drawn from the seed, so that a run can be repeated to the byte: `SIMULATION_SEED=N` runs that one alone.
import Bytes

/// SplitMix64: everything that chance decides in a run.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// From 0 to `bound` - 1.
    package mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() % UInt64(bound)) }

    /// Once in so many times.
    package mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }
}
