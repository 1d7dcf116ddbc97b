import Glibc

/// The signals that a server takes, waited for on a thread of their own.
public enum SignalCalls {
    private static func set() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        return set
    }

    /// A peer that is gone is told by the write's error, not by a signal.
    public static func ignorePipe() { signal(SIGPIPE, SIG_IGN) }

    /// Blocks SIGTERM, SIGINT and SIGHUP in this thread and those that it starts.
    public static func block() {
        var wanted = set()
        pthread_sigmask(SIG_BLOCK, &wanted, nil)
    }

    /// Waits for one of them; its number.
    public static func wait() -> Int32 {
        var wanted = set()
        var number: Int32 = 0
        while sigwait(&wanted, &number) != 0 {}
        return number
    }
}
