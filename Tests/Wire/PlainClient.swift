import Foundation
import Glibc

/// A blocking client that sends exactly the bytes it is told.
package protocol ByteClient {
    func send(_ bytes: [UInt8])
    /// What comes until the server closes, ten seconds of silence, or `enough` is there.
    func receive(until enough: ([UInt8]) -> Bool) -> [UInt8]
}

/// One over TCP: it sends in the pieces it is told, and can be slow to read.
package final class PlainClient: ByteClient {
    package let descriptor: Int32

    package init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, 16) }
        }
        if code != 0 { throw POSIXError(.ECONNREFUSED) }
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    deinit { close(descriptor) }

    package func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let n = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if n <= 0 { return }
            sent += n
        }
    }

    package func send(_ text: String) { send(Array(text.utf8)) }

    package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    package func receive(until enough: ([UInt8]) -> Bool) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !enough(all) {
            let n = recv(descriptor, &buffer, buffer.count, 0)
            if n <= 0 { break }
            all += buffer[..<n]
        }
        return all
    }

    package func receiveText(until enough: (String) -> Bool = { _ in false }) -> String {
        String(decoding: receive { enough(String(decoding: $0, as: UTF8.self)) }, as: UTF8.self)
    }

    /// One read of at most `count` bytes.
    package func receiveSome(_ count: Int) -> Int {
        var buffer = [UInt8](repeating: 0, count: count)
        return recv(descriptor, &buffer, count, 0)
    }

    /// Small socket buffers, so that backpressure shows early.
    package func shrinkReceiveBuffer() {
        var size: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    }
}
