import Bytes
import Seeded
import Testing

@testable import Identity

/// The cache from token bytes to what they meant.
struct TokenCacheTests {
    static let now = WallInstant(seconds: 1_790_000_000)
    static let later = WallInstant(seconds: 1_790_000_600)

    private func token(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func value(
        _ cache: TokenCache<Int>, _ token: [UInt8], now: WallInstant = now, generation: UInt64 = 1
    ) -> Int? {
        cache.value(for: token.span, now: now, generation: generation)
    }

    private func store(
        _ cache: TokenCache<Int>, _ value: Int, _ token: [UInt8], expires: WallInstant = later, generation: UInt64 = 1
    ) {
        cache.store(value, for: token.span, now: Self.now, expires: expires, generation: generation)
    }

    @Test func aStoredTokenIsFoundAndEveryOtherIsNot() {
        let cache = TokenCache<Int>(seed: 1)
        let known = token(String(repeating: "eyJhbGciOiJIUzI1NiJ9.", count: 38))
        #expect(value(cache, known) == nil)
        store(cache, 42, known)
        #expect(value(cache, known) == 42)
        for place in known.indices {
            var other = known
            other[place] ^= 1
            #expect(value(cache, other) == nil)
        }
        for count in 0..<known.count { #expect(value(cache, Array(known.prefix(count))) == nil) }
        #expect(value(cache, known + [0]) == nil)
        #expect(value(cache, known) == 42)
    }

    @Test func aValueCountsUntilTheInstantBeforeItsExpiry() {
        let cache = TokenCache<Int>(seed: 2)
        store(cache, 1, token("t"))
        #expect(value(cache, token("t"), now: Self.later + -1) == 1)
        #expect(value(cache, token("t"), now: Self.later) == nil)
        #expect(cache.count == 0)
        // Time that runs backwards does not bring it back.
        #expect(value(cache, token("t")) == nil)
        store(cache, 2, token("u"), expires: Self.now)
        #expect(cache.count == 0)
    }

    @Test func aValueOfAnotherGenerationIsDropped() {
        let cache = TokenCache<Int>(seed: 3)
        store(cache, 1, token("t"), generation: 1)
        #expect(value(cache, token("t"), generation: 2) == nil)
        #expect(value(cache, token("t"), generation: 1) == nil)
        store(cache, 2, token("t"), generation: 2)
        #expect(value(cache, token("t"), generation: 2) == 2)
    }

    @Test func storingAgainReplacesTheValue() {
        let cache = TokenCache<Int>(seed: 4)
        for round in 0..<100 { store(cache, round, token("t")) }
        #expect(cache.count == 1)
        #expect(value(cache, token("t")) == 99)
        cache.removeAll()
        #expect(cache.count == 0 && cache.bytes == 0 && value(cache, token("t")) == nil)
        store(cache, 5, token("t"))
        #expect(value(cache, token("t")) == 5)
    }

    @Test func entriesAndBytesAreBounded() {
        let entries = TokenCache<Int>(entriesMax: 64, seed: 5)
        for i in 0..<10_000 {
            store(entries, i, token("token-\(i)"))
            #expect(entries.count <= 64)
        }
        #expect(entries.count == 64)
        #expect(value(entries, token("token-9999")) == 9_999)

        let bytes = TokenCache<Int>(bytesMax: 10_000, seed: 6)
        for i in 0..<1_000 {
            store(bytes, i, token(String(repeating: "x", count: i) + "\(i)"))
            #expect(bytes.bytes <= 10_000)
        }
        let count = bytes.count
        store(bytes, 1, [UInt8](repeating: 1, count: 20_000))
        #expect(bytes.count == count)
        store(bytes, 1, [])
        #expect(value(bytes, []) == nil)
    }

    @Test func aTokenInUseOutlivesOthers() {
        let cache = TokenCache<Int>(entriesMax: 128, seed: 7)
        let busy = token("busy")
        store(cache, -1, busy)
        for i in 0..<5_000 {
            #expect(value(cache, busy) == -1)
            store(cache, i, token("once-\(i)"))
        }
    }

    /// The cache against a dictionary, with collisions of places forced by a small table.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func theCacheNeverAnswersWithWhatWasNotStored(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let cache = TokenCache<Int>(entriesMax: 16, bytesMax: 16 * 200, seed: seed)
        var model: [Int: (value: Int, expires: Int64, generation: UInt64)] = [:]
        var now: Int64 = 1_000
        var generation: UInt64 = 1
        var hits = 0
        for step in 0..<20_000 {
            let name = Int.random(in: 0..<24, using: &generator)
            let bytes = token(String(repeating: "a", count: name * 3 % 40) + "-\(name)")
            switch Int.random(in: 0..<20, using: &generator) {
            case 0: now += Int64.random(in: 0..<20, using: &generator)
            case 1: if step % 7 == 0 { generation += 1 }
            case 2..<8:
                let expires = now + Int64.random(in: -5..<100, using: &generator)
                cache.store(
                    step, for: bytes.span, now: WallInstant(nanoseconds: now),
                    expires: WallInstant(nanoseconds: expires), generation: generation)
                if expires > now { model[name] = (step, expires, generation) }
            default:
                let found = cache.value(
                    for: bytes.span, now: WallInstant(nanoseconds: now), generation: generation)
                guard let found else { continue }
                hits += 1
                guard let known = model[name] else {
                    Issue.record("a value that was never stored, seed \(seed), step \(step)")
                    return
                }
                #expect(known.value == found && known.expires > now && known.generation == generation)
            }
            #expect(cache.count <= 16 && cache.bytes <= 16 * 200)
        }
        #expect(hits > 2_000)
    }

    @Test func theHashDependsOnEveryByteOfTheEndOnTheLengthAndOnTheSeed() {
        var generator = SeededGenerator(seed: 9)
        for count in [0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 800] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let hash = TokenBytes.hash(bytes.span, seed: 11)
            #expect(TokenBytes.hash(bytes.span, seed: 12) != hash)
            let longer = bytes + [0]
            #expect(TokenBytes.hash(longer.span, seed: 11) != hash)
            for place in bytes.indices.suffix(TokenBytes.hashedMax) {
                var other = bytes
                other[place] ^= 0x40
                #expect(TokenBytes.hash(other.span, seed: 11) != hash)
            }
        }
    }

    /// Tokens that share the bytes which are hashed share a place, and nothing else.
    @Test func tokensWithTheSameEndAreToldApart() {
        let cache = TokenCache<Int>(entriesMax: 32, seed: 12)
        let end = [UInt8](repeating: 7, count: TokenBytes.hashedMax)
        let tokens = (0..<20).map { [UInt8(65 + $0), 46] + end }
        for (place, token) in tokens.enumerated() { store(cache, place, token) }
        for (place, token) in tokens.enumerated() { #expect(value(cache, token) == place) }
        #expect(value(cache, [64, 46] + end) == nil)
    }

    @Test func valuesAreReleasedWhenTheyGo() {
        final class Thing {}
        let cache = TokenCache<Thing>(entriesMax: 2, seed: 10)
        weak var first: Thing?
        do {
            let thing = Thing()
            first = thing
            let name = token("a")
            cache.store(thing, for: name.span, now: Self.now, expires: Self.later, generation: 1)
        }
        #expect(first != nil)
        for name in ["b", "c", "d"] {
            let bytes = token(name)
            cache.store(Thing(), for: bytes.span, now: Self.now, expires: Self.later, generation: 1)
        }
        #expect(first == nil)
    }
}
