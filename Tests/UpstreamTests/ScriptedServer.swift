import Foundation
import Glibc
import Synchronization

/// A server on a port of its own that answers as a script says: after each whole request, the answer to the `request`th
/// request (from 0) of the `connection`th connection (from 0), and whether it closes then.
final class ScriptedServer: Sendable {
    struct Answer: Sendable {
        var text: String
        var closes = false
        /// Waits before it answers, in milliseconds.
        var delay = 0

        static func ok(_ body: String, closes: Bool = false, delay: Int = 0) -> Answer {
            Answer(
                text: "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)", closes: closes,
                delay: delay)
        }
        /// Closes without a byte.
        static let nothing = Answer(text: "", closes: true)
    }

    let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[String]>([])

    /// The request lines that came, with the number of their connection: `0 GET /a HTTP/1.1`.
    var requests: [String] { seen.withLock { $0 } }

    init(_ script: @escaping @Sendable (_ connection: Int, _ request: Int) -> Answer) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard code else { throw POSIXError(.EADDRINUSE) }
        port = UInt16(bigEndian: address.sin_port)
        Thread { [self] in
            var connection = 0
            while true {
                let fd = accept(listener, nil, nil)
                if fd < 0 { return }
                let number = connection
                connection += 1
                Thread { self.serve(fd, number, script) }.start()
            }
        }.start()
    }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
    deinit { close(listener) }

    private func serve(_ fd: Int32, _ connection: Int, _ script: (Int, Int) -> Answer) {
        defer { close(fd) }
        var request = 0
        var bytes: [UInt8] = []
        while let line = nextRequest(fd, &bytes) {
            seen.withLock { $0.append("\(connection) \(line)") }
            let answer = script(connection, request)
            request += 1
            usleep(UInt32(answer.delay) * 1_000)
            var rest = Array(answer.text.utf8)[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                if sent <= 0 { return }
                rest = rest.dropFirst(sent)
            }
            if answer.closes { return }
        }
    }

    /// Reads a request with its body and answers its first line; nil where the client has closed.
    private func nextRequest(_ fd: Int32, _ bytes: inout [UInt8]) -> String? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
                let length = lines.first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) }
                let whole = text[..<end.upperBound].utf8.count + (length ?? 0)
                if bytes.count >= whole {
                    bytes.removeFirst(whole)
                    return lines[0]
                }
            }
            let n = recv(fd, &buffer, buffer.count, 0)
            if n <= 0 { return nil }
            bytes += buffer[..<n]
        }
    }
}
