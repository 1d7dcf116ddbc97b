import Bytes
import JSON
import Seeded
import Testing

@testable import Audit

@Suite struct EntryTests {
    let now = WallInstant(nanoseconds: 1_790_000_000_123_456_789)
    let caller = AuditCaller(
        subject: "mes-\"line\"-2", issuer: "https://id.plant.example/", tokenID: "7f3a", roles: ["operator", "mes"])
    let origin = AuditOrigin(address: "10.1.2.3", listener: "tls", protocol: "HTTP/2")
    let decision = AuditDecision(
        operation: "production-order.release", route: "/v1/production-orders/{id}/release", effect: .allow,
        rule: "line-2-operators", policy: "9f86d081")

    @Test func anEntryIsOneLineOfJSONWithItsMembers() throws {
        var entry = AuditEntry(time: now, kind: .intent, requestID: "01J")
        entry.traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
        entry.caller = caller
        entry.origin = origin
        entry.decision = decision
        entry.site = "Köln"
        entry.workCenter = "WC-2"
        entry.records = ["mrp.production,17"]
        entry.status = 200
        entry.outcome = .applied
        entry.microseconds = 1_234
        entry.bodyDigest = AuditDigest(of: Array("{}".utf8).span)
        entry.body = ["qty": 3]
        entry.detail = "first line\nsecond line"
        let line = entry.line
        #expect(line.last == 10)
        #expect(line.filter { $0 == 10 }.count == 1)
        let json = try JSONValue.parse(line.dropLast() + [])
        #expect(json["time"]?.string == "2026-09-21T14:13:20.123Z")
        #expect(json["kind"]?.string == "intent")
        #expect(json["subject"]?.string == "mes-\"line\"-2")
        #expect(json["roles"] == ["operator", "mes"])
        #expect(json["operation"]?.string == "production-order.release")
        #expect(json["effect"]?.string == "allow")
        #expect(json["site"]?.string == "Köln")
        #expect(json["records"] == ["mrp.production,17"])
        #expect(json["body"]?["qty"]?.int == 3)
        #expect(json["body_sha256"]?.string == "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o")
        #expect(json["detail"]?.string == "first line\nsecond line")
    }

    @Test func whatIsNotKnownIsNotThere() throws {
        let json = try JSONValue.parse(AuditEntry(time: now, kind: .admin).line)
        #expect(json.object?.keys == ["time", "kind"])
    }

