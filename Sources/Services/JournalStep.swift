import JSON

/// One line of an operation's journal: a sentence for people and, before an effect, what tells later whether it
/// happened.
struct JournalStep: Sendable, Hashable {
    /// How far a write had come when the line was written.
    enum Phase: String, Sendable {
        /// Changes that book nothing are about to be sent; to repeat or to leave them does no harm.
        case preparing
        /// The effect is about to be sent.
        case effect
    }

    var text: String
    var phase: Phase?
    /// The recipe's own, for its verdict.
    var intent: JSONValue?

    init(text: String, phase: Phase? = nil, intent: JSONValue? = nil) {
        self.text = text
        self.phase = phase
        self.intent = intent
    }

    /// What was written; a text that is none of ours is taken as a sentence.
    init(_ stored: String) {
        guard let json = try? JSONValue.parse(stored), let text = json["text"]?.string else {
            self.init(text: stored)
            return
        }
        self.init(
            text: text, phase: json["phase"]?.string.flatMap { Phase(rawValue: $0) }, intent: json["intent"])
    }

    var stored: String {
        var json: JSONObject = ["text": .string(text)]
        if let phase { json["phase"] = .string(phase.rawValue) }
        if let intent { json["intent"] = intent }
        return JSONValue.object(json).text
    }
}
