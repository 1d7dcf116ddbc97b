import CSystem

/// The socket below OpenSSL, which otherwise asks it for five bytes of a record, then for the rest, and then once more to
/// hear that there is nothing left: three system calls for each request.
///
/// Here OpenSSL reads ahead, as much as there is, and a read that did not fill its buffer is remembered: until epoll tells
/// of more, the answer is "not now" without a call.
struct TLSTransport {
    private var fd: Int32 = -1
    /// A read came back short, and readiness was not told of since.
    private(set) var isDrained = false
    /// The peer has finished: its end is still to be read, whatever was short.
    private var peerFinished = false

    /// Puts the socket below `ssl`, and `session`, whose `transport` this is, where the calls from OpenSSL find it.
    mutating func attach(_ fd: Int32, to ssl: OpaquePointer, of session: TLSSession) {
        let isFirst = self.fd < 0
        self = TLSTransport()
        self.fd = fd
        guard isFirst, let method = Self.method, let link = BIO_new(method) else { return }
        // Unretained: the session frees `ssl`, and that frees the link.
        BIO_set_data(link, Unmanaged.passUnretained(session).toOpaque())
        BIO_set_init(link, 1)
        SSL_set_bio(ssl, link, link)
    }

    /// epoll told that there is something to be read.
    mutating func noteReadable(peerFinished: Bool) {
        isDrained = false
        if peerFinished { self.peerFinished = true }
    }

    /// The session that a link belongs to, nil before `attach`.
    static func session(of ssl: OpaquePointer) -> TLSSession? {
        guard let link = SSL_get_rbio(ssl), let me = BIO_get_data(link) else { return nil }
        return Unmanaged<TLSSession>.fromOpaque(me).takeUnretainedValue()
    }

    private mutating func read(_ out: UnsafeMutableRawBufferPointer) -> Int {
        if isDrained { return -1 }
        let n = SocketCalls.receive(fd, out)
        isDrained = n == -1 || (n > 0 && n < out.count && !peerFinished)
        return n
    }

    // MARK: What OpenSSL calls

    private static var allFlags: Int32 {
        BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY
    }

    /// Made once and never changed; OpenSSL only reads it.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        guard let method = BIO_meth_new(BIO_get_new_index() | Int32(BIO_TYPE_SOURCE_SINK), "millgate socket") else {
            return nil
        }
        BIO_meth_set_read(method) { link, out, count in
            guard let link, let me = BIO_get_data(link) else { return -1 }
            BIO_clear_flags(link, allFlags)
            let session = Unmanaged<TLSSession>.fromOpaque(me)
            let n = session._withUnsafeGuaranteedRef {
                $0.transport.read(UnsafeMutableRawBufferPointer(start: out, count: Int(count)))
            }
            if n == -1 { BIO_set_flags(link, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY) }
            return Int32(max(n, -1))
        }
        BIO_meth_set_write(method) { link, bytes, count in
            guard let link, let me = BIO_get_data(link) else { return -1 }
            BIO_clear_flags(link, allFlags)
            let session = Unmanaged<TLSSession>.fromOpaque(me)
            let n = session._withUnsafeGuaranteedRef {
                SocketCalls.send($0.transport.fd, UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            }
            if n == -1 { BIO_set_flags(link, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY) }
            return Int32(max(n, -1))
        }
        // Nothing is kept back here, so there is nothing to flush.
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()
}
