/// What stands between a stream and its socket: TLS, or in tests a simulated network.
///
/// A stream without a layer calls the kernel directly. So the one check that cleartext pays is the one for TLS that it paid
/// before, and the real drivers run in the simulation as they are.
open class StreamLayer {
    public init() {}

    /// Whether the read that has just not filled its buffer has emptied the socket, as in the kernel.
    open var isDrainedByShortRead: Bool { false }

    /// The stream that this belongs to: once, when its descriptor is registered.
    open func attach(_ stream: SocketStream) {}

    /// Readiness to read was told; `peerFinished` says that the peer will send no more.
    open func noteReadable(peerFinished: Bool) {}

    /// Bytes read, 0 at a clean end, -1 for "not now", -2 for an error.
    open func read(_ into: UnsafeMutableRawBufferPointer) -> Int { -2 }

    /// Bytes written, -1 for "not now", -2 for an error.
    open func write(_ bytes: UnsafeRawBufferPointer) -> Int { -2 }

    /// Nothing more will be sent.
    open func finishSending(_ fd: Int32) { SocketCalls.shutdownWriting(fd) }

    /// The descriptor is about to be closed.
    open func close(_ fd: Int32, abruptly: Bool) { if abruptly { SocketCalls.resetOnClose(fd) } }

    /// How a connection attempt ended: 0, or errno.
    open func pendingError(_ fd: Int32) -> Int32 { SocketCalls.pendingError(fd) }
}

/// A network in place of the kernel's, for the simulation. (`Tests/Simulation`)
package protocol StandInNetwork: AnyObject {
    /// What carries the bytes of a descriptor.
    func layer(of fd: Int32) -> StreamLayer?
    /// Begins a connection; a descriptor of which readiness is told as of a real one.
    func connect(_ address: SocketAddress) throws(ReactorError) -> Int32
}
