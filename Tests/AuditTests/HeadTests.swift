import Bytes
import Testing

@testable import Audit

@Suite struct HeadTests {
    let key = LogBuilder.key
    let time = WallInstant(nanoseconds: 1_790_000_000_123_000_000)

    func head(_ generation: Int, sequence: Int) -> AuditHead {
        let link = AuditDigest(of: [UInt8(truncatingIfNeeded: sequence)].span)
        return AuditHead(
            generation: generation, segment: 1, chain: AuditChain(sequence: sequence, link: link), time: time)
    }

    @Test func slotsAreWrittenInTurnAndTheNewerCounts() {
        let older = head(7, sequence: 100)
        let newer = head(8, sequence: 101)
        #expect(older.offset == 0)
        #expect(newer.offset == 512)
        let file = older.bytes(key: key) + newer.bytes(key: key)
        #expect(file.count == AuditHead.fileBytes)
        #expect(AuditHead.read(file, keys: [key]) == .head(newer, torn: false))
        #expect(AuditHead.read(nil, keys: [key]) == .missing)
    }

    @Test func aTornSlotLeavesTheOtherHead() {
        let older = head(7, sequence: 100)
        let newer = head(8, sequence: 101)
        for count in 0..<512 {
            // The old content of the slot (generation 6) shows behind the torn write.
            let slot = Array(newer.bytes(key: key)[..<count] + head(6, sequence: 99).bytes(key: key)[count...])
            let reading = AuditHead.read(older.bytes(key: key) + slot, keys: [key])
            guard case .head(let found, _) = reading else {
                Issue.record("no head after \(count) bytes")
                continue
            }
            #expect(found == older || found == newer)
        }
    }

    @Test func everyChangedByteSpoilsASlot() {
        let only = head(1, sequence: 3)
        let empty = [UInt8](repeating: 0, count: 512)
        #expect(AuditHead.read(only.bytes(key: key) + empty, keys: [key]) == .head(only, torn: false))
        for i in 0..<512 {
            var slot = only.bytes(key: key)
            slot[i] ^= 4
            #expect(AuditHead.read(slot + empty, keys: [key]) == .damaged, "byte \(i)")
        }
    }

    @Test func aHeadOfAnotherKeyOrLengthIsDamaged() {
        let other = LogBuilder.makeKey("another key with at least 32 bytes..")
        let slot = head(1, sequence: 3).bytes(key: other)
        #expect(AuditHead.read(slot + slot, keys: [key]) == .damaged)
        #expect(AuditHead.read(slot, keys: [other]) == .damaged)
        #expect(AuditHead.read([], keys: [other]) == .damaged)
        #expect(AuditHead.read(slot + slot, keys: [key, other]) == .head(head(1, sequence: 3), torn: false))
    }

    @Test func aKeyIsNamedWithoutRevealingIt() {
        let secret = Array("0123456789abcdef0123456789abcdef".utf8)
        let plain = AuditKey(secret: secret)
        #expect(AuditKey(secret: Array(secret.dropLast())) == nil)
        #expect(AuditKey(secret: secret + [10]) == plain)
        #expect(AuditKey(secret: secret + [13, 10]) == plain)
        #expect(plain?.id.count == 16)
        let shown = "\(String(describing: plain)) \(String(reflecting: plain))"
        #expect(!shown.contains("0123456789abcdef0123"))
        var dumped = ""
        dump(plain, to: &dumped)
        #expect(!dumped.contains("48"))
    }

    @Test func digestsAreThoseOfTheStandard() {
        // FIPS 180-4, "abc"; RFC 4231 test case 2.
        let abc = AuditDigest(of: Array("abc".utf8).span)
        #expect(Hex.encode(abc.bytes) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let mac = AuditDigest.mac(key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8))
        #expect(Hex.encode(mac.bytes) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(AuditDigest(text: abc.text.utf8.span) == abc)
        #expect(AuditDigest(text: "short".utf8.span) == nil)
        #expect(AuditDigest([1, 2, 3]) == nil)
    }
}
