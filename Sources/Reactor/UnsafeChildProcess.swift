import CSystem
import Glibc
import Synchronization

/// Another program, started by this one.
///
/// By `posix_spawn`, and not Foundation's `Process`: that one reads beyond a buffer when it looks for open descriptors
/// in a process that has many, which a gateway has. Only the three standard streams reach the child, with no signal
/// blocked or ignored.
public final class ChildProcess: Sendable {
    /// What the child is to be.
    public struct Configuration: Sendable {
        /// Path of the program, or a name that is looked for in `PATH`.
        public var program: String
        /// Without the program's own name.
        public var arguments: [String]
        /// Added to this process's own environment, or in place of what it has there.
        public var environment: [String: String] = [:]
        /// Where it starts; nil for where this process is.
        public var directory: String?
        /// File that it reads.
        public var input = "/dev/null"
        /// File that takes what it prints, made or emptied; nil for where this process prints.
        public var output: String? = "/dev/null"
        /// File that takes its errors; nil for where this process prints them. The same path as `output` for both in one.
        public var errors: String? = "/dev/null"

        public init(_ program: String, _ arguments: [String] = []) {
            self.program = program
            self.arguments = arguments
        }
    }

    /// How it ended.
    public enum End: Sendable, Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    public let id: Int32
    /// Set by whoever collected it: after that its id may be another process's.
    private let end = Mutex<End?>(nil)

    /// Starts it.
    ///
    /// - Throws: what the system said, as when there is no such program.
    public init(_ configuration: Configuration) throws(ReactorError) {
        var variables = ProcessCalls.environment
        for (name, value) in configuration.environment { variables[name] = value }
        var child: pid_t = 0
        let code = ProcessCalls.withPointers([configuration.program] + configuration.arguments) { argv in
            ProcessCalls.withPointers(variables.map { "\($0.key)=\($0.value)" }) { envp in
                csystem_spawn(
                    &child, configuration.program, argv, envp, configuration.input, configuration.output,
                    configuration.errors, configuration.directory)
            }
        }
        guard code == 0 else { throw .system(call: "posix_spawn", code: code) }
        id = child
    }

    /// Whoever gives it up before it ended leaves no zombie: others in this process may wait for any child, and would be
    /// told of that one for ever.
    deinit {
        guard ended == nil else { return }
        let id = id
        try? ThreadCalls.start(name: "child") { while waitpid(id, nil, 0) < 0 && errno == EINTR {} }
    }

    /// How it ended; nil while it runs.
    public var ended: End? {
        end.withLock { end in
            if end == nil { end = collect() }
            return end
        }
    }

    /// Waits for it. Holds the thread.
    @discardableResult public func wait() -> End {
        while true {
            if let ended { return ended }
            // Leaves it to be collected under the lock, so that no two ask for it.
            var info = siginfo_t()
            while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        }
    }

    /// Waits for it on a thread of its own.
    @discardableResult public func end() async -> End {
        await withCheckedContinuation { continuation in
            do throws(ReactorError) {
                try ThreadCalls.start(name: "child") { continuation.resume(returning: self.wait()) }
            } catch {
                continuation.resume(returning: wait())
            }
        }
    }

    /// Sends a signal, unless it has ended.
    public func send(_ signal: Int32) {
        // Under the lock: nobody collects it meanwhile, so that the id is still its own.
        end.withLock { end in
            if end == nil { end = collect() }
            if end == nil { kill(id, signal) }
        }
    }

    private func collect() -> End? {
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG) == id else { return nil }
        // As the macros WIFEXITED, WEXITSTATUS and WTERMSIG of sys/wait.h.
        let signal = status & 0x7f
        return signal == 0 ? .exit((status >> 8) & 0xff) : .signal(signal)
    }
}
