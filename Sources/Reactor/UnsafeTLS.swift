import Bytes
import CSystem

/// One TLS connection over a descriptor. The handshake runs inside the first reads and writes.
public final class TLSSession: StreamLayer {
    private let ssl: OpaquePointer
    /// The context's callbacks point to it: it must not go, when certificates are replaced, before the last session does.
    private let owner: AnyObject
    final var transport = TLSTransport()
    private var isBroken = false
    private var handshakeMessages = 0
    /// Whether the peer was cut off because it wanted to renegotiate, or sent key updates without end.
    public private(set) var hasRepeatedHandshake = false
    /// Handshake messages of one connection: the first handshake takes about 20, with a client certificate, and then a key
    /// update now and then is normal; each costs the other side a derivation. (RFC 8446 §4.6.3)
    private static let handshakeMessagesMax = 128

    fileprivate init(_ ssl: OpaquePointer, of owner: AnyObject) {
        self.ssl = ssl
        self.owner = owner
        super.init()
    }

    /// Notices what OpenSSL tells of a handshake after the first. It answers a renegotiation of TLS 1.2 with an alert and
    /// goes on, so that a client could ask for ever.
    fileprivate static func watch(_ context: OpaquePointer) {
        SSL_CTX_set_info_callback(context) { ssl, event, value in
            guard let ssl, let session = TLSTransport.session(of: ssl) else { return }
            if event == SSL_CB_LOOP | SSL_ST_ACCEPT {
                session.handshakeMessages += 1
                if session.handshakeMessages > TLSSession.handshakeMessagesMax { session.hasRepeatedHandshake = true }
            } else if event == SSL_CB_ALERT | SSL_CB_WRITE, value & 0xFF == TLS1_AD_NO_RENEGOTIATION {
                session.hasRepeatedHandshake = true
            }
        }
    }

    deinit { SSL_free(ssl) }

    override public func attach(_ stream: SocketStream) { transport.attach(stream.fd, to: ssl, of: self) }

    override public func noteReadable(peerFinished: Bool) { transport.noteReadable(peerFinished: peerFinished) }

    override public var isDrainedByShortRead: Bool { transport.isDrained && SSL_has_pending(ssl) == 0 }

    override public func finishSending(_ fd: Int32) {
        closeNotify()
        super.finishSending(fd)
    }

    override public func close(_ fd: Int32, abruptly: Bool) {
        if !abruptly { closeNotify() }
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        super.close(fd, abruptly: abruptly)
    }

    /// Bytes read, 0 at a clean end, -1 for "not now", -2 for an error or an end without `close_notify`.
    override public func read(_ into: UnsafeMutableRawBufferPointer) -> Int {
        if isBroken { return -2 }
        ERR_clear_error()
        let n = SSL_read(ssl, into.baseAddress, Int32(clamping: into.count))
        if hasRepeatedHandshake {
            isBroken = true
            return -2
        }
        return n > 0 ? Int(n) : failure(n)
    }

    override public func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        if isBroken { return -2 }
        if bytes.isEmpty { return 0 }
        ERR_clear_error()
        let n = SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count))
        return n > 0 ? Int(n) : failure(n)
    }

    private func failure(_ code: Int32) -> Int {
        switch SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return -1
        case SSL_ERROR_ZERO_RETURN: return 0
        default:
            isBroken = true
            return -2
        }
    }

    private func closeNotify() {
        guard !isBroken, SSL_is_init_finished(ssl) == 1 else { return }
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
    }

    /// Whether the handshake is complete.
    public var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }

    /// Whether the session was resumed.
    public var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// `TLSv1.3`.
    public var version: String { String(cString: SSL_get_version(ssl)) }

    /// `TLS_AES_128_GCM_SHA256`, nil before the handshake.
    var cipherSuite: String? {
        guard let cipher = SSL_get_current_cipher(ssl), let name = SSL_CIPHER_get_name(cipher) else { return nil }
        return String(cString: name)
    }

    /// The protocol chosen by ALPN, nil when the client offered none.
    public var applicationProtocol: String? {
        var data: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &data, &length)
        guard let data, length > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: data, count: Int(length)), as: UTF8.self)
    }

    /// Whether ALPN chose `h2`. (RFC 9113 §3.2)
    public var hasChosenHTTP2: Bool {
        var data: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &data, &length)
        guard let data, length == 2 else { return false }
        return data[0] == UInt8(ascii: "h") && data[1] == UInt8(ascii: "2")
    }

    /// The verified client certificate in DER, nil when none was sent.
    public var peerCertificate: [UInt8]? {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
        defer { X509_free(certificate) }
        guard SSL_get_verify_result(ssl) == Int(X509_V_OK) else { return nil }
        let length = i2d_X509(certificate, nil)
        guard length > 0 else { return nil }
        var out = [UInt8](repeating: 0, count: Int(length))
        out.withUnsafeMutableBufferPointer {
            var start = $0.baseAddress
            i2d_X509(certificate, &start)
        }
        return out
    }
}

