import Foundation
import Glibc
import Reactor
import Testing

/// Runs the built program as a person does.
struct Millgate {
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Beside the test bundle, wherever the build directory is.
    static let program: URL? = {
        let nearby = (CommandLine.arguments + [Bundle.main.bundlePath]).filter { $0.hasPrefix("/") }
            .flatMap { path -> [URL] in
                var url = URL(fileURLWithPath: path)
                var found: [URL] = []
                while url.pathComponents.count > 1 {
                    url.deleteLastPathComponent()
                    found.append(url.appendingPathComponent("millgate"))
                }
                return found
            }
        let usual = repository.appendingPathComponent(".build/debug/millgate")
        return (nearby + [usual]).first { url in
            var isDirectory = ObjCBool(false)
            return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
                && !isDirectory.boolValue && FileManager.default.isExecutableFile(atPath: url.path)
        }
    }()

    struct NotBuilt: Error {}

    static func built() throws -> URL {
        guard let program else { throw NotBuilt() }
        return program
    }

    /// Working directory of each run.
    let directory: URL

    /// - Parameter environment: added to this process's own.
    func run(_ arguments: [String], input: String? = nil, environment: [String: String] = [:]) throws -> Result {
        // Files, because a pipe that nobody reads fills up.
        let name = UUID().uuidString
        let output = path(".output-\(name)")
        let errors = path(".errors-\(name)")
        let typed = path(".input-\(name)")
        defer { for file in [output, errors, typed] { try? FileManager.default.removeItem(atPath: file) } }
        var program = ChildProcess.Configuration(try Self.built().path, arguments)
        program.directory = directory.path
        program.environment = environment
        program.output = output
        program.errors = errors
        if let input {
            try input.write(toFile: typed, atomically: true, encoding: .utf8)
            program.input = typed
        }
        let status: Int32 =
            switch try ChildProcess(program).wait() {
            case .exit(let code): code
            // As a shell says it.
            case .signal(let signal): 128 + signal
            }
        func read(_ file: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
        }
        return Result(status: status, output: try read(output), errors: try read(errors))
    }

    /// Starts the program and leaves it running.
    ///
    /// - Parameter output: file that takes what it prints.
    func start(_ arguments: [String], output: String = "output") throws -> Started {
        try start(try Self.built().path, arguments, output: output)
    }

    /// Starts curl and leaves it running.
    func startCurl(_ arguments: [String], output: String) throws -> Started {
        try start("curl", arguments, output: output)
    }

    private func start(_ program: String, _ arguments: [String], output: String) throws -> Started {
        var configuration = ChildProcess.Configuration(program, arguments)
        configuration.directory = directory.path
        configuration.output = path(output)
        configuration.errors = path(output)
        return Started(try ChildProcess(configuration))
    }

    /// Runs `body`, which waits for nothing asynchronous, in a fresh directory and removes it.
    static func inDirectory(_ body: (Millgate) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("millgate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(Millgate(directory: directory))
    }

    /// Runs `body` in a fresh directory and removes it.
    static func withDirectory<T>(_ body: (Millgate) async throws -> T) async throws -> T {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("millgate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(Millgate(directory: directory))
    }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    /// Whether the file is there and has this text.
    func contains(_ part: String, _ name: String) -> Bool { (try? text(name))?.contains(part) ?? false }

    func write(_ text: String, to name: String) throws {
        try FileManager.default.createDirectory(
            at: directory.appendingPathComponent(name).deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    /// Permission bits; nil when there is no such file.
    func mode(_ name: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path(name))
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }
}

/// A program that runs. It is ended when nobody holds this any more.
final class Started: Sendable {
    private let process: ChildProcess

    init(_ process: ChildProcess) { self.process = process }

    deinit { process.send(SIGTERM) }

    var isRunning: Bool { process.ended == nil }

    /// The exit status; nil while it runs, and when a signal ended it.
    var status: Int32? { if case .exit(let code) = process.ended { code } else { nil } }

    func send(_ signal: Int32) { process.send(signal) }
}
