import Simulation

/// A client of the simulation, whatever it speaks.
protocol SimulatedClient: SimulatedPeer {
    /// Whether it waits for nothing.
    var isIdle: Bool { get }
    /// Whether it makes new requests.
    var isWilling: Bool { get set }
    /// Sends some of what is to be sent, or thinks of something new.
    func act()
}

/// What all clients of a run have seen.
final class ClientNotes {
    var whole = 0
    var problems = 0
    var torn = 0
    var givenUp = 0
    var statuses: [Int: Int] = [:]
    var wrong: [String] = []
    var nextID = 1

    /// What is wrong with an answer; nil where nothing is.
    func fault(_ status: Int, _ fields: [String: String], _ body: [UInt8], _ script: Script) -> String? {
        statuses[status, default: 0] += 1
        switch status {
        case 200:
            switch script.plan {
            case .length, .chunked, .untilEnd, .interim, .closing: break
            case .torn where script.method == "HEAD", .tornChunks where script.method == "HEAD": return nil
            default: return "believed a \(script.plan.rawValue)"
            }
            whole += 1
            if fields["x-id"] != "\(script.id)" { return "the answer of \(fields["x-id"] ?? "?")" }
            if script.method == "HEAD" { return body.isEmpty ? nil : "a body to HEAD" }
            return body == Script.pattern(script.id, script.size) ? nil : "other bytes"
        case 403: return script.plan == .early ? nil : "nobody said so"
        case 408, 502, 503, 504:
            problems += 1
            return fields["content-type"] == "application/problem+json" ? nil : "no problem document"
        default: return "unexpected"
        }
    }
}