/// A server's TLS context: certificates by name, versions, ALPN, client verification.
///
/// `@unchecked Sendable`: after `init` nothing is changed but by OpenSSL itself, which counts references to `SSL_CTX`
/// atomically and locks what it changes (OpenSSL 3.0, "openssl-threads(7)"); the Swift members are constants.
public final class TLSServerContext: @unchecked Sendable {
    private let first: OpaquePointer
    private let all: [OpaquePointer]
    private let names: [(name: String, context: OpaquePointer)]
    /// ALPN wire form of the protocols, best first.
    private let protocols: [UInt8]

    public init(_ configuration: TLSServerConfiguration) throws(ReactorError) {
        guard !configuration.certificates.isEmpty else { throw .tls("no certificate") }
        var contexts: [OpaquePointer] = []
        var named: [(String, OpaquePointer)] = []
        for certificate in configuration.certificates {
            let context = try Self.makeContext(configuration)
            contexts.append(context)
            let served: [String]
            do throws(ReactorError) {
                served = try PEM.install(certificate, in: context)
            } catch {
                contexts.forEach { SSL_CTX_free($0) }
                throw error
            }
            for name in served { named.append((name.lowercased(), context)) }
        }
        all = contexts
        first = contexts[0]
        names = named
        protocols = configuration.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        // This object outlives each of its sessions: they hold it.
        let me = Unmanaged.passUnretained(self).toOpaque()
        for context in contexts {
            SSL_CTX_set_alpn_select_cb(
                context,
                { _, out, outLength, offered, offeredLength, me in
                    guard let me, let out, let outLength, let offered else { return SSL_TLSEXT_ERR_NOACK }
                    let server = Unmanaged<TLSServerContext>.fromOpaque(me).takeUnretainedValue()
                    return server.protocols.withUnsafeBufferPointer { ours in
                        let code = SSL_select_next_proto(
                            UnsafeMutableRawPointer(out).assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self),
                            outLength, ours.baseAddress, UInt32(ours.count), offered, offeredLength)
                        // A client that speaks none of our protocols is told so (RFC 7301 §3.2).
                        return code == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL
                    }
                }, me)
        }
        csystem_tls_set_name_callback(
            first,
            { ssl, _, me in
                guard let me, let ssl, let asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
                    return SSL_TLSEXT_ERR_NOACK
                }
                let server = Unmanaged<TLSServerContext>.fromOpaque(me).takeUnretainedValue()
                if let context = server.context(for: String(cString: asked)) { SSL_set_SSL_CTX(ssl, context) }
                return SSL_TLSEXT_ERR_OK
            }, me)
    }

    deinit { all.forEach { SSL_CTX_free($0) } }

    /// A session for an accepted connection, nil when memory is out.
    public func makeSession() -> TLSSession? {
        guard let ssl = SSL_new(first) else { return nil }
        SSL_set_accept_state(ssl)
        return TLSSession(ssl, of: self)
    }

    /// Exact names before wildcards; a wildcard covers one label (RFC 6125 §6.4.3).
    private func context(for asked: String) -> OpaquePointer? {
        let name = asked.lowercased()
        if let exact = names.first(where: { $0.name == name }) { return exact.context }
        guard let dot = name.firstIndex(of: ".") else { return nil }
        let wildcard = "*" + name[dot...]
        return names.first { $0.name == wildcard }?.context
    }

    private static func makeContext(_ configuration: TLSServerConfiguration) throws(ReactorError) -> OpaquePointer {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .tls("out of memory") }
        csystem_tls_set_modes(context)
        _ = csystem_tls_set_versions(
            context, configuration.allowsTLS12 ? TLS1_2_VERSION : TLS1_3_VERSION, TLS1_3_VERSION)
        // Renegotiation is a way to make a server work; compression leaks (CRIME).
        csystem_tls_set_server_options(context)
        TLSSession.watch(context)
        SSL_CTX_set_cipher_list(
            context,
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305")
        let purpose = Array("millgate".utf8)
        SSL_CTX_set_session_id_context(context, purpose, UInt32(purpose.count))
        if configuration.clientCertificates != .off {
            guard let store = SSL_CTX_get_cert_store(context) else { throw .tls("out of memory") }
            guard try PEM.addAuthorities(configuration.clientAuthorities, to: store, naming: context) > 0 else {
                SSL_CTX_free(context)
                throw .tls("client certificates are asked for, but no authority is given")
            }
            let mode =
                SSL_VERIFY_PEER
                | (configuration.clientCertificates == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
            SSL_CTX_set_verify(context, mode, nil)
        }
        return context
    }
}

