import Foundation
import Glibc
import Synchronization
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

    private static let launching = Mutex(())

    /// Starts one process after the other: `Process.run` was seen to read beyond a page while others ran beside it.
    static func launch(_ process: Process) throws { try launching.withLock { _ in try process.run() } }

    struct NotBuilt: Error {}

    static func built() throws -> URL {
        guard let program else { throw NotBuilt() }
        return program
    }

    /// Working directory of each run.
    let directory: URL

    /// - Parameter environment: added to this process's own.
    func run(_ arguments: [String], input: String? = nil, environment: [String: String] = [:]) throws -> Result {
        let process = Process()
        process.executableURL = try Self.built()
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, because a pipe that nobody reads fills up.
        let output = directory.appendingPathComponent(".output-\(UUID().uuidString)")
        let errors = directory.appendingPathComponent(".errors-\(UUID().uuidString)")
        for file in [output, errors] { try Data().write(to: file) }
        defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        if let input {
            let file = directory.appendingPathComponent(".input-\(UUID().uuidString)")
            try Data(input.utf8).write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
            try FileManager.default.removeItem(at: file)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try Self.launch(process)
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }

    /// Starts the program and leaves it running.
    ///
    /// - Parameter output: file that takes what it prints.
    func start(_ arguments: [String], output: String = "output") throws -> Started {
        try start(try Self.built(), arguments, output: output)
    }

    /// Starts curl and leaves it running.
    func startCurl(_ arguments: [String], output: String) throws -> Started {
        try start(URL(fileURLWithPath: "/usr/bin/curl"), arguments, output: output)
    }

    private func start(_ program: URL, _ arguments: [String], output: String) throws -> Started {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.standardInput = FileHandle.nullDevice
        try Data().write(to: directory.appendingPathComponent(output))
        let file = try FileHandle(forWritingTo: directory.appendingPathComponent(output))
        process.standardOutput = file
        process.standardError = file
        try Self.launch(process)
        return Started(process)
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
///
/// `@unchecked Sendable`: `Process` guards its state with a lock, and nothing else is kept.
final class Started: @unchecked Sendable {
    private let process: Process

    init(_ process: Process) { self.process = process }

    deinit { if process.isRunning { process.terminate() } }

    var isRunning: Bool { process.isRunning }

    /// The exit status; nil while it runs, and when a signal ended it.
    var status: Int32? {
        process.isRunning || process.terminationReason != .exit ? nil : process.terminationStatus
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }
}
