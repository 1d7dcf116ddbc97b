import ArgumentParser
import JSON

/// What every command about one subscriber takes.
struct SubscriberOptions: ParsableArguments {
    @OptionGroup var gateway: AdminOptions

    @Argument(help: "The subscriber's name.")
    var name: String

    /// Asks at `/webhooks/NAME` and what follows; where there is a body, with who asks.
    func ask(_ method: String, _ path: String, _ body: JSONObject? = nil) async throws -> JSONValue {
        var body = body
        body?["by"] = .string(gateway.actor)
        return try await gateway.ask(method, "/webhooks/\(name)\(path)", body)
    }

    /// The same for what has nothing to show but that it was done.
    func does(_ method: String, _ path: String, _ body: JSONObject = JSONObject(), done: String) async throws {
        let answer = try await ask(method, path, body)
        print(gateway.json ? answer.text : "\(done): \(name)")
    }
}
