import Bytes

/// A file descriptor that the reactor watches. Subclasses answer readiness, the deadline, and the end of a turn.
open class Descriptor {
    /// The descriptor's number; -1 once closed.
    public private(set) final var fd: Int32
    /// The reactor that it lives on.
    public let reactor: Reactor
    final var slot: UInt32 = .max
    final var isDeferred = false

    private final var timer = TimerWheel.TimerID.none
    private final var timerAt = MonotonicInstant(nanoseconds: .max)
    private final var deadline = MonotonicInstant(nanoseconds: .max)

    public final var isOpen: Bool { fd >= 0 }

    /// Takes over `fd` and registers it.
    public init(fd: Int32, reactor: Reactor, events: Epoll.Interest = .readWriteEdge) throws(ReactorError) {
        self.fd = fd
        self.reactor = reactor
        try reactor.register(self, events: events)
    }

    deinit {
        if fd >= 0 { SocketCalls.close(fd) }
    }

    // MARK: To override

    /// The descriptor became readable, writable or broken.
    open func ready(_ events: ReadyEvents) {}
    /// The deadline passed.
    open func timedOut() {}
    /// The turn in which `wantEndOfTurn` was called ends.
    open func endOfTurn() {}

    // MARK: For subclasses and their owners

    /// Sets the one deadline of this descriptor. Moving it later costs a store: the timer that is already in the wheel
    /// finds out when it fires and goes back.
    public final func setDeadline(_ at: MonotonicInstant) {
        deadline = at
        if timerAt <= at { return }
        if timerAt.nanoseconds != .max { reactor.cancelTimer(timer) }
        timer = reactor.addTimer(self, at: at)
        timerAt = at
    }

    public final func clearDeadline() { deadline = MonotonicInstant(nanoseconds: .max) }

    final func timerFired() {
        timerAt = MonotonicInstant(nanoseconds: .max)
        if deadline.nanoseconds == .max { return }
        if deadline <= reactor.now {
            deadline = MonotonicInstant(nanoseconds: .max)
            timedOut()
        } else {
            timer = reactor.addTimer(self, at: deadline)
            timerAt = deadline
        }
    }

    public final func wantEndOfTurn() { reactor.deferToEndOfTurn(self) }

    /// Closes the descriptor. Afterwards nothing is called on it.
    public final func closeDescriptor() {
        guard fd >= 0 else { return }
        if timerAt.nanoseconds != .max {
            reactor.cancelTimer(timer)
            timerAt = MonotonicInstant(nanoseconds: .max)
        }
        reactor.unregister(self)
        SocketCalls.close(fd)
        fd = -1
    }

    /// Closes a number that nobody owns.
    public static func discard(_ fd: Int32) { SocketCalls.close(fd) }

    /// Takes the number out of this object without closing it, to hand it to another owner.
    public final func releaseDescriptor() -> Int32 {
        let number = fd
        guard number >= 0 else { return -1 }
        if timerAt.nanoseconds != .max { reactor.cancelTimer(timer) }
        timerAt = MonotonicInstant(nanoseconds: .max)
        reactor.pausePolling(self)
        reactor.unregister(self)
        fd = -1
        return number
    }
}

/// What epoll said of a descriptor.
public struct ReadyEvents: OptionSet, Sendable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Bytes, a connection or an end can be read.
    public static let readable = ReadyEvents(rawValue: 1)
    /// Bytes can be written.
    public static let writable = ReadyEvents(rawValue: 4)
    /// An error or a full hang-up.
    public static let broken = ReadyEvents(rawValue: 8 | 16)
    /// The peer has finished sending.
    public static let peerFinished = ReadyEvents(rawValue: 0x2000)
}
