import Bytes
import CSystem
import Glibc

/// A peer's or listener's address: IPv4, IPv6 or none, as a value.
public struct SocketAddress: Hashable, Sendable {
    var storage = sockaddr_storage_bytes()
    var length: UInt32 = 0

    /// No address.
    public init() {}

    /// The address in a `sockaddr` that somebody else filled; nil when it is of no kind known here.
    public init?(_ raw: UnsafeRawBufferPointer) {
        guard raw.count >= MemoryLayout<sockaddr_in>.size, raw.count <= MemoryLayout<sockaddr_storage_bytes>.size else {
            return nil
        }
        let family = Int32(raw.loadUnaligned(as: UInt16.self))
        guard family == AF_INET || (family == AF_INET6 && raw.count >= MemoryLayout<sockaddr_in6>.size) else {
            return nil
        }
        withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: raw) }
        length = UInt32(raw.count)
    }

    struct sockaddr_storage_bytes: Hashable, Sendable {
        var a: UInt64 = 0, b: UInt64 = 0, c: UInt64 = 0, d: UInt64 = 0
    }

    /// The numeric address and port: `192.0.2.1`, `2001:db8::1`.
    public var host: String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var copy = storage
        let code = withUnsafeMutablePointer(to: &copy) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getnameinfo($0, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
            }
        }
        if code != 0 { return "unknown" }
        let end = host.firstIndex(of: 0) ?? host.count
        return String(decoding: host[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The IPv4 address, or the /64 network of an IPv6 address: what one host or subscriber has to itself.
    public var network: UInt64 { isIPv6 ? storage.b : storage.a >> 32 }

    public var port: UInt16 {
        var copy = storage
        return withUnsafeMutablePointer(to: &copy) {
            $0.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
        }
    }

    public var isIPv6: Bool {
        var copy = storage
        return withUnsafeBytes(of: &copy) { $0.load(as: UInt16.self) == UInt16(AF_INET6) }
    }

    /// The address without the port as two words, for limits per client address.
    public var addressWords: (UInt64, UInt64) {
        var copy = storage
        return withUnsafeMutableBytes(of: &copy) { raw in
            if raw.load(fromByteOffset: 0, as: UInt16.self) == UInt16(AF_INET6) {
                return (raw.load(fromByteOffset: 8, as: UInt64.self), raw.load(fromByteOffset: 16, as: UInt64.self))
            }
            return (UInt64(raw.load(fromByteOffset: 4, as: UInt32.self)), 0)
        }
    }

    /// The address in network order: 4 bytes, or 16 for IPv6.
    public var octets: [UInt8] {
        withUnsafeBytes(of: storage) { Array(isIPv6 ? $0[8..<24] : $0[4..<8]) }
    }

    /// Resolves a numeric address or a host name. Blocks for names: for start-up and reload, not for the loop.
    public static func resolve(host: String, port: UInt16, passive: Bool = false) throws(ReactorError)
        -> [SocketAddress]
    {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = passive ? AI_PASSIVE : 0
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &list)
        if code != 0 { throw .address(host, code: code == EAI_SYSTEM ? errno : ENOENT) }
        defer { freeaddrinfo(list) }
        var out: [SocketAddress] = []
        var next = list
        while let info = next {
            if let address = info.pointee.ai_addr, info.pointee.ai_addrlen <= 32 {
                var value = SocketAddress()
                value.length = info.pointee.ai_addrlen
                withUnsafeMutableBytes(of: &value.storage) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(info.pointee.ai_addrlen)))
                }
                if !out.contains(value) { out.append(value) }
            }
            next = info.pointee.ai_next
        }
        return out
    }
}

/// Socket system calls, one function each.
enum SocketCalls {
    static func close(_ fd: Int32) { _ = Glibc.close(fd) }

