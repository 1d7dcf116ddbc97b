import Bytes

/// Remembers what verified tokens meant, so that the second request with a token costs a hash and a comparison instead
/// of a signature check. One per reactor, not Sendable, bounded in entries and in bytes.
///
/// The key is the whole token, compared in full: a token that differs in one byte is another token. A value counts
/// until its expiry and only for the generation it was stored under, which the gateway raises when keys, issuers or
/// revocations change. Only tokens that were verified may be stored, so strangers cannot fill it.
///
/// Public so that the gateway's copy is specialised for its kind of value; unspecialised, a hit costs three times as much.
public final class TokenCache<Value> {
    /// In one value, because each access to a property of a class is checked for exclusivity.
    @usableFromInline struct Contents {
        @usableFromInline var table: TokenTable
        @usableFromInline var values: [Value?] = []

        @usableFromInline init(table: TokenTable) { self.table = table }

        @inlinable
        mutating func value(for token: Span<UInt8>, now: WallInstant, generation: UInt64) -> Value? {
            switch table.find(token, now: now, generation: generation) {
            case .hit(let place): return values[place]
            case .stale(let place):
                values[place] = nil
                return nil
            case .miss: return nil
            }
        }

        @inlinable
        mutating func store(
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
    }

    @usableFromInline final var contents: Contents

    /// - Parameters:
    ///   - entriesMax: most tokens. Default 8,192: one for each user of a large plant.
    ///   - bytesMax: most bytes of tokens, each counted with 128 bytes on top. Default 8 MiB.
    ///   - seed: a random number, so that nobody can prepare tokens that share a place.
    public init(entriesMax: Int = 8_192, bytesMax: Int = 8 << 20, seed: UInt64) {
        contents = Contents(table: TokenTable(entriesMax: entriesMax, bytesMax: bytesMax, seed: seed))
    }

    /// Tokens held.
    public final var count: Int { contents.table.count }
    /// Bytes held, as counted against `bytesMax`.
    public final var bytes: Int { contents.table.bytes }

    /// The value stored for exactly these bytes under this generation, unless it has expired. Allocates nothing.
    @inlinable
    public final func value(for token: Span<UInt8>, now: WallInstant, generation: UInt64) -> Value? {
        contents.value(for: token, now: now, generation: generation)
    }

    /// Stores the value of a token that was just verified.
    ///
    /// - Parameter expires: the first instant at which it counts no more: `Principal.expires`.
    @inlinable
    public final func store(
        _ value: Value, for token: Span<UInt8>, now: WallInstant, expires: WallInstant, generation: UInt64
    ) {
        contents.store(value, for: token, now: now, expires: expires, generation: generation)
    }

    /// Forgets everything and gives the memory back.
    public final func removeAll() {
        contents.table.removeAll()
        contents.values.removeAll()
    }
}
