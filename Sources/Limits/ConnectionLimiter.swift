import Bytes
import Synchronization

/// Caps the connections open at once, in all and for each client address, and how fast one address may open new ones,
/// when they are accepted.
///
/// Shared by all reactors. Each entry of the counts has at least one open connection, so their memory is bounded by
/// `totalMax`; that of the rates by `ratesMax`.
package final class ConnectionLimiter: Sendable {
    package struct Configuration: Sendable {
        /// Most connections at once from one IPv4 address or one IPv6 /64 network. Default 256: a plant behind one
        /// address translator fits, a single host can't take all descriptors.
        package var perAddressMax = 256
        /// Most connections at once. Default 16,384: with two descriptors each well below the usual limit of 65,536.
        package var totalMax = 16_384
        /// New connections in a second from one address, on average; four times as many at once. 0 is without limit.
        package var perAddressRate = 0
        package init(perAddressMax: Int = 256, totalMax: Int = 16_384, perAddressRate: Int = 0) {
            self.perAddressMax = perAddressMax
            self.totalMax = totalMax
            self.perAddressRate = perAddressRate
        }
    }

    package enum Verdict: Equatable, Sendable {
        case admitted
        /// Admitted among the last sixteenth that there is room for.
        case crowded
        case tooManyFromAddress
        case tooFastFromAddress
        case tooMany
    }

    private struct Shard {
        var counts: [AddressKey: Int] = [:]
        var rates: RateTable
        /// Connections that were cut off for a flood.
        var floods: RateTable
    }

    /// Addresses whose rate is remembered. Beyond it the one is forgotten that has waited longest.
    private static let ratesMax = 65_536

    /// What a connection that had to be cut off for a flood costs its address, in connections of its rate: at 500 a second
    /// and 2,000 at once, ten floods at once and then five in two seconds. They are counted beside the connections, so
    /// that a connection's own share of the rate does not let the next flood in.
    package static let floodCost = 200

    private let configuration: Configuration
    private let total = Atomic<Int>(0)
    private let shards: InlineArray<16, Mutex<Shard>>
    private let interval: Nanoseconds

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        interval = configuration.perAddressRate > 0 ? .seconds(1) / Int64(configuration.perAddressRate) : 0
        shards = InlineArray { _ in
            Mutex(
                Shard(
                    rates: RateTable(keysMax: Self.ratesMax / 16), floods: RateTable(keysMax: Self.ratesMax / 16)))
        }
    }

    /// Counts a connection that was accepted. Unless it is admitted it isn't counted: close it, don't `release` it.
    package func admit(_ address: AddressKey, now: MonotonicInstant) -> Verdict {
        let all = total.wrappingAdd(1, ordering: .relaxed).newValue
        if all > configuration.totalMax {
            total.wrappingSubtract(1, ordering: .relaxed)
            return .tooMany
        }
        let verdict = shards[Self.shard(address)].withLock { shard -> Verdict in
            let count = shard.counts[address, default: 0]
            if count >= configuration.perAddressMax { return .tooManyFromAddress }
            if interval > 0 {
                if shard.floods.memoryBytes > 0,
                    case .refused = shard.floods.take(
                        Self.word(address), interval: floodInterval, tolerance: tolerance, now: now.nanoseconds,
                        charging: false)
                {
                    return .tooFastFromAddress
                }
                let outcome = shard.rates.take(
                    Self.word(address), interval: interval, tolerance: tolerance, now: now.nanoseconds, charging: true)
                if case .refused = outcome { return .tooFastFromAddress }
            }
            shard.counts[address] = count + 1
            return all > configuration.totalMax - configuration.totalMax / 16 ? .crowded : .admitted
        }
        switch verdict {
        case .admitted, .crowded: break
        default: total.wrappingSubtract(1, ordering: .relaxed)
        }
        return verdict
    }

    /// A connection of this address was cut off for a flood: its next ones have to wait. Nothing where rates are not kept.
    package func chargeFlood(_ address: AddressKey, now: MonotonicInstant) {
        guard interval > 0 else { return }
        shards[Self.shard(address)].withLock { shard in
            _ = shard.floods.take(
                Self.word(address), interval: floodInterval, tolerance: tolerance, now: now.nanoseconds, charging: true)
        }
    }

    /// Never more than what may come at once, or nobody could come at all.
    private var floodInterval: Nanoseconds { min(interval * Int64(Self.floodCost), tolerance) }

    private var tolerance: Nanoseconds { interval * Int64(configuration.perAddressRate) * 4 }

    private static func word(_ address: AddressKey) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(address)
        return UInt64(truncatingIfNeeded: hasher.finalize())
    }

    /// Takes back one that was admitted, exactly once.
    package func release(_ address: AddressKey) {
        let known = shards[Self.shard(address)].withLock { shard in
            guard let count = shard.counts[address] else { return false }
            shard.counts[address] = count > 1 ? count - 1 : nil
            return true
        }
        if known { total.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// Connections open now.
    package var count: Int { total.load(ordering: .relaxed) }

    /// Addresses with a connection open now.
    package var addresses: Int {
        var sum = 0
        for i in 0..<16 { sum += shards[i].withLock { $0.counts.count } }
        return sum
    }

    private static func shard(_ address: AddressKey) -> Int {
        Int(((address.high ^ address.low) &* 0x9E37_79B9_7F4A_7C15) >> 60)
    }
}
