import Bytes
import Foundation
import Reactor
import Synchronization
import Testing

@testable import Fetch

/// A server that runs while this object lives: Python's, or nghttpd for HTTP/2.
final class LocalServer: Sendable {
    let port: Int
    private let process: ChildProcess

    init(tls: [String] = []) throws {
        let here = URL(filePath: #filePath).deletingLastPathComponent()
        let output = FileManager.default.temporaryDirectory.appending(path: "millgate-port-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        var configuration = ChildProcess.Configuration("python3", [here.appending(path: "server.py").path] + tls)
        configuration.output = output.path
        process = try ChildProcess(configuration)
        // A minute: Python starts slowly where everything is tested at once.
        var line: Substring?
        for _ in 0..<1_200 where line == nil && process.ended == nil {
            let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            line = text.firstIndex(of: "\n").map { text[..<$0] }
            if line == nil { Thread.sleep(forTimeInterval: 0.05) }
        }
        port = try #require(line.flatMap { Int($0) })
    }

    /// nghttpd with TLS. It takes no port 0, so one that was free a moment ago is tried.
    init(http2 key: String, certificate: String) throws {
        var chosen = 0
        var started: ChildProcess?
        for _ in 0..<5 where started == nil {
            chosen = Int.random(in: 20_000..<32_000)
            let candidate = try ChildProcess(
                .init(
                    "/usr/sbin/nghttpd",
                    ["-a", "127.0.0.1", "--echo-upload", String(chosen), key, certificate]))
            for _ in 0..<50 where candidate.ended == nil && started == nil {
                Thread.sleep(forTimeInterval: 0.1)
                if Self.answers(chosen) { started = candidate }
            }
        }
        process = try #require(started)
        port = chosen
    }

    private static func answers(_ port: Int) -> Bool {
        guard let address = try? SocketAddress.resolve(host: "127.0.0.1", port: UInt16(port)).first else {
            return false
        }
        // A port that somebody listens at is not free.
        return (try? Listener.expectFree(address)) == nil
    }

    deinit {
        process.send(SIGKILL)
        process.wait()
    }

    func url(_ path: String, scheme: String = "http") -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }
}

/// An authority, a server's certificate for `127.0.0.1`, and a client's, made by the `openssl` command.
final class TestPKI: Sendable {
    let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "millgate-fetch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try openssl(["req", "-x509", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem"] + Self.newKey)
        try leaf("server", "subjectAltName=IP:127.0.0.1")
        try leaf("other", "subjectAltName=DNS:other.example")
        try leaf("client", "subjectAltName=DNS:client.example")
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]

    private func leaf(_ name: String, _ names: String) throws {
        try openssl(
            [
                "req", "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=\(name)", "-keyout", "\(name).key",
                "-out", "\(name).pem", "-addext", names, "-addext", "basicConstraints=critical,CA:FALSE",
            ] + Self.newKey)
    }

    func path(_ file: String) -> String { directory.appending(path: file).path }
    func bytes(_ file: String) throws -> [UInt8] { Array(try Data(contentsOf: directory.appending(path: file))) }

    private func openssl(_ arguments: [String]) throws {
        var configuration = ChildProcess.Configuration("openssl", arguments)
        configuration.directory = directory.path
        try #require(try ChildProcess(configuration).wait() == .exit(0))
    }
}

/// A reactor for one test.
final class Loop {
    let handle: ReactorHandle
    init() throws { handle = try ReactorHandle.start(index: 0) { _ in } }
    deinit { handle.stop() }

    func client(_ change: (inout FetchConfiguration) -> Void = { _ in }) -> FetchClient {
        var configuration = FetchConfiguration()
        configuration.allowsPlainText = true
        configuration.timeout = .seconds(60)
        configuration.connectTimeout = .seconds(30)
        change(&configuration)
        return FetchClient(home: handle, configuration: configuration)
    }
}

extension FetchClient {
    /// How the request failed, nil when it was answered.
    func failure(_ request: OutboundRequest) async -> FetchError? {
        do throws(FetchError) {
            _ = try await send(request)
            return nil
        } catch {
            return error
        }
    }
}

extension OutboundResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
}
