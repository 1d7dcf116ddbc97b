import Documents
import Foundation
import JSON
import Testing

@testable import Events

@Suite struct CatalogueTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("policies/events")

    static func shipped() throws -> EventCatalogue {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        return try EventCatalogue.load(
            files: names.sorted().map { name in
                (
                    "policies/events/" + name,
                    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                )
            })
    }

    /// What the plant's integrators were promised.
    static let promised = [
        "production-order.created", "production-order.released", "production-order.started",
        "production-order.completed", "production-order.cancelled", "work-order.started", "work-order.paused",
        "work-order.completed", "work-order.cancelled", "production.confirmed", "material.consumed",
        "finished-goods.reported",
        "scrap.reported", "stock-transfer.validated", "inventory.adjusted", "lot.created", "lot.held", "lot.released",
        "quality-alert.raised", "quality-alert.closed", "maintenance.requested", "maintenance.closed",
        "work-center.down", "work-center.up", "labour.reported", "operation.settled", "operation.needs-attention",
    ]

    @Test func theCatalogueHoldsEveryPromisedEvent() throws {
        let catalogue = try Self.shipped()
        for name in Self.promised { #expect(catalogue[name] != nil, "\(name)") }
        for event in catalogue.events {
            for version in event.versions {
                #expect(version.violations(version.example).isEmpty)
                let type = CloudEvent.type(name: event.name, version: version.number)
                #expect(catalogue.definition(type: type)?.0.name == event.name)
            }
        }
        #expect(catalogue.definition(type: "dev.millgate.lot.held.v9") == nil)
        #expect(catalogue.definition(type: "com.example.lot.held.v1") == nil)
    }

    @Test func whatIsShippedWasPublishedAsItIs() throws {
        let text = try String(
            contentsOf: Self.folder.appendingPathComponent(EventCatalogue.publishedFile), encoding: .utf8)
        let report = try PublishedEvents(text, file: "published.json").check(try Self.shipped(), file: "published.json")
        #expect(report.broken.isEmpty, "\(report.broken)")
        #expect(report.unpublished.isEmpty, "run `millgate events publish`: \(report.unpublished)")
    }

    @Test func membersThatTheSchemaDoesNotNameAreViolations() throws {
        let version = try #require(try Self.shipped()["lot.held"]?[version: 1])
        var data = try #require(version.example.object)
        data["lot"] = ["id": 1, "name": "L", "colour": "red"]
        #expect(version.violations(.object(data)).map(\.description) == ["/lot/colour: is not known"])
    }

    static func event(_ schema: String, _ example: String = "{a: 5, b: x, d: []}", versions: String = "") -> String {
        """
        event: thing.done
        title: t
        description: d
        aggregate: thing
        versions:
          - version: 1
            schema: \(schema)
            example: \(example)
        \(versions)
        """
    }

    static func load(_ text: String) throws -> EventCatalogue {
        try EventCatalogue.load(files: [("e/thing.done.yaml", text), ("e/types.yaml", "types: {T: {type: string}}")])
    }

    static let base =
        "{type: object, required: [a, b], properties: {a: {type: integer, minimum: 1, maximum: 9}, "
        + "b: {type: string, enum: [x, y]}, c: {type: [string, \"null\"]}, d: {type: array, items: {$ref: \"#/$defs/T\"}}}}"

    /// The schema after a change, and what it breaks; nothing where readers go on.
    static let changes: [(from: String, to: String, breaks: String?)] = [
        ("c: {type: [string, \"null\"]}", "c: {type: [string, \"null\"]}, e: {type: string}", nil),
        ("c: {type: [string, \"null\"]}", "c: {type: string}", nil),
        ("required: [a, b]", "required: [a, b, d]", nil), ("minimum: 1", "minimum: 2", nil),
        ("enum: [x, y]", "enum: [x]", nil), ("{a: {type: integer", "{a: {description: n, type: integer", nil),
        ("required: [a, b]", "required: [a]", "/b: was always there"),
        ("c: {type: [string, \"null\"]}, ", "", "/c: is gone"),
        (
            "c: {type: [string, \"null\"]}", "c: {type: [string, \"null\", integer]}",
            "/c: was null or string and may now be integer"
        ),
        ("a: {type: integer", "a: {type: number", "/a: was integer and may now be number"),
        ("enum: [x, y]", "enum: [x, y, z]", "/b: may now be \"z\""), (", enum: [x, y]", "", "/b: 'enum' is gone"),
        ("maximum: 9", "maximum: 10", "/a: 'maximum' was 9 and is 10"), ("minimum: 1, ", "", "/a: 'minimum' is gone"),
        ("items: {$ref: \"#/$defs/T\"}", "items: {type: integer}", "/d/0: was string and may now be integer"),
        (", items: {$ref: \"#/$defs/T\"}", "", "/d: 'items' is gone"),
    ]

    @Test(arguments: changes) func theGateLetsThroughWhatNoReaderNotices(from: String, to: String, breaks: String?)
        throws
    {
        let published = try PublishedEvents(
            PublishedEvents.text(try Self.load(Self.event(Self.base))), file: "published.json")
        #expect(Self.base.contains(from))
        let now = try Self.load(Self.event(Self.base.replacingOccurrences(of: from, with: to)))
        let report = published.check(now, file: "published.json")
        #expect(report.compared == 1)
        if let breaks {
            #expect(
                report.broken.count == 1 && report.broken.first?.message.contains(breaks) == true, "\(report.broken)")
        } else {
            #expect(report.broken.isEmpty, "\(report.broken)")
        }
    }

    @Test func aPublishedVersionMustStayAndAnotherMayCome() throws {
        let published = try PublishedEvents(
            PublishedEvents.text(try Self.load(Self.event(Self.base))), file: "p")
        #expect(
            published.check(.empty, file: "p").broken.map(\.message) == ["'thing.done' v1 was published and is gone"])
        let second = "  - version: 2\n    schema: {type: object}\n    example: {}\n"
        let report = published.check(try Self.load(Self.event(Self.base, versions: second)), file: "p")
        #expect(report.broken.isEmpty && report.unpublished == ["thing.done v2"])
    }

    static let wrong: [(String, String)] = [
        (event("{type: string}", "x"), "the schema of an event has 'type: object'"),
        (event("{type: object, additionalProperties: false}", "{}"), "an event has no 'additionalProperties'"),
        (event("{type: object, properties: {a: {type: integer}}}", "{a: x}"), "the example: /a: must be an integer"),
        (event("{type: object}", "{a: 1}"), "the example: /a: is not known"),
        (event("{type: object}", "{}").replacingOccurrences(of: "version: 1", with: "version: 2"), "counted from 1"),
        (
            event("{type: object}", "{}").replacingOccurrences(of: "thing.done", with: "thingdone"),
            "an event is named like"
        ),
        (
            event("{type: object}", "{}").replacingOccurrences(of: "thing.done", with: "thing.made"),
            "belongs into thing.made.yaml"
        ),
        (event("{type: object}", "{}").replacingOccurrences(of: "title: t", with: "titel: t"), "missing key 'title'"),
    ]

    @Test(arguments: wrong) func whatIsWrongInAFileIsSaidWithItsPlace(_ text: String, _ message: String) {
        let errors = #expect(throws: DocumentErrors.self) { try Self.load(text) }
        #expect(
            errors?.errors.contains { $0.message.contains(message) && $0.line > 0 } == true,
            "\(String(describing: errors))")
    }

    @Test func everyReferenceOfTheAsyncAPIDocumentLeadsSomewhere() throws {
        let document = AsyncAPI(try Self.shipped(), version: "1.2.3").document
        var count = 0
        func walk(_ value: JSONValue) {
            switch value {
            case .array(let elements): for element in elements { walk(element) }
            case .object(let members):
                if let reference = members["$ref"]?.string {
                    count += 1
                    var target: JSONValue? = document
                    for part in reference.split(separator: "/").dropFirst() { target = target?[String(part)] }
                    #expect(target != nil, "\(reference)")
                }
                for (_, member) in members.members { walk(member) }
            default: break
            }
        }
        walk(document)
        #expect(count > 100)
        #expect(document["components"]?["messages"]?.object?.count == 31)
    }
}
