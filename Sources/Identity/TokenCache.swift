import Bytes

/// Remembers what verified tokens meant, so that the second request with a token costs a hash and a comparison instead
/// of a signature check. One per reactor, not Sendable, bounded in entries and in bytes.
///
/// The key is the whole token, compared in full: a token that differs in one byte is another token. A value counts
/// until its expiry and only for the generation it was stored under, which the gateway raises when keys, issuers or
/// revocations change. Only tokens that were verified may be stored, so strangers cannot fill it.
package final class TokenCache<Value> {
    @usableFromInline package final var table: TokenTable
    @usableFromInline package final var values: [Value?] = []

    /// - Parameters:
    ///   - entriesMax: most tokens. Default 8,192: one for each user of a large plant.
    ///   - bytesMax: most bytes of tokens, each counted with 128 bytes on top. Default 8 MiB.
    ///   - seed: a random number, so that nobody can prepare tokens that share a place.
    package init(entriesMax: Int = 8_192, bytesMax: Int = 8 << 20, seed: UInt64) {
        table = TokenTable(entriesMax: entriesMax, bytesMax: bytesMax, seed: seed)
    }

    package final var count: Int { table.count }
    /// Bytes held, as counted against `bytesMax`.
    package final var bytes: Int { table.bytes }

    /// The value stored for exactly these bytes under this generation, unless it has expired. Allocates nothing.
    @inlinable
    package final func value(for token: Span<UInt8>, now: WallInstant, generation: UInt64) -> Value? {
        switch table.find(token, now: now, generation: generation) {
        case .hit(let place): return values[place]
        case .stale(let place):
            values[place] = nil
            return nil
        case .miss: return nil
        }
    }

    /// Stores the value of a token that was just verified.
    ///
    /// - Parameter expires: the first instant at which it counts no more: `Principal.expires`.
    @inlinable
    package final func store(
        _ value: Value, for token: Span<UInt8>, now: WallInstant, expires: WallInstant, generation: UInt64
    ) {
        guard now < expires else { return }
        // Whatever was known of it goes first, so that a token has one place only.
        let known = table.find(token, now: WallInstant(nanoseconds: .max), generation: generation)
        if case .stale(let place) = known { values[place] = nil }
        let place = table.add(token, expires: expires, generation: generation) { values[$0] = nil }
        guard let place else { return }
        if place == values.count { values.append(nil) }
        values[place] = value
    }

    /// Forgets everything and gives the memory back.
    package final func removeAll() {
        table.removeAll()
        values.removeAll()
    }
}
