import Foundation
import Reactor
import Testing

/// Python with the libraries that `scripts/venv.sh` installs.
enum Python {
    /// Made once for all tests; nil where it could not be made, and why is recorded.
    private static let interpreter: Result<URL, any Error> = Result {
        let script = ChildProcess.Configuration(Millgate.repository.appendingPathComponent("scripts/venv.sh").path)
        guard try ChildProcess(script).wait() == .exit(0) else { throw NotInstalled() }
        return Millgate.repository.appendingPathComponent(".build/venv/bin/python")
    }

    struct NotInstalled: Error {}

    /// Runs a script; what it printed, and whether it was content.
    static func run(_ script: String, _ arguments: [String] = [], in directory: URL) throws -> (
        isContent: Bool, output: String
    ) {
        let name = UUID().uuidString
        let file = directory.appendingPathComponent("script-\(name).py")
        let output = directory.appendingPathComponent("script-\(name).out")
        try script.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        var python = ChildProcess.Configuration(try interpreter.get().path, [file.path] + arguments)
        python.directory = directory.path
        python.output = output.path
        python.errors = output.path
        let end = try ChildProcess(python).wait()
        return (end == .exit(0), try String(contentsOf: output, encoding: .utf8))
    }
}
