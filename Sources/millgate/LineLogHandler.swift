import Foundation
import JSON
import Logging
import Reactor

/// Writes one line per message to standard error, as text for people or as JSON for collectors.
struct LineLogHandler: LogHandler {
    let label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let isJSON: Bool

    init(label: String, level: Logger.Level, isJSON: Bool) {
        self.label = label
        logLevel = level
        self.isJSON = isJSON
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let time = Clock.wall().rfc3339
        let line: String
        if isJSON {
            var members: [(String, JSONValue)] = [
                ("time", .string(time)), ("level", .string(event.level.rawValue)),
                ("message", .string(event.message.description)),
            ]
            members += all.map { ($0.key, .string($0.value.description)) }
            line = JSONValue.object(JSONObject(members)).text
        } else {
            let rest = all.map { " \($0.key)=\($0.value)" }.joined()
            line =
                "\(time) \(event.level.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)) \(event.message)\(rest)"
        }
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
