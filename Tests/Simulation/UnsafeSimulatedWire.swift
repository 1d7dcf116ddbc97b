import Reactor

/// One connection between the code under test and a script, as the layer under the code's stream.
///
/// Towards the code bytes are first in flight (`send`), then arrived (`arrive`), then read. From the code they are taken as
/// far as there is room, and reach the script by `drain`.
package final class SimulatedWire: StreamLayer {
    package let number: Int
    package weak var peer: (any SimulatedPeer)?
    package private(set) weak var stream: SocketStream?
    /// Bytes that the code's socket takes before it says "not now".
    package var room: Int

    private var inFlight: [UInt8] = []
    private var inFlightStart = 0
    private var finFlies = false
    private var arrived: [UInt8] = []
    private var arrivedStart = 0
    private var finArrived = false
    private var outgoing: [UInt8] = []
    private var outgoingStart = 0
    private var isFinished = false
    private var isReset = false
    private var wasBlocked = false
    /// Whether the code has closed its side.
    package private(set) var isClosed = false
    private var toldEnd = false
    /// Events that are to be told of.
    package var pending: ReadyEvents = []
    package private(set) var connectCode: Int32 = 0
    /// Whether the connection does not stand yet.
    package var isConnecting = false

    package init(number: Int, room: Int) {
        self.number = number
        self.room = room
    }

    // MARK: For the script

    /// Puts bytes on the way to the code.
    package func send(_ bytes: some Sequence<UInt8>) {
        guard !finFlies, !isReset else { return }
        inFlight.append(contentsOf: bytes)
    }

    /// The script sends nothing more.
    package func finish() { finFlies = true }

    /// The script's side is gone at once.
    package func reset() {
        isReset = true
        inFlight = []
        inFlightStart = 0
        pending.formUnion([.readable, .writable, .broken, .peerFinished])
    }

    /// The connection attempt fails.
    package func failConnect(_ code: Int32) {
        connectCode = code
        isReset = true
        pending.formUnion([.broken, .writable])
    }

    // MARK: For the network

    package var hasInFlight: Bool { inFlightStart < inFlight.count || (finFlies && !finArrived) }
    package var hasOutgoing: Bool { outgoingStart < outgoing.count || ((isFinished || isClosed) && !toldEnd) }
    package var inFlightCount: Int { inFlight.count - inFlightStart }
    package var outgoingCount: Int { outgoing.count - outgoingStart }
    /// Bytes in the code's socket that it has not read.
    package var unreadCount: Int { arrived.count - arrivedStart }

    /// Lets up to `count` bytes arrive.
    package func arrive(_ count: Int) {
        guard !isReset, !isClosed else {
            inFlight = []
            inFlightStart = 0
            finArrived = finFlies
            return
        }
        let n = min(count, inFlightCount)
        if n > 0 {
            arrived.append(contentsOf: inFlight[inFlightStart..<inFlightStart + n])
            inFlightStart += n
            pending.insert(.readable)
        }
        if inFlightStart == inFlight.count {
            inFlight.removeAll(keepingCapacity: true)
            inFlightStart = 0
            if finFlies && !finArrived {
                finArrived = true
                pending.formUnion([.readable, .peerFinished])
            }
        }
    }

    /// Gives up to `count` bytes that the code has sent to the script.
    package func drain(_ count: Int) {
        let n = min(count, outgoingCount)
        if n > 0 {
            let slice = outgoing[outgoingStart..<outgoingStart + n]
            outgoingStart += n
            peer?.received(slice, on: self)
            if outgoingStart == outgoing.count {
                outgoing.removeAll(keepingCapacity: true)
                outgoingStart = 0
            }
            if wasBlocked && !isClosed {
                wasBlocked = false
                pending.insert(.writable)
            }
        }
        if outgoingStart == outgoing.count, isFinished || isClosed, !toldEnd {
            toldEnd = true
            peer?.ended(abruptly: isReset, on: self)
        }
    }

    /// Tells the stream what is pending, as epoll would.
    package func tell(_ events: ReadyEvents) {
        guard let stream, stream.isOpen else { return }
        stream.ready(events)
    }

    // MARK: For the stream

    override package var isDrainedByShortRead: Bool { true }

    override package func attach(_ stream: SocketStream) { self.stream = stream }

    override package func read(_ into: UnsafeMutableRawBufferPointer) -> Int {
        if isReset { return -2 }
        let n = min(unreadCount, into.count)
        if n == 0 { return finArrived ? 0 : -1 }
        for i in 0..<n { into[i] = arrived[arrivedStart + i] }
        arrivedStart += n
        if arrivedStart == arrived.count {
            arrived.removeAll(keepingCapacity: true)
            arrivedStart = 0
        }
        return n
    }

    override package func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        if isReset || isFinished { return -2 }
        let n = min(bytes.count, max(0, room - outgoingCount))
        if n < bytes.count { wasBlocked = true }
        if n == 0 { return -1 }
        outgoing.append(contentsOf: bytes[0..<n])
        return n
    }

    override package func finishSending(_ fd: Int32) { isFinished = true }

    override package func close(_ fd: Int32, abruptly: Bool) {
        isClosed = true
        pending = []
        // Bytes that the code never read make the kernel send a reset, which may overtake what is under way.
        if abruptly {
            isReset = true
            outgoing.removeAll()
            outgoingStart = 0
        }
    }

    override package func pendingError(_ fd: Int32) -> Int32 { connectCode }
}
