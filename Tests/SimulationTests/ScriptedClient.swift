import Simulation

/// A client that pipelines, dawdles, gives up and comes again, and checks every answer to the byte.
final class ScriptedClient: SimulatedClient {
    private let notes: ClientNotes
    private unowned let network: SimulatedNetwork
    private let connect: (ScriptedClient) -> SimulatedWire?
    private(set) var wire: SimulatedWire?
    private var reader = MessageReader(isRequest: false)
    /// Sent and not answered, in order.
    private var open: [Script] = []
    private var unsent: [UInt8] = []
    private var unsentStart = 0
    private var isLast = false
    /// Whether it makes new requests.
    var isWilling = true

    init(_ notes: ClientNotes, _ network: SimulatedNetwork, connect: @escaping (ScriptedClient) -> SimulatedWire?) {
        self.notes = notes
        self.network = network
        self.connect = connect
    }

    /// Whether it waits for nothing.
    var isIdle: Bool { open.isEmpty && unsentStart == unsent.count }

    /// Sends some of what is to be sent, or thinks of something new.
    func act() {
        guard let wire else {
            if isWilling { begin() }
            return
        }
        if unsentStart < unsent.count {
            let left = unsent.count - unsentStart
            let n = network.random.oneIn(2) ? left : min(left, 1 + network.random.below(900))
            wire.send(unsent[unsentStart..<unsentStart + n])
            unsentStart += n
            if unsentStart == unsent.count {
                unsent.removeAll(keepingCapacity: true)
                unsentStart = 0
            }
        } else if isWilling, !isLast, open.count < 4 {
            ask()
        }
        if isWilling, network.random.oneIn(150) { giveUp(wire) }
    }

    private func begin() {
        reader = MessageReader(isRequest: false)
        open = []
        unsent = []
        unsentStart = 0
        isLast = false
        wire = connect(self)
    }

    private func ask() {
        let script = Script(notes.nextID, &network.random)
        notes.nextID += 1
        isLast = network.random.oneIn(30)
        open.append(script)
        unsent += script.request(
            chunked: network.random.oneIn(2), expects: network.random.oneIn(8), closes: isLast, &network.random)
    }

    private func giveUp(_ wire: SimulatedWire) {
        notes.givenUp += open.count
        open = []
        unsent = []
        unsentStart = 0
        self.wire = nil
        switch network.random.below(3) {
        case 0: wire.finish()
        case 1: wire.reset()
        default:
            // In the middle of whatever it was: no chunk, no head.
            wire.send(Array("\u{0}\r\n\r\n".utf8))
            wire.finish()
        }
    }

    // MARK: What comes

    func received(_ bytes: ArraySlice<UInt8>, on wire: SimulatedWire) {
        guard wire === self.wire else { return }
        reader.feed(bytes)
        take(ended: false)
    }

    func ended(abruptly: Bool, on wire: SimulatedWire) {
        guard wire === self.wire else { return }
        if !abruptly { take(ended: true) }
        // Whatever is begun now must not look whole; and what was not answered was cut off.
        notes.torn += open.count
        open = []
        unsent = []
        unsentStart = 0
        wire.finish()
        self.wire = nil
    }

    private func take(ended: Bool) {
        while let message = reader.next(toHead: open.first?.method == "HEAD", ended: ended) {
            if message.status / 100 == 1 {
                if message.status != 100 { notes.wrong.append("an interim answer came through: \(message.startLine)") }
                continue
            }
            guard let script = open.first else {
                notes.wrong.append("an answer came unasked: \(message.startLine)")
                return
            }
            open.removeFirst()
            if let fault = notes.fault(message.status, message.fields, message.body, script) {
                notes.wrong.append("\(script.path): \(message.startLine), \(message.body.count) bytes: \(fault)")
            }
            if message.fields["connection"] == "close" {
                // What was sent behind it is not answered.
                notes.torn += open.count
                open = []
                isLast = true
            }
        }
        if reader.isBroken { notes.wrong.append("the gateway sent what is no answer") }
    }
}
