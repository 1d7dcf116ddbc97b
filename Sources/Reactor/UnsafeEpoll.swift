import Bytes
import CSystem
import Glibc

/// The epoll descriptor and its event array.
public final class Epoll {
    /// What a registration asks to be told.
    public enum Interest {
        /// Reading and writing, edge-triggered: registered once, no further system call per request.
        case readWriteEdge
        /// Reading, level-triggered: for listeners, which accept a bounded number a turn.
        case readLevel
    }

    private let fd: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private static let capacity = 256

    init() throws(ReactorError) {
        fd = epoll_create1(Int32(EPOLL_CLOEXEC))
        if fd < 0 { throw .system(call: "epoll_create1", code: errno) }
        events = .allocate(capacity: Self.capacity)
    }

    deinit {
        Glibc.close(fd)
        events.deallocate()
    }

    func add(_ descriptor: Int32, data: UInt64, oneDirection: Bool = false) throws(ReactorError) {
        try add(descriptor, data: data, interest: oneDirection ? .readLevel : .readWriteEdge)
    }

    func add(_ descriptor: Int32, data: UInt64, interest: Interest) throws(ReactorError) {
        var event = epoll_event()
        switch interest {
        case .readWriteEdge:
            event.events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        case .readLevel:
            event.events = EPOLLIN.rawValue
        }
        event.data.u64 = data
        if epoll_ctl(fd, EPOLL_CTL_ADD, descriptor, &event) < 0 { throw .system(call: "epoll_ctl", code: errno) }
    }

    func remove(_ descriptor: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(fd, EPOLL_CTL_DEL, descriptor, &event)
    }

    /// Number of events, 0 after a timeout or an interrupting signal. -1 milliseconds waits without end.
    func wait(milliseconds: Int32) -> Int {
        max(0, Int(epoll_wait(fd, events, Int32(Self.capacity), milliseconds)))
    }

    @inline(__always)
    func event(_ i: Int) -> (data: UInt64, events: ReadyEvents) {
        (events[i].data.u64, ReadyEvents(rawValue: events[i].events))
    }
}

/// The kernel's clocks.
public enum Clock {
    public static func monotonic() -> MonotonicInstant {
        var t = timespec()
        clock_gettime(CLOCK_MONOTONIC, &t)
        return MonotonicInstant(nanoseconds: Int64(t.tv_sec) &* 1_000_000_000 &+ Int64(t.tv_nsec))
    }

    public static func wall() -> WallInstant {
        var t = timespec()
        clock_gettime(CLOCK_REALTIME, &t)
        return WallInstant(nanoseconds: Int64(t.tv_sec) &* 1_000_000_000 &+ Int64(t.tv_nsec))
    }
}

/// Texts for errno.
public enum SystemError {
    public static func text(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}

/// An eventfd that wakes a loop from another thread.
struct WakeDescriptor: Sendable {
    let fd: Int32

    init() throws(ReactorError) {
        fd = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if fd < 0 { throw .system(call: "eventfd", code: errno) }
    }

    func signal() {
        var one: UInt64 = 1
        _ = Glibc.write(fd, &one, 8)
    }

    func drain() {
        var value: UInt64 = 0
        _ = Glibc.read(fd, &value, 8)
    }
}

/// A thread with a name, detached.
public enum ThreadCalls {
    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts `body` on a new thread. Names longer than 15 bytes are cut, as Linux wants.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(ReactorError) {
        pthread_detach(try create(name, body))
    }

    /// The same; what it answers waits for the thread's end, and must be called once.
    public static func begin(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(ReactorError) -> @Sendable () -> Void {
        let thread = try create(name, body)
        return { pthread_join(thread, nil) }
    }

    private static func create(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(ReactorError) -> pthread_t {
        let short = String(name.prefix(15))
        let box = Unmanaged.passRetained(
            Box {
                csystem_name_thread(short)
                body()
            })
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        if code != 0 {
            box.release()
            throw .system(call: "pthread_create", code: code)
        }
        return thread
    }

    /// A number that is the same on the same thread and differs between living threads.
    static func current() -> UInt { UInt(pthread_self()) }
}
