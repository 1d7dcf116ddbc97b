import Bytes
import Documents
import Events
import Expressions

/// Reads `policies/subscribers/NAME.yaml`: one subscriber each.
package enum SubscriberFile {
    /// - Parameter catalogue: what patterns must select something of.
    /// - Throws: all errors of all files.
    package static func load(
        files: [(path: String, text: String)], catalogue: EventCatalogue
    ) throws(DocumentErrors) -> [Subscriber] {
        let reader = DocumentReader()
        var subscribers: [Subscriber] = []
        for file in files {
            reader.read(file.text, file: file.path) { map in
                guard var subscriber = read(map, catalogue) else { return }
                subscriber.file = file.path
                if !file.path.hasSuffix("/\(subscriber.name).yaml") {
                    map.report("the subscriber '\(subscriber.name)' belongs into \(subscriber.name).yaml")
                }
                subscriber.settings.salt = subscriber.name.utf8.reduce(14_695_981_039_346_656_037) {
                    ($0 ^ UInt64($1)) &* 1_099_511_628_211
                }
                subscribers.append(subscriber)
            }
        }
        try reader.finish()
        return subscribers.sorted { $0.name < $1.name }
    }

    private static func read(_ map: DocumentMapping, _ catalogue: EventCatalogue) -> Subscriber? {
        let name = map.requiredString("subscriber")
        if !name.isEmpty, !name.utf8.allSatisfy({ $0 &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "-") }) {
            map.report("a subscriber is named in lower-case letters, digits and hyphens")
        }
        let url = map.required("url").flatMap { value in
            value.string().flatMap { text -> String? in
                if text.hasPrefix("https://") || text.hasPrefix("http://"), text.utf8.count <= 2_048,
                    text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
                {
                    return text
                }
                value.report("expected an address such as https://partner.example/hooks")
                return nil
            }
        }
        var issuer = ""
        var clientID: String?
        var subject = ""
        map.required("as")?.mapping { entry in
            issuer = entry.requiredString("issuer")
            clientID = entry.string("client_id")
            subject = entry.string("subject") ?? clientID ?? ""
            if subject.isEmpty {
                entry.report("'as' needs a 'client_id' or a 'subject': whom the policy is asked about")
            }
        }
        let events = map.required("events")?.list(minCount: 1) { pattern($0, catalogue) } ?? []
        let secrets = map.optional("secrets")?.list(minCount: 1) { secret($0) } ?? []
        var subscriber = Subscriber(
            name: name, url: url ?? "", issuer: issuer, subject: subject, events: events, secrets: secrets)
        subscriber.clientID = clientID
        subscriber.description = map.string("description", default: "")
        subscriber.owner = map.string("owner", default: "")
        subscriber.contact = map.string("contact", default: "")
        subscriber.isEnabled = map.bool("enabled", default: true)
        subscriber.sites = Set(map.strings("sites"))
        subscriber.format = map.choice("format", default: .structured)
        subscriber.mask = Set(map.strings("mask"))
        subscriber.filter = map.optional("filter").flatMap(filter)
        subscriber.fields = fields(map)
        subscriber.timeout = map.duration("timeout", in: .seconds(1) ... .minutes(2), default: subscriber.timeout)
        map.optional("tls")?.mapping { entry in
            subscriber.tls.authorities = entry.string("authorities")
            subscriber.tls.certificate = entry.string("certificate")
            subscriber.tls.key = entry.string("key")
            if (subscriber.tls.certificate == nil) != (subscriber.tls.key == nil) {
                entry.report("'certificate' and 'key' belong together")
            }
        }
        settings(map, &subscriber.settings)
        return subscriber
    }

    private static func pattern(_ value: DocumentValue, _ catalogue: EventCatalogue) -> EventPattern? {
        guard let text = value.string() else { return nil }
        guard let pattern = EventPattern(text) else {
            value.report("an event is selected by its name, 'production-order.*' or '*'")
            return nil
        }
        let selects = catalogue.events.contains { event in
            event.versions.contains { pattern.matches(event.name, version: $0.number) }
        }
        if !selects {
            value.report("'\(text)' selects no event" + Suggestion.clause(for: text, among: catalogue.names))
        }
        return pattern
    }

    private static func secret(_ value: DocumentValue) -> Subscriber.Secret? {
        value.mapping { entry -> Subscriber.Secret? in
            let file = entry.string("file")
            let environment = entry.string("environment")
            var until: WallInstant?
            if let value = entry.optional("until"), let text = value.string() {
                until = WallInstant(text)
                if until == nil { value.report("expected a time such as 2026-12-01T00:00:00Z") }
            }
            switch (file, environment) {
            case (let file?, nil): return Subscriber.Secret(source: .file(file), until: until)
            case (nil, let name?): return Subscriber.Secret(source: .environment(name), until: until)
            default:
                entry.report("a secret is named by 'file' or 'environment', and never written here")
                return nil
            }
        }
    }

    private static func filter(_ value: DocumentValue) -> SubscriberFilter? {
        guard let text = value.string() else { return nil }
        do throws(ExpressionErrors) {
            return try SubscriberFilter(text)
        } catch {
            for one in error.errors { value.report("filter, line \(one.line), column \(one.column): \(one.message)") }
            return nil
        }
    }

    private static func fields(_ map: DocumentMapping) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        map.optional("headers")?.mapping { entry in
            for (key, name, value) in entry.entries {
                let lower = name.lowercased()
                let isToken =
                    !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
                let own = ["host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent"]
                if !isToken || own.contains(lower) || lower.hasPrefix("webhook-") || lower.hasPrefix("ce-") {
                    entry.reader.report("the field '\(name)' is made by the gateway, or is none", at: key)
                }
                if let text = value.string() { fields.append((name, text)) }
            }
        }
        return fields
    }

    private static func settings(_ map: DocumentMapping, _ settings: inout EndpointSettings) {
        settings.ordering = map.choice("ordering", default: settings.ordering)
        settings.concurrencyMax = map.int("concurrency", in: 1...64, default: settings.concurrencyMax)
        settings.rate = map.int("rate", in: 1...10_000)
        settings.disableAfter = map.duration(
            "disable_after", in: .minutes(1) ... .hours(24 * 60), default: settings.disableAfter)
        if let value = map.optional("retry") {
            let pauses = value.list { $0.duration(in: 0 ... .hours(24 * 7)) }
            if pauses.count > 30 { value.report("more than 30 attempts") }
            settings.schedule = RetrySchedule(pauses: [0] + pauses)
        }
        settings.hours = map.mapping("hours") { entry -> DeliveryHours? in
            var hours = DeliveryHours()
            let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
            for name in entry.list("days", { $0.choice(names, what: "day") }) {
                hours.days.insert((names.firstIndex(of: name) ?? 0) + 1)
            }
            hours.from = entry.optional("from").flatMap(minutes) ?? 0
            hours.to = entry.optional("to").flatMap(minutes) ?? 1_440
            hours.offset = entry.int("utc_offset_minutes", in: -720...840, default: 0)
            if hours.from >= hours.to { entry.report("'from' must be before 'to'") }
            return hours
        }
    }

    private static func minutes(_ value: DocumentValue) -> Int? {
        guard let text = value.string() else { return nil }
        let parts = text.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2, text.utf8.count == 5, (0...24).contains(parts[0]), (0...59).contains(parts[1]),
            parts[0] * 60 + parts[1] <= 1_440
        else {
            value.report("expected a time such as \"06:00\"")
            return nil
        }
        return parts[0] * 60 + parts[1]
    }
}
