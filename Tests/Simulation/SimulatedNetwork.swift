import Bytes
import Glibc
import Reactor
import Seeded

/// All wires of a run, its clock, and the reactor that lives in it.
package final class SimulatedNetwork: StandInNetwork {
    package var random: SeededGenerator
    package private(set) var wires: [SimulatedWire] = []
    /// Steps so far: bytes that moved, and events that were told.
    package private(set) var steps = 0
    package private(set) var now = MonotonicInstant(nanoseconds: 1_000_000_000_000_000)
    package private(set) var wall = WallInstant(seconds: 1_795_000_000)
    /// Who takes the other side of a connection that the code makes; nil refuses it.
    package var connected: ((SimulatedWire) -> (any SimulatedPeer)?)?
    private var layers: [Int32: SimulatedWire] = [:]
    private var made = 0
    private var servers: [ObjectIdentifier: any SimulatedPeer] = [:]

    package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    package func makeReactor() throws -> Reactor { try Reactor(standIn: self, now: now, wall: wall) }

    // MARK: Connections

    private func makeWire() throws(ReactorError) -> (fd: Int32, wire: SimulatedWire) {
        // A number of its own from the kernel, on which nothing ever happens: the reactor's registry is the real one.
        let (fd, other) = try SocketStream.pair()
        Descriptor.discard(other)
        made += 1
        let room = random.oneIn(3) ? 1 + random.below(64) : 1 + random.below(20_000)
        let wire = SimulatedWire(number: made, room: room)
        layers[fd] = wire
        wires.append(wire)
        return (fd, wire)
    }

    /// A connection of a client: hand the descriptor to the code that accepts.
    package func clientConnection(_ peer: any SimulatedPeer) throws(ReactorError) -> (fd: Int32, wire: SimulatedWire) {
        let (fd, wire) = try makeWire()
        wire.peer = peer
        wire.pending = .writable
        return (fd, wire)
    }

    /// Kept while the number is in use: a connection may be handed from one driver to another.
    package func layer(of fd: Int32) -> StreamLayer? { layers[fd] }

    package func connect(_ address: SocketAddress) throws(ReactorError) -> Int32 {
        let (fd, wire) = try makeWire()
        if let peer = connected?(wire) {
            wire.peer = peer
            servers[ObjectIdentifier(wire)] = peer
            wire.isConnecting = true
        } else {
            wire.failConnect(ECONNREFUSED)
        }
        return fd
    }

    // MARK: Steps

    /// How much of something moves: often one byte, sometimes all.
    private func amount() -> Int {
        switch random.below(8) {
        case 0...1: 1
        case 2...3: 1 + random.below(40)
        case 4...6: 1 + random.below(2_000)
        default: .max
        }
    }

    /// Some bytes move, then the reactor has a turn with some of what became ready. `chance` is 0 for a network that only
    /// does its duty.
    package func step(_ reactor: Reactor, chance: Int = 1) {
        for _ in 0..<(1 + random.below(6)) where !wires.isEmpty {
            var wire = wires[random.below(wires.count)]
            for _ in 0..<6 where !(wire.hasInFlight || wire.hasOutgoing || wire.isConnecting) {
                wire = wires[random.below(wires.count)]
            }
            if wire.isConnecting {
                // It stands after a while, if anybody still wants it.
                guard chance == 0 || random.oneIn(6) else { continue }
                wire.isConnecting = false
                if !wire.isClosed { wire.pending.insert(.writable) }
                steps += 1
            } else if wire.hasInFlight, !wire.hasOutgoing || random.oneIn(2) {
                wire.arrive(chance == 0 ? .max : amount())
                steps += 1
            } else if wire.hasOutgoing {
                wire.drain(chance == 0 ? .max : amount())
                steps += 1
            }
        }
        advance(reactor, chance: chance)
        let ready = pickReady(chance: chance)
        reactor.simulateTurn(now: now, wall: wall) {
            for wire in ready {
                let events = wire.pending
                wire.pending = []
                wire.tell(events)
                steps += 1
            }
        }
        if steps & 255 < 8 { sweep() }
    }

    /// Mostly microseconds; now and then to the next timer, or far beyond it.
    private func advance(_ reactor: Reactor, chance: Int) {
        var by = Int64(1 + random.below(200)) * 2_000
        if chance > 0, random.oneIn(400), let next = reactor.nextTimer, next > now {
            by = random.oneIn(4) ? (next - now) + Int64(random.below(40)) * 1_000_000_000 : next - now
        }
        now = now + by
        wall = wall + by
    }

    /// Those that are told this turn, in any order; some are told later, and some for nothing.
    private func pickReady(chance: Int) -> [SimulatedWire] {
        var ready: [SimulatedWire] = []
        for wire in wires where !wire.isClosed {
            if wire.pending.rawValue != 0 {
                if chance == 0 || !random.oneIn(4) { ready.append(wire) }
            } else if chance > 0, random.oneIn(200) {
                wire.pending = random.oneIn(2) ? .readable : .writable
                ready.append(wire)
            }
        }
        ready.shuffle(using: &random)
        return ready
    }

    /// One turn in which everything is told that is ready, while nothing moves.
    package func turn(_ reactor: Reactor) {
        reactor.simulateTurn(now: now, wall: wall) {
            for wire in wires where wire.pending.rawValue != 0 {
                let events = wire.pending
                wire.pending = []
                wire.tell(events)
            }
        }
    }

    /// Jumps to where every deadline has passed.
    package func jump(_ reactor: Reactor, by: Nanoseconds) {
        now = now + by
        wall = wall + by
        reactor.simulateTurn(now: now, wall: wall) {}
    }

    /// Forgets wires of which nothing is left to tell.
    package func sweep() {
        wires.removeAll { wire in
            let isOver = wire.isClosed && !wire.hasOutgoing
            if isOver { servers[ObjectIdentifier(wire)] = nil }
            return isOver
        }
    }
}
