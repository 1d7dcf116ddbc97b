import Bytes
import CSystem
import Foundation
import Glibc
import Reactor
import Testing
import Wire

@testable import Server

/// A server on a port of its own.
struct H2Server {
    let port: UInt16
    let statistics = ServerStatistics()
    let handle: ReactorHandle

    init(
        tls: TLSServerContext? = nil, http2: HTTP2Offer = .on,
        _ change: @Sendable (inout ServerConfiguration) -> Void = { _ in },
        handler: @escaping @Sendable () -> any ExchangeHandler
    ) async throws {
        var configuration = ServerConfiguration()
        change(&configuration)
        let (statistics, final) = (statistics, configuration)
        handle = try ReactorHandle.start(index: 0) { _ in }
        let handle = handle
        port = await withCheckedContinuation { continuation in
            handle.post { reactor in
                let worker = ServerWorker(
                    reactor: reactor, configuration: final, statistics: statistics, handler: handler())
                reactor.setLocal(worker)
                let source: ServerWorker.ContextSource? = tls.map { context in { context } }
                let address = try? worker.listen(
                    name: "test", address: SocketAddress.resolve(host: "127.0.0.1", port: 0)[0], tls: source,
                    http2: http2)
                continuation.resume(returning: address?.port ?? 0)
            }
        }
    }

    func stop() { handle.stop() }

    /// A context with a certificate made by the `openssl` command.
    static func certificate() throws -> TLSServerContext {
        let directory = FileManager.default.temporaryDirectory.appending(path: "millgate-h2-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var openssl = ChildProcess.Configuration(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-keyout", "a.key", "-out", "a.pem", "-subj", "/CN=localhost",
            ])
        openssl.directory = directory.path
        try #require(try ChildProcess(openssl).wait() == .exit(0))
        func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: directory.appending(path: name))) }
        return try TLSServerContext(
            TLSServerConfiguration(
                certificates: [.init(name: "a", chain: try read("a.pem"), key: try read("a.key"))],
                protocols: HTTP2Offer.on.protocols))
    }
}

final class TLSClient: ByteClient {
    private let socket: PlainClient
    private let context: OpaquePointer
    private let ssl: OpaquePointer

    /// - Parameter protocols: for ALPN; none offers nothing.
    init(port: UInt16, protocols: [String]) throws {
        socket = try PlainClient(port: port)
        guard let context = SSL_CTX_new(TLS_client_method()), let ssl = SSL_new(context) else {
            throw POSIXError(.ENOMEM)
        }
        self.context = context
        self.ssl = ssl
        let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !list.isEmpty { SSL_set_alpn_protos(ssl, list, UInt32(list.count)) }
        SSL_set_fd(ssl, socket.descriptor)
        guard SSL_connect(ssl) == 1 else { throw POSIXError(.ECONNABORTED) }
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    var applicationProtocol: String {
        var data: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &data, &length)
        return data.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(length)), as: UTF8.self) } ?? ""
    }

    func send(_ bytes: [UInt8]) { _ = SSL_write(ssl, bytes, Int32(bytes.count)) }

    func receive(until enough: ([UInt8]) -> Bool) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while !enough(all) {
            let n = SSL_read(ssl, &buffer, Int32(buffer.count))
            if n <= 0 { break }
            all += buffer[..<Int(n)]
        }
        return all
    }
}
