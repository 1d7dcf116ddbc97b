import Foundation
import Glibc
import JSON
import Reactor
import Testing

/// The running gateway tells what its services did: in the feed, on a stream, and as documents that others accept.
@Suite struct EventFeedTests {
    /// A gateway with its built-in Odoo, and where its plain listener is.
    static func serve(_ millgate: Millgate) throws -> (process: Started, url: String) {
        try SignalTests.install(millgate)
        let process = try millgate.start(["serve", "--address-file", "addresses.json"])
        #expect(SignalTests.wait(20) { millgate.contains("admin", "addresses.json") })
        let addresses = try JSONValue.parse(try millgate.text("addresses.json"))
        return (process, try url(addresses))
    }

    /// Of the first listener without TLS.
    static func url(_ addresses: JSONValue) throws -> String {
        let entry = addresses.object?.members.first { $0.key != "admin" && !$0.key.contains("tls") }?.value
        let host = try #require(entry?["host"]?.string)
        let port = try #require(entry?["port"]?.int)
        return "http://\(host):\(port)"
    }

    struct Answer {
        let status: Int
        let json: JSONValue
        let text: String
    }

    static func curl(_ millgate: Millgate, _ arguments: [String], token: String = "mes") throws -> Answer {
        let output = millgate.path("curl-\(UUID().uuidString)")
        var curl = ChildProcess.Configuration(
            "curl",
            ["-sS", "--max-time", "20", "-w", "\n%{http_code}"] + (try bearer(millgate, token)) + arguments)
        curl.output = output
        try ChildProcess(curl).wait()
        var lines = try String(contentsOfFile: output, encoding: .utf8).components(separatedBy: "\n")
        let status = Int(lines.removeLast()) ?? 0
        let text = lines.joined(separator: "\n")
        return Answer(status: status, json: (try? JSONValue.parse(text)) ?? .null, text: text)
    }

    static func bearer(_ millgate: Millgate, _ token: String) throws -> [String] {
        let text = try millgate.text("certs/dev/tokens/\(token).jwt")
        return ["-H", "Authorization: Bearer " + text.trimmingCharacters(in: .whitespacesAndNewlines)]
    }

    static let validation = """
        import json, sys
        from asyncapi3 import AsyncAPI3
        import jsonschema
        document = json.load(open(sys.argv[1]))
        AsyncAPI3.model_validate(document)
        count = 0
        for name, message in document["components"]["messages"].items():
            schema = {"$ref": message["payload"]["$ref"], "components": document["components"]}
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = jsonschema.Draft202012Validator(schema)
            for example in message["examples"]:
                validator.validate(example["payload"])
                broken = json.loads(json.dumps(example["payload"]))
                broken["data"].popitem()
                assert not validator.is_valid(broken), name
                count += 1
        from cloudevents.http import from_json, from_http
        for event in json.load(open(sys.argv[2]))["events"]:
            parsed = from_json(json.dumps(event))
            key = "_".join(event["type"].removeprefix("dev.millgate.").split("."))
            schema = {"$ref": "#/components/schemas/" + key, "components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(event)
            assert parsed["subject"] == event["subject"] and parsed.data == event["data"]
            count += 1
        print(count)
        """

    @Test func whatAServiceDidStandsInTheFeedAndOnTheStream() throws {
        try Millgate.inDirectory { millgate in
            let (process, url) = try Self.serve(millgate)
            defer { process.send(SIGTERM) }
            let created = try Self.curl(
                millgate,
                [
                    "-X", "POST", url + "/v1/production-orders", "-H", "Idempotency-Key: a", "-H",
                    "Content-Type: application/json", "-d",
                    #"{"product_code": "VALVE-20", "quantity": 4, "site": "plant-2"}"#,
                ])
            #expect(created.status == 201, "\(created.text)")
            let id = created.json["id"]?.int ?? 0
            let first = try Self.curl(millgate, [url + "/v1/events?type=production-order.*"])
            #expect(first.status == 200, "\(first.text)")
            #expect(first.json["events"]?[0]?["subject"]?.string == "production-order/\(id)")
            let cursor = first.json["cursor"]?.string ?? ""

            // The stream is open when the release happens; curl is ended after it.
            let stream = try millgate.startCurl(
                try Self.bearer(millgate, "mes") + [
                    "-sSN", "--max-time", "30", "-H", "Accept: text/event-stream", "-H", "Last-Event-ID: \(cursor)",
                    url + "/v1/events",
                ], output: "stream")
            #expect(SignalTests.wait(10) { millgate.contains("retry: 1000", "stream") })
            let released = try Self.curl(
                millgate,
                ["-X", "POST", url + "/v1/production-orders/\(id)/release", "-H", "Idempotency-Key: b"])
            #expect(released.status == 200, "\(released.text)")
            #expect(
                SignalTests.wait(10) { millgate.contains("event: dev.millgate.production-order.released.v1", "stream") }
            )
            stream.send(SIGTERM)
            let text = try millgate.text("stream")
            #expect(!text.contains("production-order.created"), "the stream goes on behind the cursor")
            #expect(text.contains("id: \((Int(cursor) ?? 0) + 1)\nevent: "))

            // Who may not see these events sees none, and who may not open the feed gets no feed.
            #expect(try Self.curl(millgate, [url + "/v1/events"], token: "wms").json["events"]?.array?.isEmpty == true)
            #expect(try Self.curl(millgate, [url + "/v1/events"], token: "operator").status == 403)
            #expect(
                try Self.curl(millgate, [url + "/v1/events?after=x", "-H", "Accept: text/event-stream"]).status == 400)

            let document = try Self.curl(millgate, [url + "/asyncapi.json"])
            try millgate.write(document.text, to: "asyncapi.json")
            try millgate.write(try Self.curl(millgate, [url + "/v1/events"]).text, to: "events.json")
            let checked = try Python.run(
                Self.validation, ["asyncapi.json", "events.json"], in: millgate.directory)
            // 31 messages of the document, and what the feed had: created and released.
            #expect(
                checked.isContent && checked.output.hasSuffix("\n33\n") || checked.output == "33\n",
                "\(checked.output)")
        }
    }

    @Test func aBreakingChangeOfAPublishedEventIsRefusedByItsCommandAndByCheck() throws {
        try Millgate.inDirectory { millgate in
            try CheckCommandTests.install(millgate)
            let good = try millgate.run(["events", "check"])
            #expect(
                good.status == 0 && good.output == "31 events, 31 published versions compared, 0 breaking changes\n")
            let file = "policies/events/lot.held.yaml"
            try CheckCommandTests.edit(millgate, file, "required: [lot, product, reason]", "required: [lot, product]")
            for arguments in [["events", "check"], ["events", "publish"], ["check"]] {
                let result = try millgate.run(arguments)
                #expect(result.status == 78)
                #expect(
                    result.errors.contains(
                        "\(file):1:1: 'lot.held' v1 was published: /reason: was always there and is not required any "
                            + "more; make it version 2"), "\(result.errors)")
            }
            // More members are no break, and are published by the command.
            try CheckCommandTests.edit(millgate, file, "required: [lot, product]", "required: [lot, product, reason]")
            try CheckCommandTests.edit(
                millgate, file, "      properties:\n", "      properties:\n        until: { type: string }\n")
            #expect(try millgate.run(["events", "check"]).output.contains("not published yet: lot.held v1 (changed)"))
            #expect(try millgate.run(["events", "publish"]).output.hasPrefix("1 published"))
            #expect(try millgate.run(["events", "check"]).lines.count == 1)
        }
    }
}
