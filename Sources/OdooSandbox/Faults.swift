import Bytes
import JSON

/// Something that goes wrong on demand.
package struct SandboxFault: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The answer is late; the effect is not.
        case delay
        /// The effect is late, and the answer with it: whoever stops listening and reads back sees nothing yet. The glue
        /// asks `SandboxOdoo.hold` for it.
        case delayBeforeEffect = "delay_before_effect"
        /// Odoo's HTML page, nothing happened.
        case http500
        /// A proxy's page before Odoo, nothing happened.
        case html502
        /// No byte of an answer, nothing happened (recording 601).
        case closeBeforeEffect = "close_before_effect"
        /// No byte of an answer, although everything happened: what a client cannot tell from the above.
        case closeAfterEffect = "close_after_effect"
        /// Odoo's own five tries are used up (recordings 355, 356); nothing happened.
        case serializationFailure = "serialization_failure"
    }

    /// `mrp.production.button_mark_done`, `common.authenticate`, a path like `/web/health`, or a beginning of one with
    /// `*` behind it.
    package var match: String
    package var kind: Kind
    package var delay: Nanoseconds
    /// How many calls it strikes; 0 for all.
    package var times: Int
    /// Every how many matching calls it strikes.
    package var every: Int

    package init(match: String, kind: Kind, delay: Nanoseconds = 0, times: Int = 1, every: Int = 1) {
        self.match = match
        self.kind = kind
        self.delay = delay
        self.times = times
        self.every = every
    }

    /// From `{"match", "kind", "delay_ms", "times", "every"}`; nil when it is not of that form.
    init?(_ json: JSONValue) {
        guard let match = json["match"]?.string, let kind = json["kind"]?.string.flatMap(Kind.init) else { return nil }
        let delay = json["delay_ms"]?.int ?? 0
        let times = json["times"]?.int ?? 1
        let every = json["every"]?.int ?? 1
        guard (0...600_000).contains(delay), times >= 0, every >= 1 else { return nil }
        self.init(match: match, kind: kind, delay: .milliseconds(Int64(delay)), times: times, every: every)
    }

    var json: JSONValue {
        [
            "match": .string(match), "kind": .string(kind.rawValue), "delay_ms": JSONValue(Int(delay / 1_000_000)),
            "times": JSONValue(times), "every": JSONValue(every),
        ]
    }

    fileprivate func matches(_ key: String) -> Bool {
        match.hasSuffix("*") ? key.hasPrefix(match.dropLast()) : key == match
    }
}

/// The faults that wait, oldest first.
struct FaultQueue: Sendable {
    private struct Entry: Sendable {
        var fault: SandboxFault
        var seen = 0
    }

    private var entries: [Entry] = []

    var waiting: [SandboxFault] { entries.map(\.fault) }

    mutating func add(_ fault: SandboxFault) { entries.append(Entry(fault: fault)) }
    mutating func clear() { entries = [] }

    /// Whether a call must be asked about before it is answered.
    var holdsSomething: Bool { entries.contains { $0.fault.kind == .delayBeforeEffect } }

    /// The fault that strikes the first of these calls.
    mutating func take(anyOf keys: [String], holding: Bool = false) -> SandboxFault? {
        for key in keys {
            if let fault = take(key, holding: holding) { return fault }
        }
        return nil
    }

    /// The fault that strikes this call, if one does; `holding` looks for those that come before the call.
    mutating func take(_ key: String, holding: Bool = false) -> SandboxFault? {
        for i in entries.indices
        where entries[i].fault.matches(key) && (entries[i].fault.kind == .delayBeforeEffect) == holding {
            entries[i].seen += 1
            guard entries[i].seen % entries[i].fault.every == 0 else { continue }
            let fault = entries[i].fault
            if fault.times == 1 {
                entries.remove(at: i)
            } else if fault.times > 1 {
                entries[i].fault.times -= 1
            }
            return fault
        }
        return nil
    }
}