    @Test func theHotWriterAndTheValueGiveTheSameMembers() throws {
        var clock = AuditClock()
        var line: [UInt8] = []
        AuditLine.append(
            .outcome, at: now, clock: &clock, request: "01J".utf8.span,
            trace: "4bf92f3577b34da6a3ce929d0e0e4736".utf8.span, who: caller.fragment, from: origin.fragment,
            decision: decision.fragment, method: "GET".utf8.span, target: "/web/a".utf8.span, status: 200,
            outcome: .proxied, microseconds: 77, bytesIn: 0, bytesOut: 1_024, to: &line)
        var entry = AuditEntry(time: now, kind: .outcome, requestID: "01J")
        entry.traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
        entry.caller = caller
        entry.origin = origin
        entry.decision = decision
        entry.method = "GET"
        entry.target = "/web/a"
        entry.status = 200
        entry.outcome = .proxied
        entry.microseconds = 77
        var expected = String(decoding: entry.line, as: UTF8.self)
        expected.replace("\"us\":77}", with: "\"us\":77,\"bytes_in\":0,\"bytes_out\":1024}")
        #expect(String(decoding: line, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        "/a\"},{\"seq\":1", "/\\", "/\r\nfoo", "/\u{0}", "/ü/\u{2028}", "/\",\"chain\":\"x\"}\n{", "",
    ])
    func whatAStrangerSendsStaysInItsMember(target: String) throws {
        var clock = AuditClock()
        var line: [UInt8] = []
        AuditLine.append(
            .decision, at: now, clock: &clock, request: target.utf8.span, trace: [UInt8]().span, who: .empty,
            from: .empty, decision: .empty, method: target.utf8.span, target: target.utf8.span, status: 400,
            outcome: .refused, microseconds: 0, bytesIn: 0, bytesOut: 0, to: &line)
        #expect(line.filter { $0 == 10 }.count == 1)
        let json = try JSONValue.parse(line.dropLast() + [])
        #expect(json["target"]?.string == target)
        #expect(json["method"]?.string == target)
        #expect(json["request"]?.string == target)
        #expect(json.object?.keys.count == 10)
    }

    @Test func anyBytesAsTargetGiveOneLineOfJSON() throws {
        var random = SeededGenerator(seed: 7)
        var clock = AuditClock()
        for _ in 0..<2_000 {
            let target = (0..<Int.random(in: 0...600, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            var line: [UInt8] = []
            AuditLine.append(
                .decision, at: now, clock: &clock, request: "r".utf8.span, trace: [UInt8]().span, who: .empty,
                from: .empty, decision: .empty, method: "GET".utf8.span, target: target.span, status: 400,
                outcome: .refused, microseconds: 0, bytesIn: 0, bytesOut: 0, to: &line)
            #expect(line.filter { $0 == 10 }.count == 1)
            #expect(throws: Never.self) { try JSONValue.parse(line.dropLast() + []) }
        }
    }

    @Test func plainTextIsOnlyWhatNeedsNoEscape() {
        // Every byte at every place of texts of every length around the word size.
        for count in 0...18 {
            let plain = [UInt8](repeating: UInt8(ascii: "a"), count: count)
            let whole = AuditLine.isPlain(plain.span)
            #expect(whole)
            for i in 0..<count {
                for byte in UInt8.min...UInt8.max {
                    var text = plain
                    text[i] = byte
                    let isPlain = AuditLine.isPlain(text.span)
                    let mayBe = (0x20...0x7F).contains(byte) && byte != 0x22 && byte != 0x5C
                    if isPlain && !mayBe { Issue.record("byte \(byte) at \(i) of \(count)") }
                    if !isPlain && (byte == 0x2F || (0x61...0x7A).contains(byte)) {
                        Issue.record("\(byte) takes the long way")
                    }
                }
            }
        }
    }

    @Test func aLongTargetIsCut() throws {
        var clock = AuditClock()
        var line: [UInt8] = []
        let target = [UInt8](repeating: UInt8(ascii: "a"), count: 5_000)
        AuditLine.append(
            .decision, at: now, clock: &clock, request: "r".utf8.span, trace: [UInt8]().span, who: .empty,
            from: .empty, decision: .empty, method: "GET".utf8.span, target: target.span, status: 414,
            outcome: .refused, microseconds: 0, bytesIn: 0, bytesOut: 0, to: &line)
        #expect(try JSONValue.parse(line.dropLast() + [])["target"]?.string?.utf8.count == AuditLine.targetBytesMax)
    }

    @Test func theClockAgreesWithTheCalendarAcrossSeconds() {
        var random = SeededGenerator(seed: 3)
        var clock = AuditClock()
        var instant = now
        for _ in 0..<5_000 {
            instant = instant + Int64.random(in: -900_000_000...1_900_000_000, using: &random)
            var text: [UInt8] = []
            clock.append(instant, to: &text)
            #expect(String(decoding: text, as: UTF8.self) == instant.rfc3339)
        }
    }

    @Test func aLinkCoversTheLinkBeforeAndEveryByteUpToItself() throws {
        let hasher = AuditHasher()
        let out = IOBuffer(capacity: 64)
        var chain = AuditChain()
        chain.append("{\"a\":1}".utf8.span, hasher: hasher, to: out)
        let first = chain.link
        chain.append("{\"b\":2}".utf8.span, hasher: hasher, to: out)
        let text = String(decoding: out.readable.array, as: UTF8.self)
        #expect(first == AuditDigest(of: ([UInt8](repeating: 0, count: 32) + Array("{\"a\":1,\"seq\":1".utf8)).span))
        let second = AuditDigest(of: (first.bytes + Array("{\"b\":2,\"seq\":2".utf8)).span)
        #expect(
            text == """
                {"a":1,"seq":1,"chain":"\(first.text)"}
                {"b":2,"seq":2,"chain":"\(second.text)"}

                """)
    }

    @Test func segmentFilesAreNamedByNumber() {
        #expect(AuditSegment.fileName(1) == "audit-00000001.jsonl")
        #expect(AuditSegment.fileName(123_456_789) == "audit-123456789.jsonl")
        #expect(AuditSegment.number(ofFileName: "audit-00000042.jsonl") == 42)
        for name in ["audit-42.jsonl", "audit-00000000.jsonl", "audit.head", "audit--0000001.jsonl", "x"] {
            #expect(AuditSegment.number(ofFileName: name) == nil)
        }
    }
}
