import Bytes
import JSON
import Testing

@testable import Identity

/// The machine that decides when an issuer's keys are fetched, over days of simulated time.
@Suite struct KeyRefreshTests {
    static let issuer = "https://id.example/realm"
    static let keysURL = "https://id.example/keys"

    static func at(_ seconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: .seconds(seconds)) }

    static func machine(metadata: Bool = false, change: (inout KeyRefresh.Settings) -> Void = { _ in }) -> KeyRefresh {
        var settings = KeyRefresh.Settings()
        change(&settings)
        let source: KeyRefresh.Source =
            metadata ? .metadata(urls: IssuerURL.metadata(of: issuer)) : .keys(url: keysURL)
        return KeyRefresh(issuer: issuer, source: source, settings: settings, now: at(0))
    }

    static func jwks(_ ids: [String]) -> [UInt8] {
        let members = ids.map { JSONValue.object(JWK.write(TestKeys.p256.publicKey, algorithm: .es256, id: $0)) }
        return JSONValue.object(JSONObject([("keys", .array(members))])).bytes
    }

    static func metadata(issuer: String = issuer, keys: String = keysURL) -> [UInt8] {
        JSONValue.object(JSONObject([("issuer", .string(issuer)), ("jwks_uri", .string(keys))])).bytes
    }

    @Test func theFirstFetchIsDueAtOnceAndOnlyOneAtATime() {
        var machine = Self.machine()
        #expect(machine.due(Self.at(0)) == .keys(url: Self.keysURL))
        #expect(machine.due(Self.at(1)) == nil && machine.wakeAt == nil)
        #expect(machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(1)) == true)
        #expect(machine.usableKeys(Self.at(1))?.key(id: "a") != nil)
    }

    @Test(
        arguments: [
            (nil, 900), (0, 60), (30, 60), (600, 600), (86_400, 900), (Int64.max, 900),
        ] as [(Int64?, Int64)])
    func cacheControlCountsWithinItsBounds(maxAge: Int64?, next: Int64) {
        var machine = Self.machine()
        _ = machine.due(Self.at(0))
        _ = machine.received(Self.jwks(["a"]), maxAge: maxAge, now: Self.at(10))
        #expect(machine.due(Self.at(9 + next)) == nil)
        #expect(machine.due(Self.at(10 + next)) != nil)
    }

    @Test func theSameKeysAgainAreNoChange() {
        var machine = Self.machine()
        _ = machine.due(Self.at(0))
        #expect(machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(0)) == true)
        _ = machine.due(Self.at(900))
        #expect(machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(900)) == false)
        _ = machine.due(Self.at(1_800))
        #expect(machine.received(Self.jwks(["a", "b"]), maxAge: nil, now: Self.at(1_800)) == true)
    }

    @Test func anUnknownKeyMakesAFetchDueButNotOften() {
        var machine = Self.machine()
        _ = machine.due(Self.at(0))
        #expect(machine.unknownKey(Self.at(1)) == true, "one is under way")
        _ = machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(1))
        #expect(machine.unknownKey(Self.at(29)) == false)
        #expect(machine.unknownKey(Self.at(30)) == true)
        #expect(machine.due(Self.at(30)) != nil)
        _ = machine.received(Self.jwks(["a", "b"]), maxAge: nil, now: Self.at(31))
        #expect(machine.usableKeys(Self.at(31))?.key(id: "b") != nil)
    }

    /// Ten thousand made-up ids a second for an hour.
    @Test func aFloodOfUnknownKeysFetchesTwiceAMinute() {
        var machine = Self.machine()
        var fetches = 0
        for second in Int64(0)..<3_600 {
            for _ in 0..<10 { _ = machine.unknownKey(Self.at(second)) }
            if machine.due(Self.at(second)) != nil {
                fetches += 1
                _ = machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(second))
            }
        }
        #expect(fetches <= 121 && fetches >= 100, "\(fetches)")
    }

    @Test func keysCountWhileTheIssuerIsAwayUntilTheyAreTooOld() {
        var machine = Self.machine { $0.staleMax = .hours(24) }
        _ = machine.due(Self.at(0))
        _ = machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(0))
        var now: Int64 = 0
        var tries = 0
        while now < 24 * 3_600 {
            if machine.due(Self.at(now)) != nil {
                tries += 1
                machine.failed("no answer", now: Self.at(now))
            }
            #expect(machine.usableKeys(Self.at(now)) != nil, "\(now)")
            now += 1
        }
        #expect(machine.isStale && machine.usableKeys(Self.at(now)) == nil)
        // One try a minute once the pauses have grown.
        #expect(tries > 1_300 && tries < 1_500, "\(tries)")
        _ = machine.due(Self.at(now + 60))
        #expect(machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(now + 60)) == true, "they count again")
        #expect(!machine.isStale && machine.lastFailure == nil)
    }

    @Test func metadataIsReadFirstAndAtBothPlaces() {
        var machine = Self.machine(metadata: true)
        #expect(machine.due(Self.at(0)) == .metadata(url: Self.issuer + "/.well-known/openid-configuration"))
        machine.failed("status 404", now: Self.at(0))
        let second = "https://id.example/.well-known/oauth-authorization-server/realm"
        #expect(machine.due(Self.at(2)) == .metadata(url: second))
        #expect(machine.received(Self.metadata(), maxAge: nil, now: Self.at(2)) == false)
        #expect(machine.due(Self.at(2)) == .keys(url: Self.keysURL))
        #expect(machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(3)) == true)
        // When the keys cannot be fetched any more they may have moved.
        #expect(machine.due(Self.at(903)) == .keys(url: Self.keysURL))
        machine.failed("status 404", now: Self.at(903))
        #expect(machine.due(Self.at(905)) == .metadata(url: second))
        #expect(machine.usableKeys(Self.at(905)) != nil)
    }

    @Test(arguments: [
        (metadata(issuer: "https://evil.example"), "issuer"), (metadata(issuer: issuer + "/"), "issuer"),
        (metadata(keys: "http://id.example/keys"), "https"), (metadata(keys: "file:///etc/keys"), "https"),
        (metadata(keys: "https:///keys"), "host"), (Array("[]".utf8), "object"), (Array("{".utf8), "object"),
        (Array("{\"issuer\":\"\(issuer)\"}".utf8), "jwks_uri"),
        ([UInt8](repeating: 0x20, count: IssuerMetadata.bytesMax + 1), "longer"),
    ])
    func metadataThatIsNotTheIssuersIsRefused(body: [UInt8], word: String) {
        var machine = Self.machine(metadata: true)
        _ = machine.due(Self.at(0))
        #expect(machine.received(body, maxAge: nil, now: Self.at(0)) == false)
        #expect(machine.failures == 1)
        #expect(machine.lastFailure?.contains(word) == true, "\(machine.lastFailure ?? "")")
    }

    @Test func anAnswerWithoutUsableKeysLeavesThoseThatAreKnown() {
        var machine = Self.machine()
        _ = machine.due(Self.at(0))
        _ = machine.received(Self.jwks(["a"]), maxAge: nil, now: Self.at(0))
        for body in [
            "", "{}", "{\"keys\":[]}", "<html>", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}]}",
        ] {
            _ = machine.due(machine.wakeAt ?? Self.at(0))
            let now = machine.wakeAt ?? Self.at(900)
            #expect(machine.received(Array(body.utf8), maxAge: nil, now: now) == false)
            #expect(machine.usableKeys(Self.at(1_000))?.key(id: "a") != nil, "\(body)")
        }
    }

    @Test func publishedSetsAreReadForgivinglyAndBounded() throws {
        let good = JWK.write(TestKeys.p256.publicKey, algorithm: .es256, id: "good")
        var secret = JSONObject([("kty", "oct"), ("alg", "HS256"), ("kid", "secret")])
        secret["k"] = .string(Base64URL.encode(TestKeys.secret))
        let odd: [JSONValue] = [
            .object(secret), "text", .object(JSONObject([("kty", "RSA"), ("n", "!")])), .object(good), .object(good),
        ]
        let body = JSONValue.object(JSONObject([("keys", .array(odd))])).bytes
        let set = try KeySet.parsePublished(body)
        #expect(set.keys.map(\.id) == ["good"])
        #expect(set.ignored.count == 4)
        let many = Self.jwks((0...KeySet.publishedKeysMax).map { "k\($0)" })
        #expect(throws: KeyError.self) { try KeySet.parsePublished(many) }
        #expect(throws: KeyError.self) {
            try KeySet.parsePublished([UInt8](repeating: 0x20, count: KeySet.publishedBytesMax + 1))
        }
    }

    @Test(
        arguments: [
            ("max-age=300", 300), ("public, max-age=60, must-revalidate", 60), ("MAX-AGE=\"5\"", 5), ("no-store", 0),
            ("no-cache, max-age=90", 0), ("max-age=99999999999999999999", Int64.max), ("max-age=-1", nil), ("", nil),
            ("private", nil),
        ] as [(String, Int64?)])
    func cacheControlIsReadAsWritten(field: String, expected: Int64?) {
        #expect(CacheControl.maxAge(field) == expected)
    }
}
