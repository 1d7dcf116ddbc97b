import Bytes
import CSystem
import Glibc
import Reactor

/// One request in libcurl: its easy handle, and what came so far.
final class CurlTransfer {
    let handle: UnsafeMutableRawPointer
    let number: UInt64
    private let configuration: FetchConfiguration
    private var done: ((Result<OutboundResponse, FetchError>) -> Void)?
    private var fieldList: UnsafeMutablePointer<curl_slist>?

    private var fields: [(name: String, value: String)] = []
    private var headBytes = 0
    private var body: [UInt8] = []
    private var isHeadTooLarge = false
    private var isBodyTruncated = false
    private var refused: String?

    init?(
        _ request: OutboundRequest, _ configuration: FetchConfiguration, number: UInt64,
        done: @escaping (Result<OutboundResponse, FetchError>) -> Void
    ) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.number = number
        self.configuration = configuration
        self.done = done
        guard setUp(request) else { return nil }
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(fieldList)
    }

    /// The transfer whose handle this is. The multi's loop keeps transfers alive while they are in it.
    static func of(_ easy: UnsafeMutableRawPointer) -> CurlTransfer? {
        guard let me = csystem_curl_get_text(easy, CURLINFO_PRIVATE) else { return nil }
        return Unmanaged<CurlTransfer>.fromOpaque(UnsafeRawPointer(me)).takeUnretainedValue()
    }

    func finish(_ result: Result<OutboundResponse, FetchError>) {
        let done = done
        self.done = nil
        done?(result)
    }

    // MARK: Setting up

    private func set(_ option: CURLoption, _ value: Int) -> Bool {
        csystem_curl_set_long(handle, option, value) == CURLE_OK
    }

    private func set(_ option: CURLoption, _ value: String?) -> Bool {
        csystem_curl_set_text(handle, option, value) == CURLE_OK
    }

    private func set(_ option: CURLoption, pem: [UInt8]) -> Bool {
        csystem_curl_set_blob(handle, option, pem, pem.count) == CURLE_OK
    }

    private func setUp(_ request: OutboundRequest) -> Bool {
        let me = Unmanaged.passUnretained(self).toOpaque()
        return csystem_curl_set_text(handle, CURLOPT_PRIVATE, me.assumingMemoryBound(to: CChar.self)) == CURLE_OK
            && setCallbacks(me) && setTransport() && setTLS() && setRequest(request)
    }

    private func setCallbacks(_ me: UnsafeMutableRawPointer) -> Bool {
        csystem_curl_set_callbacks(
            handle,
            { bytes, size, count, me in
                guard let me, let bytes else { return 0 }
                let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return Unmanaged<CurlTransfer>.fromOpaque(me).takeUnretainedValue().head(line)
            },
            { bytes, size, count, me in
                guard let me, let bytes else { return 0 }
                let part = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return Unmanaged<CurlTransfer>.fromOpaque(me).takeUnretainedValue().body(part)
            },
            { me, _, address in
                guard let me, let address else { return CURL_SOCKET_BAD }
                return Unmanaged<CurlTransfer>.fromOpaque(me).takeUnretainedValue().open(address)
            }, me) == CURLE_OK
    }

    private func setTransport() -> Bool {
        let proxy = configuration.proxy
        return set(CURLOPT_NOSIGNAL, 1)
            && set(CURLOPT_PROTOCOLS_STR, configuration.allowsPlainText ? "http,https" : "https")
            && set(CURLOPT_FOLLOWLOCATION, 0)
            && set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
            && set(CURLOPT_TIMEOUT_MS, Int(configuration.timeout / 1_000_000))
            && set(CURLOPT_CONNECTTIMEOUT_MS, Int(configuration.connectTimeout / 1_000_000))
            && set(CURLOPT_MAXAGE_CONN, Int(configuration.idleTimeout / 1_000_000_000))
            && set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
            && set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
            && set(CURLOPT_PATH_AS_IS, 1)
            // An empty text keeps the environment's proxies out.
            && set(CURLOPT_PROXY, proxy?.url ?? "") && set(CURLOPT_NOPROXY, "")
            && (proxy?.credentials == nil || set(CURLOPT_PROXYUSERPWD, proxy?.credentials))
            && set(CURLOPT_USERAGENT, configuration.userAgent)
    }

    private func setTLS() -> Bool {
        guard set(CURLOPT_SSL_VERIFYPEER, 1), set(CURLOPT_SSL_VERIFYHOST, 2),
            set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        else { return false }
        if !configuration.authorities.isEmpty {
            // The directory of the system's authorities would be looked into besides, were it not taken away.
            guard set(CURLOPT_CAINFO_BLOB, pem: configuration.authorities), set(CURLOPT_CAPATH, nil),
                set(CURLOPT_PROXY_CAINFO_BLOB, pem: configuration.authorities), set(CURLOPT_PROXY_CAPATH, nil)
            else { return false }
        }
        guard let certificate = configuration.clientCertificate else { return true }
        return set(CURLOPT_SSLCERTTYPE, "PEM") && set(CURLOPT_SSLKEYTYPE, "PEM")
            && set(CURLOPT_SSLCERT_BLOB, pem: certificate.chain) && set(CURLOPT_SSLKEY_BLOB, pem: certificate.key)
    }

    /// Longest body that goes by HTTP/2, in bytes: well within its first window of 65,535 (RFC 9113 §6.9.2). Longer
    /// uploads were seen to stall there until their timeout, with libcurl 7.88 driven by its socket interface.
    private static let http2BodyBytesMax = 32_768

    private func setRequest(_ request: OutboundRequest) -> Bool {
        guard set(CURLOPT_URL, request.url) else { return false }
        if request.body.count > Self.http2BodyBytesMax {
            guard set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)) else { return false }
        }
        if !request.mayReuseConnection {
            guard set(CURLOPT_FRESH_CONNECT, 1), set(CURLOPT_FORBID_REUSE, 1) else { return false }
        }
        switch request.method {
        case "HEAD": guard set(CURLOPT_NOBODY, 1) else { return false }
        case "GET" where request.body.isEmpty: guard set(CURLOPT_HTTPGET, 1) else { return false }
        default:
            if !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) {
                guard csystem_curl_set_body(handle, request.body, request.body.count) == CURLE_OK else { return false }
            }
            guard set(CURLOPT_CUSTOMREQUEST, request.method) else { return false }
        }
        // `Name;` is libcurl's way to send a field without value, `Name:` that of not sending it. A wait for
        // `100 Continue` and a form's content type are never wanted.
        var lines = request.fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        lines.append("Expect:")
        if !request.fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        for line in lines {
            guard let longer = curl_slist_append(fieldList, line) else { return false }
            fieldList = longer
        }
        return csystem_curl_set_fields(handle, fieldList) == CURLE_OK
    }

    // MARK: What libcurl brings

    /// One line of a head, or of trailers. Anything but its own count makes libcurl stop.
    private func head(_ line: UnsafeRawBufferPointer) -> Int {
        headBytes += line.count
        guard headBytes <= configuration.headBytesMax else {
            isHeadTooLarge = true
            return 0
        }
        if line.starts(with: "HTTP/".utf8) {
            // Another head: the one before was an interim answer. (RFC 9110 §15.2)
            fields = []
        } else if let colon = line.firstIndex(of: UInt8(ascii: ":")), body.isEmpty {
            fields.append((Self.text(line[..<colon]), Self.text(line[(colon + 1)...])))
        }
        return line.count
    }

    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        var part = bytes[...]
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        while let first = part.first, isSpace(first) { part.removeFirst() }
        while let last = part.last, isSpace(last) { part.removeLast() }
        return String(decoding: part, as: UTF8.self)
    }

    private func body(_ part: UnsafeRawBufferPointer) -> Int {
        let room = configuration.bodyBytesMax - body.count
        body.append(contentsOf: part.prefix(max(0, room)))
        guard part.count > room else { return part.count }
        isBodyTruncated = true
        return 0
    }

    /// Makes the socket, once the guard agrees to the address it is for.
    private func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        if let addressGuard = configuration.addressGuard {
            let length = Int(address.pointee.addrlen)
            let start = UnsafeMutableRawPointer(address) + (MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0)
            let bytes = UnsafeRawBufferPointer(start: start, count: length)
            guard let value = SocketAddress(bytes), addressGuard(value) else {
                refused = SocketAddress(bytes)?.host ?? "unknown"
                return CURL_SOCKET_BAD
            }
        }
        let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(address.pointee.family, kind, address.pointee.protocol)
    }

    // MARK: The end

    /// What libcurl's code means, with what is known of how far the request came.
    func outcome(_ code: CURLcode) -> Result<OutboundResponse, FetchError> {
        if isHeadTooLarge { return .failure(.headTooLarge) }
        if code == CURLE_OK || isBodyTruncated { return response() }
        return .failure(failure(code))
    }

    private func response() -> Result<OutboundResponse, FetchError> {
        let version: OutboundResponse.Version =
            switch csystem_curl_get_long(handle, CURLINFO_HTTP_VERSION) {
            case Int(CURL_HTTP_VERSION_1_0): .http10
            case Int(CURL_HTTP_VERSION_2_0): .http2
            default: .http11
            }
        let status = csystem_curl_get_long(handle, CURLINFO_RESPONSE_CODE)
        guard status >= 200 else { return .failure(.protocolViolated) }
        return .success(
            OutboundResponse(
                status: status, version: version, fields: fields, body: body, isBodyTruncated: isBodyTruncated,
                address: csystem_curl_get_text(handle, CURLINFO_PRIMARY_IP).map { String(cString: $0) } ?? "",
                isReused: csystem_curl_get_long(handle, CURLINFO_NUM_CONNECTS) == 0,
                duration: .microseconds(csystem_curl_get_time(handle, CURLINFO_TOTAL_TIME_T))))
    }

    private func failure(_ code: CURLcode) -> FetchError {
        // Set once all that comes before the request's first byte was done.
        let began = csystem_curl_get_time(handle, CURLINFO_PRETRANSFER_TIME_T) > 0
        switch code {
        // The same code for a scheme that is not allowed and for an answer that does not begin with `HTTP/`.
        case CURLE_UNSUPPORTED_PROTOCOL: return began ? .protocolViolated : .schemeRefused
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED: return .invalidRequest(reason: "the URL cannot be used")
        case CURLE_COULDNT_RESOLVE_HOST: return .nameNotResolved
        case CURLE_COULDNT_CONNECT: return refused.map { .addressRefused($0) } ?? .connectFailed
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: return .proxyFailed
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR: return .certificateRefused
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE: return .credentialsUnusable
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED: return .tlsFailed
        case CURLE_OPERATION_TIMEDOUT: return began ? .timedOut : .connectTimedOut
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2_STREAM:
            if !began, configuration.proxy != nil { return .proxyFailed }
            return began ? .connectionLost : .connectFailed
        case CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_BAD_CONTENT_ENCODING, CURLE_CHUNK_FAILED:
            return .protocolViolated
        default: return .failed(code: Int(code.rawValue))
        }
    }
}
