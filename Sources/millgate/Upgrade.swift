import Foundation
import Gateway
import Logging
import Reactor

/// SIGUSR2: another program in the same process.
enum Upgrade {
    /// Whether the program that now lies at `program` runs here and finds the configuration good. Asked before anything is
    /// given up, so that a wrong file leaves the gateway as it is.
    static func isGood(_ program: String, config: String, log: Logger) async -> Bool {
        var check = ChildProcess.Configuration(program, ["check", "--config", config])
        check.errors = nil
        do {
            let end = try await ChildProcess(check).end()
            if end == .exit(0) { return true }
            log.error("upgrade refused: the program's `check` ended with \(end)", metadata: ["program": "\(program)"])
        } catch {
            log.error("upgrade refused: the program cannot be run: \(error)", metadata: ["program": "\(program)"])
        }
        return false
    }

    /// Hands over and does not come back.
    static func run(_ program: String, process: GatewayProcess, log: Logger) async throws {
        let listeners = await process.handOver(to: program)
        var environment = ProcessInfo.processInfo.environment
        environment[InheritedListener.variable] = InheritedListener.text(listeners)
        fflush(nil)
        let code = ProcessCalls.replace(
            program: program, arguments: CommandLine.arguments, environment: environment)
        // The stores are closed: whoever supervises the process starts it again.
        throw failure("the upgrade failed: \(program): \(SystemError.text(code))")
    }
}
