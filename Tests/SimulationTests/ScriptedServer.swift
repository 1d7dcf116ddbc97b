import Simulation

/// The server behind the gateway: does what each request's script says, and notes what it was asked.
final class ScriptedServer: SimulatedPeer {
    /// What all connections of a run have seen.
    final class Notes {
        /// Complete requests by id.
        var seen: [Int: Int] = [:]
        /// What must not have come.
        var wrong: [String] = []
        var connections = 0
    }

    private let notes: Notes
    private unowned let network: SimulatedNetwork
    private var reader = MessageReader(isRequest: true)
    private var isOver = false
    private var answeredEarly = false
    private var closesNext = false

    init(_ notes: Notes, _ network: SimulatedNetwork) {
        self.notes = notes
        self.network = network
        notes.connections += 1
    }

    func received(_ bytes: ArraySlice<UInt8>, on wire: SimulatedWire) {
        if isOver { return }
        if closesNext {
            // Kept alive, and closed just as the next request comes.
            isOver = true
            if network.random.oneIn(2) { wire.finish() } else { wire.reset() }
            return
        }
        reader.feed(bytes)
        while !isOver, let message = reader.next(toHead: false, ended: false) { answer(message, on: wire) }
        if reader.isBroken { notes.wrong.append("the gateway sent what is no request") }
        if !isOver, !answeredEarly, let begun = reader.begun, let script = Script(requestLine: begun.startLine),
            script.plan == .early
        {
            answeredEarly = true
            wire.send(Array("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno".utf8))
        }
    }

    func ended(abruptly: Bool, on wire: SimulatedWire) {
        isOver = true
        wire.finish()
    }

    private func answer(_ message: MessageReader.Message, on wire: SimulatedWire) {
        guard let script = Script(requestLine: message.startLine) else {
            notes.wrong.append("an unknown request came: \(message.startLine)")
            isOver = true
            return
        }
        if message.body != Script.pattern(script.id, script.bodySize) {
            notes.wrong.append("\(script.path): the body came as \(message.body.count) other bytes")
        }
        for name in ["x-forwarded-for", "via", "host"] where message.fields[name] == nil {
            notes.wrong.append("\(script.path): no \(name)")
        }
        notes.seen[script.id, default: 0] += 1
        // What is not idempotent is never sent twice. (RFC 9110 §9.2.2)
        if script.method == "POST", notes.seen[script.id, default: 0] > 1 {
            notes.wrong.append("\(script.path): it came twice")
        }
        if answeredEarly {
            answeredEarly = false
            return
        }
        let body = Script.pattern(script.id, script.size)
        let hasBody = script.method != "HEAD"
        let framed = "HTTP/1.1 200 OK\r\nX-Id: \(script.id)\r\n"
        switch script.plan {
        case .length, .interim, .closing:
            if script.plan == .interim {
                for _ in 0..<(1 + network.random.below(3)) {
                    wire.send(Array("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".utf8))
                }
            }
            wire.send(Array((framed + "Content-Length: \(script.size)\r\n\r\n").utf8))
            if hasBody { wire.send(body) }
            closesNext = script.plan == .closing
        case .chunked:
            wire.send(Array((framed + "Transfer-Encoding: chunked\r\n\r\n").utf8))
            if hasBody { wire.send(Script.chunks(body, &network.random)) }
        case .untilEnd:
            wire.send(Array((framed + "\r\n").utf8))
            if hasBody { wire.send(body) }
            end(wire)
        case .early: wire.send(Array("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\n\(hasBody ? "no" : "")".utf8))
        case .torn:
            wire.send(Array((framed + "Content-Length: \(script.size + 1)\r\n\r\n").utf8))
            if hasBody { wire.send(body) }
            end(wire)
        case .tornChunks:
            wire.send(Array((framed + "Transfer-Encoding: chunked\r\n\r\n").utf8))
            wire.send(Array("5\r\nab".utf8))
            end(wire)
        case .garbage:
            wire.send((0..<80).map { _ in UInt8(truncatingIfNeeded: network.random.next()) } + [13, 10, 13, 10])
            end(wire)
        case .silence: end(wire)
        case .reset:
            isOver = true
            wire.reset()
        }
    }

    private func end(_ wire: SimulatedWire) {
        isOver = true
        wire.finish()
    }
}
