import Bytes
import CSystem
import Glibc
import Reactor

/// One request in libcurl: its easy handle, and what came so far.
final class CurlTransfer {
    let handle: UnsafeMutableRawPointer
    let number: UInt64
    /// Whether the handle may serve another request of the same kind: setting one up costs as much as a small request,
    /// and it remembers the server's TLS session.
    private let isReusable: Bool
    private var isGivenBack = false
    private let configuration: FetchConfiguration
    private var done: ((Result<OutboundResponse, FetchError>) -> Void)?
    private var fieldList: UnsafeMutableRawPointer?

    private var headLines: [UInt8] = []
    private var headBytes = 0
    private var body: [UInt8] = []
    private var isHeadTooLarge = false
    private var isBodyTruncated = false
    private var refused: String?

    init?(
        _ request: OutboundRequest, _ configuration: FetchConfiguration, number: UInt64,
        handle known: UnsafeMutableRawPointer?,
        done: @escaping (Result<OutboundResponse, FetchError>) -> Void
    ) {
        guard let handle = known ?? curl_easy_init() else { return nil }
        self.handle = handle
        isReusable = Self.isReusable(request)
        self.number = number
        self.configuration = configuration
        self.done = done
        guard setUp(request, isNew: known == nil) else { return nil }
    }

    /// A `POST` with a body over connections that may stand: what such a request leaves set is right for the next one.
    static func isReusable(_ request: OutboundRequest) -> Bool {
        request.method == "POST" && !request.body.isEmpty && request.mayReuseConnection
    }

    /// The handle for another transfer, when this one has left the multi handle; nil where it cannot serve another.
    func giveBack() -> UnsafeMutableRawPointer? {
        guard isReusable, !isGivenBack, csystem_curl_set_fields(handle, nil) == CURLE_OK else { return nil }
        isGivenBack = true
        return handle
    }

    deinit {
        if !isGivenBack { curl_easy_cleanup(handle) }
        fieldList?.deallocate()
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

    private func setUp(_ request: OutboundRequest, isNew: Bool) -> Bool {
        let me = Unmanaged.passUnretained(self).toOpaque()
        return csystem_curl_set_text(handle, CURLOPT_PRIVATE, me.assumingMemoryBound(to: CChar.self)) == CURLE_OK
            && setCallbacks(me) && (!isNew || setTransport() && setTLS()) && setRequest(request, isNew: isNew)
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

    private func setRequest(_ request: OutboundRequest, isNew: Bool) -> Bool {
        guard set(CURLOPT_URL, request.url) else { return false }
        let isLarge = request.body.count > Self.http2BodyBytesMax
        let version = isLarge ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS
        guard set(CURLOPT_HTTP_VERSION, Int(version)) else { return false }
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
            guard !isNew || set(CURLOPT_CUSTOMREQUEST, request.method) else { return false }
        }
        return csystem_curl_set_fields(handle, fields(of: request)) == CURLE_OK
    }

    /// The request's fields as libcurl's list, in one piece of memory: the nodes, and their texts behind them.
    private func fields(of request: OutboundRequest) -> UnsafeMutablePointer<curl_slist>? {
        // A wait for `100 Continue` and a form's content type are never wanted: `Name:` is libcurl's way of not sending
        // a field.
        let hasType = request.fields.contains { $0.name.utf8.count == 12 && $0.name.lowercased() == "content-type" }
        let own = hasType ? ["Expect:"] : ["Expect:", "Content-Type:"]
        let count = request.fields.count + own.count
        var bytes = own.reduce(0) { $0 + $1.utf8.count + 1 }
        for (name, value) in request.fields { bytes += name.utf8.count + value.utf8.count + 3 }
        let nodesBytes = count * MemoryLayout<curl_slist>.stride
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: nodesBytes + bytes, alignment: MemoryLayout<curl_slist>.alignment)
        fieldList = memory
        let nodes = memory.bindMemory(to: curl_slist.self, capacity: count)
        var place = memory + nodesBytes
        func copy(_ text: String) {
            var text = text
            text.withUTF8 { utf8 in
                if let start = utf8.baseAddress { place.copyMemory(from: start, byteCount: utf8.count) }
                place += utf8.count
            }
        }
        func end() {
            place.storeBytes(of: 0, as: UInt8.self)
            place += 1
        }
        for i in 0..<count {
            let text = place.assumingMemoryBound(to: CChar.self)
            (nodes + i).initialize(to: curl_slist(data: text, next: i + 1 < count ? nodes + i + 1 : nil))
            if i < request.fields.count {
                let (name, value) = request.fields[i]
                copy(name)
                // `Name;` is a field without value.
                copy(value.isEmpty ? ";" : ": ")
                copy(value)
            } else {
                copy(own[i - request.fields.count])
            }
            end()
        }
        return nodes
    }

    // MARK: What libcurl brings

    /// One line of a head, or of trailers. Anything but its own count makes libcurl stop.
    private func head(_ line: UnsafeRawBufferPointer) -> Int {
        headBytes += line.count
        guard headBytes <= configuration.headBytesMax else {
            isHeadTooLarge = true
            return 0
        }
        // Another head: the one before was an interim answer. (RFC 9110 §15.2)
        if line.count >= 5, let start = line.baseAddress, memcmp(start, "HTTP/", 5) == 0 {
            headLines.removeAll(keepingCapacity: true)
        }
        // Trailers are not kept.
        if body.isEmpty { headLines.append(contentsOf: line) }
        return line.count
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
                status: status, version: version, head: headLines, body: body, isBodyTruncated: isBodyTruncated,
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
