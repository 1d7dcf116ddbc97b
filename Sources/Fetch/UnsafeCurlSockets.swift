import CSystem
import Glibc
import Reactor

/// The sockets of all multi handles of one reactor, in an epoll set whose descriptor is this object: the reactor sees it
/// readable while any of them is ready.
///
/// So libcurl may open, close and reuse numbers as it likes without the reactor's registrations being touched, and
/// answers that come together, from whatever servers, are taken in one turn and with one call.
final class CurlSockets: Descriptor {
    private var loops: [UInt32: CurlLoop] = [:]
    private var nextNumber: UInt32 = 0
    /// Loops that want to be called as soon as libcurl is not at work.
    private var due: [CurlLoop] = []
    private let events: UnsafeMutablePointer<epoll_event>

    /// Sockets that are taken in one go.
    private static let batch = 128

    init(reactor: Reactor) throws(ReactorError) {
        let set = epoll_create1(Int32(EPOLL_CLOEXEC))
        if set < 0 { throw .system(call: "epoll_create1", code: errno) }
        events = .allocate(capacity: Self.batch)
        events.initialize(repeating: epoll_event(), count: Self.batch)
        try super.init(fd: set, reactor: reactor, events: .readLevel)
    }

    deinit { events.deallocate() }

    /// Takes a loop in; gives its number, which stands in epoll's data beside the socket.
    func add(_ loop: CurlLoop) -> UInt32 {
        nextNumber &+= 1
        loops[nextNumber] = loop
        return nextNumber
    }

    func remove(_ number: UInt32) { loops[number] = nil }

    /// Calls `timedOut` of the loop at the end of the turn.
    func call(_ loop: CurlLoop) {
        guard !loop.isDue else { return }
        loop.isDue = true
        due.append(loop)
        wantEndOfTurn()
    }

    func watch(_ socket: curl_socket_t, _ what: Int32, of number: UInt32) {
        var event = epoll_event()
        event.data.u64 = UInt64(number) << 32 | UInt64(UInt32(bitPattern: socket))
        switch what {
        case CURL_POLL_IN: event.events = EPOLLIN.rawValue
        case CURL_POLL_OUT: event.events = EPOLLOUT.rawValue
        case CURL_POLL_INOUT: event.events = EPOLLIN.rawValue | EPOLLOUT.rawValue
        default:
            // Closing a descriptor takes it out of the set as well; then this finds nothing.
            _ = epoll_ctl(fd, EPOLL_CTL_DEL, socket, &event)
            return
        }
        if epoll_ctl(fd, EPOLL_CTL_MOD, socket, &event) < 0, errno == ENOENT {
            _ = epoll_ctl(fd, EPOLL_CTL_ADD, socket, &event)
        }
    }

    override func ready(_: ReadyEvents) {
        let count = Int(epoll_wait(fd, events, Int32(Self.batch), 0))
        for i in 0..<max(0, count) {
            let (flags, data) = (events[i].events, events[i].data.u64)
            // A loop may have been closed by what came before.
            guard let loop = loops[UInt32(truncatingIfNeeded: data >> 32)] else { continue }
            var mask: Int32 = 0
            if flags & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_IN }
            if flags & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
            if flags & EPOLLERR.rawValue != 0 { mask |= CURL_CSELECT_ERR }
            loop.act(curl_socket_t(bitPattern: UInt32(truncatingIfNeeded: data)), mask)
        }
    }

    override func endOfTurn() {
        let loops = due
        due.removeAll(keepingCapacity: true)
        for loop in loops {
            loop.isDue = false
            loop.timedOut()
        }
    }
}
