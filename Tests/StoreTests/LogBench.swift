import Audit
import Bytes
import Foundation

@testable import Store

/// A log in a directory of its own, and what the tests do with it.
struct LogBench {
    let directory: TemporaryDirectory
    var configuration: AppendLog.Configuration

    static func key(_ seed: UInt8) -> AuditKey {
        guard let key = AuditKey(secret: [UInt8](repeating: seed, count: 32)) else { preconditionFailure("too short") }
        return key
    }

    init() throws {
        directory = try TemporaryDirectory()
        configuration = AppendLog.Configuration(directory: directory.path, key: Self.key(1))
        configuration.batchInterval = .milliseconds(1)
        configuration.retryInterval = .milliseconds(5)
    }

    func open() throws(StoreError) -> AppendLog { try AppendLog(configuration) }

    func verify() throws -> AuditReport {
        try AuditDirectory.verify(directory.path, keys: configuration.keys)
    }

    /// `{"n":"…"}` members of the lines that have one, in order.
    func names() throws -> [String] {
        var names: [String] = []
        try AuditDirectory.forEachLine(in: directory.path) { _, line in
            let text = line.text
            if text.hasPrefix("{\"n\":\"") { names.append(String(text.dropFirst(6).prefix { $0 != "\"" })) }
            return true
        }
        return names
    }

    var segments: [Int] { get throws { try AuditDirectory.segments(in: directory.path) } }

    func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.file(name))))
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: directory.file(name)))
    }

    func text() throws -> String {
        try segments.map { String(decoding: try read(AuditSegment.fileName($0)), as: UTF8.self) }.joined()
    }
}

func line(_ name: String) -> [UInt8] { Array("{\"n\":\"\(name)\"}\n".utf8) }

/// Waits, for at most two seconds, until something holds.
func eventually(_ holds: () throws -> Bool) async throws -> Bool {
    for _ in 0..<400 {
        if try holds() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}

extension AppendLog {
    /// For `#expect`, which cannot take a `Span`.
    func submit(_ lines: [UInt8]) -> Bool { submit(lines.span) }
}
