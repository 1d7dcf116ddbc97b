import Bytes
import JSON
import Testing

@testable import Identity

@Suite struct RevocationTests {
    static let now = TestKeys.now

    static func entry(
        _ kind: Revocation.Kind, _ value: String, issuer: String? = TestKeys.issuer, before: Int64? = nil,
        expires: Int64? = nil
    ) throws -> Revocation {
        try Revocation(
            kind: kind, issuer: issuer, value: value, issuedBefore: before.map { now + .seconds($0) },
            expires: expires.map { now + .seconds($0) }, createdAt: now, createdBy: "anna", reason: "test")
    }

    static func principal(
        issuer: String = TestKeys.issuer, subject: String = "op", token: String? = "t1", client: String? = "mes",
        issued: Int64? = -10
    ) -> Principal {
        Principal(
            subject: subject, issuer: issuer, tokenID: token, clientID: client,
            issued: issued.map { now + .seconds($0) }, expires: now + .seconds(600),
            authentication: .bearer(keyID: "k1", algorithm: .es256))
    }

    @Test func eachKindFindsWhatItIsAboutAndNothingElse() throws {
        let others = [
            Self.principal(subject: "x", token: "x", client: "x"), Self.principal(issuer: "https://other.example"),
        ]
        for entry in [try Self.entry(.token, "t1"), try Self.entry(.subject, "op"), try Self.entry(.client, "mes")] {
            let list = RevocationList([entry])
            #expect(list.revocation(of: Self.principal()) == entry)
            for other in others { #expect(list.revocation(of: other) == nil, "\(entry.key)") }
        }
        // A value of one kind is not one of another.
        #expect(RevocationList([try Self.entry(.token, "op")]).revocation(of: Self.principal()) == nil)
    }

    @Test func withoutIssuerItIsAboutAll() throws {
        let list = RevocationList([try Self.entry(.subject, "op", issuer: nil)])
        #expect(list.revocation(of: Self.principal(issuer: "https://other.example")) != nil)
    }

    @Test(arguments: [(-11, true), (-10, true), (-9, false), (5, false)] as [(Int64, Bool)])
    func issuedBeforeSparesWhatCameLater(issued: Int64, isRevoked: Bool) throws {
        let before: Int64 = -9
        for entry in [
            try Self.entry(.subject, "op", before: before), try Self.entry(.issuer, "", before: before),
        ] {
            let found = RevocationList([entry]).revocation(of: Self.principal(issued: issued))
            #expect((found != nil) == isRevoked)
            #expect(RevocationList([entry]).revocation(of: Self.principal(issued: nil)) != nil, "it does not say when")
        }
    }

    @Test func aLaterEntryReplacesAnEarlierOneAndExpiredOnesGo() throws {
        var list = RevocationList()
        list.add(try Self.entry(.subject, "op", before: -100))
        list.add(try Self.entry(.subject, "op", expires: 60))
        #expect(list.count == 1)
        #expect(list.revocation(of: Self.principal()) != nil)
        let early = list.purge(now: Self.now + .seconds(59))
        let late = list.purge(now: Self.now + .seconds(60))
        #expect(early.isEmpty && late.count == 1)
        #expect(list.revocation(of: Self.principal()) == nil)
    }

    @Test func whatCannotBeMeantIsRefused() {
        #expect(throws: KeyError.self) { try Self.entry(.token, "") }
        #expect(throws: KeyError.self) { try Self.entry(.issuer, "", issuer: nil, before: 0) }
        #expect(throws: KeyError.self) { try Self.entry(.issuer, "") }
        #expect(throws: KeyError.self) { try Self.entry(.subject, "a\nb") }
        #expect(throws: KeyError.self) { try Self.entry(.subject, String(repeating: "a", count: 1_025)) }
    }
}