/// A client's TLS context.
///
/// `@unchecked Sendable`: as `TLSServerContext`.
public final class TLSClientContext: @unchecked Sendable {
    private let context: OpaquePointer
    private let serverName: String

    public init(_ configuration: TLSClientConfiguration) throws(ReactorError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw .tls("out of memory") }
        self.context = context
        serverName = configuration.serverName
        csystem_tls_set_modes(context)
        _ = csystem_tls_set_versions(context, TLS1_2_VERSION, TLS1_3_VERSION)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if configuration.authorities.isEmpty {
            SSL_CTX_set_default_verify_paths(context)
        } else {
            guard let store = SSL_CTX_get_cert_store(context) else { throw .tls("out of memory") }
            guard try PEM.addAuthorities(configuration.authorities, to: store, naming: nil) > 0 else {
                throw .tls("no certificate in the authorities' file")
            }
        }
    }

    deinit { SSL_CTX_free(context) }

    /// A session for a connection to the configured server; its certificate must be valid and carry the name.
    public func makeSession() -> TLSSession? {
        guard let ssl = SSL_new(context) else { return nil }
        SSL_set_connect_state(ssl)
        let isAddress = serverName.utf8.allSatisfy { $0 == 46 || $0 == 58 || ($0 >= 48 && $0 <= 57) }
        if isAddress {
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), serverName)
        } else {
            _ = csystem_tls_set_host_name(ssl, serverName)
            SSL_set1_host(ssl, serverName)
        }
        return TLSSession(ssl, of: self)
    }
}

/// PEM text into OpenSSL's objects.
private enum PEM {
    static func withMemory<R>(_ text: [UInt8], _ body: (OpaquePointer) -> R) -> R? {
        text.withUnsafeBytes { bytes in
            guard let memory = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
            defer { BIO_free(memory) }
            return body(memory)
        }
    }

    static func certificates(_ text: [UInt8]) -> [OpaquePointer] {
        withMemory(text) { memory in
            var out: [OpaquePointer] = []
            while let certificate = PEM_read_bio_X509(memory, nil, nil, nil) { out.append(certificate) }
            ERR_clear_error()
            return out
        } ?? []
    }

    /// Installs a chain and its key, and returns the DNS names that the certificate serves.
    static func install(
        _ certificate: TLSServerConfiguration.Certificate, in context: OpaquePointer
    ) throws(ReactorError) -> [String] {
        var chain = certificates(certificate.chain)
        guard !chain.isEmpty else { throw .tls("`\(certificate.name)` holds no PEM certificate") }
        let leaf = chain.removeFirst()
        defer { X509_free(leaf) }
        guard SSL_CTX_use_certificate(context, leaf) == 1 else {
            chain.forEach { X509_free($0) }
            throw .tls("the certificate in `\(certificate.name)` cannot be used")
        }
        for intermediate in chain where csystem_tls_add_chain_certificate(context, intermediate) != 1 {
            X509_free(intermediate)
        }
        let installed = withMemory(certificate.key) { memory -> Bool in
            // No callback for a pass phrase: a gateway that starts unattended cannot be asked for one.
            guard let key = PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in 0 }, nil) else { return false }
            defer { EVP_PKEY_free(key) }
            return SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1
        }
        ERR_clear_error()
        guard installed == true else {
            throw .tls("the key of `\(certificate.name)` is missing, encrypted, or belongs to another certificate")
        }
        return dnsNames(leaf)
    }

    static func addAuthorities(
        _ text: [UInt8], to store: OpaquePointer, naming context: OpaquePointer?
    ) throws(ReactorError) -> Int {
        let list = certificates(text)
        for authority in list {
            X509_STORE_add_cert(store, authority)
            if let context { SSL_CTX_add_client_CA(context, authority) }
            X509_free(authority)
        }
        return list.count
    }

    static func dnsNames(_ certificate: OpaquePointer) -> [String] {
        guard let extensions = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let names = OpaquePointer(extensions)
        defer { GENERAL_NAMES_free(names) }
        var out: [String] = []
        for i in 0..<OPENSSL_sk_num(names) {
            guard let raw = OPENSSL_sk_value(names, i) else { continue }
            let name = raw.assumingMemoryBound(to: GENERAL_NAME.self)
            guard name.pointee.type == GEN_DNS, let text = name.pointee.d.dNSName,
                let data = ASN1_STRING_get0_data(text)
            else { continue }
            let length = Int(ASN1_STRING_length(text))
            out.append(String(decoding: UnsafeBufferPointer(start: data, count: length), as: UTF8.self))
        }
        return out
    }
}
