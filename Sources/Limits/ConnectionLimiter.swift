import Synchronization

/// Caps the connections open at once, in all and for each client address, when they are accepted.
///
/// Shared by all reactors. Each entry has at least one open connection, so the memory is bounded by `totalMax`.
package final class ConnectionLimiter: Sendable {
    package struct Configuration: Sendable {
        /// Most connections at once from one IPv4 address or one IPv6 /64 network. Default 256: a plant behind one
        /// address translator fits, a single host can't take all descriptors.
        package var perAddressMax = 256
        /// Most connections at once. Default 16,384: with two descriptors each well below the usual limit of 65,536.
        package var totalMax = 16_384
        package init(perAddressMax: Int = 256, totalMax: Int = 16_384) {
            self.perAddressMax = perAddressMax
            self.totalMax = totalMax
        }
    }

    package enum Verdict: Equatable, Sendable {
        case admitted
        case tooManyFromAddress
        case tooMany
    }

    private let configuration: Configuration
    private let total = Atomic<Int>(0)
    private let shards: InlineArray<16, Mutex<[AddressKey: Int]>>

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        shards = InlineArray { _ in Mutex([:]) }
    }

    /// Counts a connection that was accepted. Unless it is admitted it isn't counted: close it, don't `release` it.
    package func admit(_ address: AddressKey) -> Verdict {
        if total.wrappingAdd(1, ordering: .relaxed).newValue > configuration.totalMax {
            total.wrappingSubtract(1, ordering: .relaxed)
            return .tooMany
        }
        let perAddressMax = configuration.perAddressMax
        let admitted = shards[Self.shard(address)].withLock { counts in
            let count = counts[address, default: 0]
            if count >= perAddressMax { return false }
            counts[address] = count + 1
            return true
        }
        if admitted { return .admitted }
        total.wrappingSubtract(1, ordering: .relaxed)
        return .tooManyFromAddress
    }

    /// Takes back one that was admitted, exactly once.
    package func release(_ address: AddressKey) {
        let known = shards[Self.shard(address)].withLock { counts in
            guard let count = counts[address] else { return false }
            counts[address] = count > 1 ? count - 1 : nil
            return true
        }
        if known { total.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// Connections open now.
    package var count: Int { total.load(ordering: .relaxed) }

    /// Addresses with a connection open now.
    package var addresses: Int {
        var sum = 0
        for i in 0..<16 { sum += shards[i].withLock { $0.count } }
        return sum
    }

    private static func shard(_ address: AddressKey) -> Int {
        Int(((address.high ^ address.low) &* 0x9E37_79B9_7F4A_7C15) >> 60)
    }
}
