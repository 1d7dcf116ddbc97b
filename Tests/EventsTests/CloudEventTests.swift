import Bytes
import JSON
import Testing

@testable import Events

/// An event of the log as tests need one.
func recorded(_ number: Int64 = 42, sequence: Int64 = 3, site: String? = "plant-1") -> RecordedEvent {
    RecordedEvent(
        number: number, sequence: sequence,
        event: BusinessEvent(
            id: "01JD\(number)", name: "production-order.released", subject: "production-order/26", site: site,
            time: WallInstant(seconds: 1_795_500_000), data: ["quantity": 5], correlationID: "trace",
            causationID: "01JDCAUSE", traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
}

@Suite struct CloudEventTests {
    @Test func anEventHasTheAttributesOfTheStandardAndOurs() {
        let json = CloudEvent(recorded()).json
        let expected: [(String, JSONValue)] = [
            ("specversion", "1.0"), ("id", "01JD42"), ("source", "urn:millgate:site:plant-1"),
            ("type", "dev.millgate.production-order.released.v1"), ("subject", "production-order/26"),
            ("time", "2026-11-24T06:00:00.000Z"),
            ("dataschema", "https://millgate.dev/schemas/events/production-order.released/v1"),
            ("sequence", "000000000003"), ("site", "plant-1"), ("correlationid", "trace"),
            ("causationid", "01JDCAUSE"), ("datacontenttype", "application/json"), ("data", ["quantity": 5]),
        ]
        for (name, value) in expected { #expect(json[name] == value, "\(name)") }
        #expect(CloudEvent(recorded(site: nil)).source == "urn:millgate")
    }

    @Test func sequencesSortAsTextAsTheyDoAsNumbers() {
        let texts = [Int64(1), 9, 10, 99, 100, 12_345].map { CloudEvent.padded($0) }
        #expect(texts == texts.sorted())
    }

    @Test func structuredModeIsReadAsItWasWritten() throws {
        let event = CloudEvent(recorded())
        #expect(try CloudEvent(json: JSONValue.parse(event.json.bytes)) == event)
    }

    @Test func binaryModeIsReadAsItWasWritten() throws {
        var event = CloudEvent(recorded())
        event.subject = "lot/Überhang \"%41\" 100%"
        let fields = event.fields
        // Only what HTTP carries safely: printable ASCII without space and quote. (HTTP binding §3.1.3.2)
        for (name, value) in fields {
            #expect(name.hasPrefix("ce-"))
            #expect(value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }, "\(name): \(value)")
        }
        #expect(fields.first { $0.name == "ce-subject" }?.value == "lot/%C3%9Cberhang%20%22%2541%22%20100%25")
        #expect(try CloudEvent(fields: fields, contentType: "application/json", body: event.body) == event)
    }

    static let refused: [(String, String)] = [
        (#"[]"#, ""), (#"{"id":"1","source":"s","type":"t"}"#, "/specversion"),
        (#"{"specversion":"0.3","id":"1","source":"s","type":"t"}"#, "/specversion"),
        (#"{"specversion":"1.0","source":"s","type":"t"}"#, "/id"),
        (#"{"specversion":"1.0","id":"","source":"s","type":"t"}"#, "/id"),
        (#"{"specversion":"1.0","id":1,"source":"s","type":"t"}"#, "/id"),
        (#"{"specversion":"1.0","id":"1","source":"s","type":"t","time":"yesterday"}"#, "/time"),
        (
            #"{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"text/xml","data":"x"}"#,
            "/datacontenttype"
        ),
        (#"{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"aGk="}"#, "/data_base64"),
        (#"{"specversion":"1.0","id":"1","source":"s","type":"t","Site":"x"}"#, "/Site"),
        (#"{"specversion":"1.0","id":"1","source":"s","type":"t","site":{}}"#, "/site"),
        (#"{"specversion":"1.0","id":"1\u0000","source":"s","type":"t"}"#, "/id"),
        (
            #"{"specversion":"1.0","id":"1","source":"s","type":"t","abcdefghijklmnopqrstu":"x"}"#,
            "/abcdefghijklmnopqrstu"
        ),
    ]

    @Test(arguments: refused) func whatIsNoCloudEventIsRefusedWithItsPlace(_ text: String, _ pointer: String) throws {
        let json = try JSONValue.parse(text)
        let error = #expect(throws: CloudEventError.self) { try CloudEvent(json: json) }
        #expect(error?.pointer == pointer)
    }

    @Test func twoFieldsForOneAttributeAreRefused() {
        let fields = CloudEvent(recorded()).fields + [(name: "CE-ID", value: "other")]
        #expect(throws: CloudEventError("/id", "comes twice")) {
            try CloudEvent(fields: fields, contentType: "application/json", body: [])
        }
    }

    static let patterns: [(String, String, Int, Bool)] = [
        ("*", "lot.held", 1, true), ("lot.*", "lot.held", 2, true), ("lot.*", "lots.held", 1, false),
        ("lot.held", "lot.held", 3, true), ("lot.held.v2", "lot.held", 2, true), ("lot.held.v2", "lot.held", 1, false),
        ("dev.millgate.lot.held.v1", "lot.held", 1, true), ("lot.held", "lot.released", 1, false),
    ]

    @Test(arguments: patterns) func patternsSelect(_ text: String, _ name: String, _ version: Int, _ is: Bool) throws {
        #expect(try #require(EventPattern(text)).matches(name, version: version) == `is`)
    }

    @Test(arguments: ["", "lot", "lot.", ".held", "Lot.held", "*.held", "lot.h*", "lot.held.2", "lot.held.v0", "a.b.c"])
    func whatIsNoPatternIsRefused(_ text: String) { #expect(EventPattern(text) == nil) }
}
