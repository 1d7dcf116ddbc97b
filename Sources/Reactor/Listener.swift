import Bytes

/// A listening socket of one reactor. Several reactors listen on one port by `SO_REUSEPORT`.
public final class Listener: Descriptor {
    /// Connections accepted in one turn at most, so that a flood of them does not starve those that are served.
    static let acceptsPerTurn = 64
    /// How long the listener rests when descriptors ran out.
    static let restAfterExhaustion: Nanoseconds = .milliseconds(100)

    private let accepted: (Int32, SocketAddress) -> Void
    private var isResting = false
    /// Times that the listener had to rest because descriptors ran out.
    public private(set) var exhaustions = 0
    /// Called when descriptors ran out, before the listener rests.
    public var exhausted: (() -> Void)?

    /// Called on the loop with a connected, non-blocking descriptor and its peer.
    public init(
        _ address: SocketAddress, reactor: Reactor, backlog: Int32 = 1_024,
        accepted: @escaping (Int32, SocketAddress) -> Void
    ) throws(ReactorError) {
        self.accepted = accepted
        let fd = try SocketCalls.listen(address, backlog: backlog)
        try super.init(fd: fd, reactor: reactor, events: .readLevel)
    }

    /// Goes on with a socket that listens already: one of `descriptorForExec`, of the program before this one. Takes it
    /// over in any case.
    public init(
        inherited fd: Int32, reactor: Reactor, accepted: @escaping (Int32, SocketAddress) -> Void
    ) throws(ReactorError) {
        self.accepted = accepted
        try super.init(fd: fd, reactor: reactor, events: .readLevel)
    }

    /// The address of an inherited socket, nil when the number is no listening socket of this process.
    public static func inheritedAddress(_ fd: Int32) -> SocketAddress? {
        SocketCalls.adopt(fd) ? SocketCalls.localAddress(fd) : nil
    }

    /// A second descriptor of this socket for the next program in this process. Connections that come meanwhile wait in
    /// the socket's backlog.
    public func descriptorForExec() -> Int32? {
        let number = SocketCalls.duplicateForExec(fd)
        return number < 0 ? nil : number
    }

    /// Throws where another process listens at the address: with `SO_REUSEPORT` the two would share its connections
    /// without a word.
    public static func expectFree(_ address: SocketAddress) throws(ReactorError) {
        try SocketCalls.expectFree(address)
    }

    /// The address with the port that the kernel chose where 0 was asked.
    public var address: SocketAddress { SocketCalls.localAddress(fd) }

    override public func ready(_ events: ReadyEvents) {
        for _ in 0..<Self.acceptsPerTurn {
            switch SocketCalls.accept(fd) {
            case .connection(let descriptor, let peer):
                if descriptor < 0 { continue }
                accepted(descriptor, peer)
                if !isOpen { return }
            case .nothing:
                return
            case .exhausted:
                rest()
                return
            }
        }
    }

    /// Stops accepting for a moment: the kernel keeps the waiting connections in its backlog.
    private func rest() {
        exhaustions += 1
        exhausted?()
        if !isOpen { return }
        isResting = true
        reactor.pausePolling(self)
        setDeadline(reactor.now + Self.restAfterExhaustion)
    }

    override public func timedOut() {
        guard isResting else { return }
        isResting = false
        do throws(ReactorError) {
            try reactor.resumePolling(self, events: .readLevel)
        } catch {
            rest()
        }
    }

    public func close() { closeDescriptor() }
}