    static func listen(_ address: SocketAddress, backlog: Int32) throws(ReactorError) -> Int32 {
        var copy = address.storage
        let family = withUnsafeBytes(of: &copy) { Int32($0.load(as: UInt16.self)) }
        let fd = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if fd < 0 { throw .system(call: "socket", code: errno) }
        var one: Int32 = 1
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, 4)
        if family == AF_INET6 { setsockopt(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, 4) }
        prepareListener(fd)
        let code = withUnsafeMutablePointer(to: &copy) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, address.length) }
        }
        if code != 0 || Glibc.listen(fd, backlog) != 0 {
            let error = errno
            _ = Glibc.close(fd)
            throw .address("\(address.host):\(address.port)", code: error)
        }
        return fd
    }

    /// Fails where somebody listens already. Sockets that share a port by `SO_REUSEPORT` do not see each other; one
    /// without it does.
    static func expectFree(_ address: SocketAddress) throws(ReactorError) {
        var copy = address.storage
        let family = withUnsafeBytes(of: &copy) { Int32($0.load(as: UInt16.self)) }
        let fd = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if fd < 0 { throw .system(call: "socket", code: errno) }
        defer { _ = Glibc.close(fd) }
        var one: Int32 = 1
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if family == AF_INET6 { setsockopt(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, 4) }
        let code = withUnsafeMutablePointer(to: &copy) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, address.length) }
        }
        if code != 0 { throw .address("\(address.host):\(address.port)", code: errno) }
    }

    /// A second descriptor of the same socket, which stays open across `execve`; -1 when there is none to be had.
    static func duplicateForExec(_ fd: Int32) -> Int32 { fcntl(fd, F_DUPFD, 3) }

    /// Takes over a listening socket that was left open across `execve`; false when the number is no such socket.
    static func adopt(_ fd: Int32) -> Bool {
        var listens: Int32 = 0
        var length = socklen_t(4)
        guard fd > 2, getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0, listens != 0 else {
            return false
        }
        prepareListener(fd)
        return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0
    }

    static func localAddress(_ fd: Int32) -> SocketAddress {
        var value = SocketAddress()
        var length = socklen_t(32)
        _ = withUnsafeMutablePointer(to: &value.storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
        }
        value.length = length
        return value
    }

    enum Accepted {
        case connection(Int32, SocketAddress)
        case nothing
        /// The process or the system is out of descriptors or memory.
        case exhausted
    }

    static func accept(_ listener: Int32) -> Accepted {
        var value = SocketAddress()
        var length = socklen_t(32)
        let fd = withUnsafeMutablePointer(to: &value.storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { csystem_accept(listener, $0, &length) }
        }
        value.length = length
        if fd >= 0 { return .connection(fd, value) }
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
        case ECONNABORTED, EINTR, EPROTO: return .connection(-1, value)
        default: return .nothing
        }
    }

    /// Begins a connection without waiting.
    static func connect(_ address: SocketAddress) throws(ReactorError) -> Int32 {
        var copy = address.storage
        let family = withUnsafeBytes(of: &copy) { Int32($0.load(as: UInt16.self)) }
        let fd = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if fd < 0 { throw .system(call: "socket", code: errno) }
        noDelay(fd)
        let code = withUnsafeMutablePointer(to: &copy) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(fd, $0, address.length) }
        }
        if code != 0 && errno != EINPROGRESS {
            let error = errno
            _ = Glibc.close(fd)
            throw .system(call: "connect", code: error)
        }
        return fd
    }

    static func pair() throws(ReactorError) -> (Int32, Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        let code = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0, $0)
            }
        }
        if code != 0 { throw .system(call: "socketpair", code: errno) }
        return ends
    }

    /// Bytes of an answer that the kernel takes beyond what it may send already. Without a bound it takes some MiB for
    /// each client that does not read, which no figure of the process shows.
    static let unsentBytesMax: Int32 = 131_072

    /// Options that Linux hands down to the connections a socket accepts, so that they cost nothing for each.
    private static func prepareListener(_ fd: Int32) {
        noDelay(fd)
        var unsent = unsentBytesMax
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &unsent, 4)
    }

    static func noDelay(_ fd: Int32) {
        var one: Int32 = 1
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    /// The pending error of a socket, 0 for none: how a connection attempt ended.
    static func pendingError(_ fd: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(4)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length)
        return code
    }

    /// Bytes read, 0 at the end, -1 for "not now", -2 for an error.
    @inline(__always)
    static func receive(_ fd: Int32, _ into: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let n = csystem_receive(fd, into.baseAddress, into.count)
            if n >= 0 { return n }
            if errno == EINTR { continue }
            return errno == EAGAIN ? -1 : -2
        }
    }

    /// Bytes written, -1 for "not now", -2 for an error.
    @inline(__always)
    static func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        while true {
            let n = csystem_send(fd, bytes.baseAddress, bytes.count)
            if n >= 0 { return n }
            if errno == EINTR { continue }
            return errno == EAGAIN ? -1 : -2
        }
    }

    /// Writes two stretches in one call.
    static func send(_ fd: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        var parts = (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
        )
        return withUnsafeMutablePointer(to: &parts) { pointer in
            pointer.withMemoryRebound(to: iovec.self, capacity: 2) { vector in
                var message = msghdr()
                message.msg_iov = vector
                message.msg_iovlen = 2
                while true {
                    let n = sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
                    if n >= 0 { return n }
                    if errno == EINTR { continue }
                    return errno == EAGAIN ? -1 : -2
                }
            }
        }
    }

    static func shutdownWriting(_ fd: Int32) { _ = shutdown(fd, Int32(SHUT_WR)) }

    /// Makes `close` send a reset: for peers that must not be waited for.
    static func resetOnClose(_ fd: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
