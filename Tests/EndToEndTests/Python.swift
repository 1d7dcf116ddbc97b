import Foundation
import Testing

/// Python with the libraries that `scripts/venv.sh` installs.
enum Python {
    /// Made once for all tests; nil where it could not be made, and why is recorded.
    private static let interpreter: Result<URL, any Error> = Result {
        let process = Process()
        process.executableURL = Millgate.repository.appendingPathComponent("scripts/venv.sh")
        process.currentDirectoryURL = Millgate.repository
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw NotInstalled() }
        return Millgate.repository.appendingPathComponent(".build/venv/bin/python")
    }

    struct NotInstalled: Error {}

    /// Runs a script; what it printed, and whether it was content.
    static func run(_ script: String, _ arguments: [String] = [], in directory: URL) throws -> (
        status: Int32, output: String
    ) {
        let process = Process()
        process.executableURL = try interpreter.get()
        let file = directory.appendingPathComponent("script-\(UUID().uuidString).py")
        try script.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        process.arguments = [file.path] + arguments
        process.currentDirectoryURL = directory
        let output = directory.appendingPathComponent("script-\(UUID().uuidString).out")
        try Data().write(to: output)
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
    }
}
