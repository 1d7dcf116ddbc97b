import Bytes
import JSON

/// The AsyncAPI 3.0 document of the catalogue: every event once as a message, the feed that is pulled and the webhooks
/// that are pushed as channels.
package struct AsyncAPI: Sendable {
    package let catalogue: EventCatalogue
    /// Of the gateway.
    package let version: String

    package init(_ catalogue: EventCatalogue, version: String) {
        self.catalogue = catalogue
        self.version = version
    }

    package var document: JSONValue {
        [
            "asyncapi": "3.0.0",
            "info": [
                "title": "Millgate events",
                "version": .string(version),
                "description": .string(Self.introduction),
                "license": ["name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"],
            ],
            "defaultContentType": .string(CloudEvent.mediaType),
            "channels": channels,
            "operations": operations,
            "components": [
                "messages": .object(messages),
                "schemas": .object(schemas),
                "securitySchemes": [
                    "bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"]
                ],
            ],
        ]
    }

    private static let introduction = """
        Business events of the plants as CloudEvents 1.0.2. Each has a version in its `type`; within one version members \
        are added and never taken away, so readers must bear members that they do not know. `sequence` counts the events \
        of one `subject` without gaps. Every event may come more than once, always with the same `id`.
        """

    private var keys: [(key: String, event: EventDefinition, version: EventDefinition.Version)] {
        catalogue.events.flatMap { event in event.versions.map { (Self.key(event.name, $0.number), event, $0) } }
    }

    /// Of components: no dots, so that every tool takes it.
    private static func key(_ name: String, _ version: Int) -> String {
        String(name.map { $0 == "." ? "_" : $0 }) + "_v\(version)"
    }

    private var channels: JSONValue {
        let all = JSONObject(keys.map { ($0.key, ["$ref": .string("#/components/messages/\($0.key)")]) })
        return [
            "feed": [
                "address": "/v1/events",
                "title": "The event log",
                "description": "Pulled with `GET`, waiting with `wait=` or as server-sent events.",
                "messages": .object(all),
            ],
            "webhook": [
                "address": .null,
                "title": "Webhooks",
                "description": "Pushed with `POST` to each subscriber's endpoint, signed by Standard Webhooks 1.0.0.",
                "messages": .object(all),
            ],
        ]
    }

    private var operations: JSONValue {
        [
            "offerEvents": [
                "action": "send", "channel": ["$ref": "#/channels/feed"],
                "summary": "Events are there to be read, in the order of the log, under policy.",
                "security": [["$ref": "#/components/securitySchemes/bearer"]],
            ],
            "deliverEvents": [
                "action": "send", "channel": ["$ref": "#/channels/webhook"],
                "summary": "Events are delivered at least once to each subscriber that may receive them.",
            ],
        ]
    }

    private var messages: JSONObject {
        JSONObject(
            keys.map { key, event, version in
                (
                    key,
                    [
                        "name": .string(CloudEvent.type(name: event.name, version: version.number)),
                        "title": .string(event.title),
                        "summary": .string(event.title),
                        "description": .string(
                            event.description + (version.isDeprecated ? "\n\nDeprecated: read a later version." : "")),
                        "contentType": .string(CloudEvent.mediaType),
                        "tags": [["name": .string(event.aggregate)]],
                        "payload": ["$ref": .string("#/components/schemas/\(key)")],
                        "examples": [["name": "example", "payload": example(event, version)]],
                    ]
                )
            })
    }

    private var schemas: JSONObject {
        var schemas: JSONObject = ["CloudEvent": Self.envelope]
        for (key, event, version) in keys {
            schemas[key] = [
                "allOf": [
                    ["$ref": "#/components/schemas/CloudEvent"],
                    [
                        "type": "object",
                        "properties": [
                            "type": [
                                "const": .string(CloudEvent.type(name: event.name, version: version.number))
                            ],
                            "dataschema": [
                                "const": .string(CloudEvent.schema(name: event.name, version: version.number))
                            ],
                            "data": version.document,
                        ],
                    ],
                ]
            ]
        }
        return schemas
    }

    /// The event of the catalogue's example.
    func example(_ event: EventDefinition, _ version: EventDefinition.Version) -> JSONValue {
        CloudEvent(
            id: "01JDEXAMPLE00000000000001", source: CloudEvent.source(site: "plant-1"),
            type: CloudEvent.type(name: event.name, version: version.number), subject: "\(event.aggregate)/26",
            // 2026-11-24T06:00:00Z
            time: WallInstant(seconds: 1_795_500_000),
            dataSchema: CloudEvent.schema(name: event.name, version: version.number),
            extensions: [("sequence", CloudEvent.padded(3)), ("site", "plant-1")], data: version.example
        ).json
    }

    private static let envelope: JSONValue = [
        "description": "The attributes that every event has (CloudEvents 1.0.2)",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "dataschema", "sequence", "data"],
        "properties": [
            "specversion": ["const": "1.0"],
            "id": ["type": "string", "description": "The same in every repetition: keep it to see those"],
            "source": ["type": "string", "format": "uri-reference"],
            "type": ["type": "string"],
            "subject": [
                "type": "string", "description": "The aggregate by its canonical identifier, `production-order/26`",
            ],
            "time": ["type": "string", "format": "date-time"],
            "dataschema": ["type": "string", "format": "uri"],
            "datacontenttype": ["const": "application/json"],
            "sequence": [
                "type": "string", "pattern": "^[0-9]{12,}$",
                "description": "Its place among the events of its subject, from 1 without gaps, with leading zeros",
            ],
            "site": ["type": "string", "description": "The plant"],
            "correlationid": ["type": "string", "description": "Joins what belongs to one piece of business"],
            "causationid": ["type": "string", "description": "The operation or event that caused it"],
            "traceparent": ["type": "string", "description": "W3C Trace Context"],
            "data": ["type": "object"],
        ],
    ]
}
