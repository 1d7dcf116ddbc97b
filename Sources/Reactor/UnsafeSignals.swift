import CSystem
import Glibc

/// Signals to the process, as calls that wait.
public enum SignalCalls {
    /// From now on SIGTERM, SIGINT, SIGHUP and SIGUSR2 only come out of `wait`. They are caught, not blocked: the runtime has
    /// threads of its own, the main one among them, whose masks nobody else can set. SIGPIPE is ignored: a peer that is
    /// gone is told by the write's error.
    public static func catchAll() throws(ReactorError) {
        let code = csystem_signals_catch()
        if code != 0 { throw .system(call: "sigaction", code: code) }
    }

    /// Blocks this thread until one of them comes; its number.
    public static func wait() -> Int32 { csystem_signals_wait() }
}
