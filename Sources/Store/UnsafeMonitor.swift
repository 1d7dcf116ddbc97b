import Bytes
import CSystem
import Glibc

/// A lock with a condition: state that several threads share, and a way to sleep until it changes.
///
/// `@unchecked Sendable`: `state` is touched in `withLock` and `sleep` only, both of which hold the mutex while they do,
/// and no reference to it leaves their closures but by the caller's own hand.
final class Monitor<State>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: sending State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A deadline must not move when somebody sets the wall clock.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Wakes every thread in `sleep`, which looks again.
    func wake() { pthread_cond_broadcast(condition) }

    /// What a look at the state says.
    enum Look<R> {
        case done(R)
        /// Nothing yet: sleep until `wake`, at most until the instant.
        case wait(until: MonotonicInstant?)
    }

    /// Looks at the state, and sleeps and looks again until the look is done.
    func sleep<R>(_ look: (inout State) -> Look<R>) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch look(&state) {
            case .done(let result):
                return result
            case .wait(nil):
                pthread_cond_wait(condition, mutex)
            case .wait(let deadline?):
                var time = timespec(
                    tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
                    tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
                pthread_cond_timedwait(condition, mutex, &time)
            }
        }
    }
}

/// A thread of our own, outside the pool of Swift's tasks: it may block on the disk.
enum WorkerThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread.
    ///
    /// - Parameter name: shown by `top -H`; at most 15 bytes.
    static func start(_ name: String, _ run: @escaping @Sendable () -> Void) throws(StoreError) {
        let body = Unmanaged.passRetained(
            Body {
                // Glibc's `pthread_setname_np` is not imported; a name is a kindness, so a failure is none.
                let comm = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
                if comm >= 0 {
                    _ = write(comm, name, name.utf8.count)
                    close(comm)
                }
                run()
            })
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        if failure != 0 {
            body.release()
            throw .io(errno: failure, doing: "starting a thread")
        }
        pthread_detach(thread)
    }
}

enum SystemClock {
    @Sendable static func wall() -> WallInstant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    @Sendable static func monotonic() -> MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
