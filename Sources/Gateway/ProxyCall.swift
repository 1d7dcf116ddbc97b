import Bytes
import HTTP
import Limits
import Reactor
import Server
import Upstream

/// A proxied request: streams the client's request to a server and the answer back, holding whichever side is faster
/// than the other can take.
///
/// The request head is written for the server at once, while the client's head stands in its buffer; a wait for the
/// server then holds only those bytes. Nothing here blocks or allocates per request: calls wait in a pool.
final class ProxyCall: UpstreamCall, ExchangeConsumer {
    private enum Answer {
        case none
        case streaming
        /// The server's own error page is thrown away; a problem document takes its place.
        case replaced
    }

    private let worker: Worker
    private var exchange: Exchange?
    private var connection: UpstreamConnection?
    /// The connection that is being made for this call.
    private var pending: UpstreamConnection?
    /// Those of the last request stay, so that the next one on the same route does not count its references anew.
    private var route: CompiledRoute?
    private var pool: UpstreamPool?
    private var ticket: AdmissionQueue.Ticket?
    /// The request head, and body bytes that came before the connection stood.
    private let prelude = IOBuffer(capacity: 2_048)
    private var isChunked = false
    private var bodyEnded = false
    private var bodyWasSent = false
    private var answer = Answer.none
    private var isHoldingBody = false
    private var isHoldingAnswer = false
    private(set) var method = Method.get
    private(set) var wantsUpgrade = false
    private var tunnelAnswer = false

    init(worker: Worker) { self.worker = worker }

    // MARK: Beginning

    /// Called inside `handle`: the head's bytes are there.
    func start(_ exchange: Exchange, context: RequestContext, route: CompiledRoute, pool: UpstreamPool, upgrade: Bool) {
        self.exchange = exchange
        if self.route !== route { self.route = route }
        if self.pool !== pool { self.pool = pool }
        method = exchange.head.method
        wantsUpgrade = upgrade
        isHoldingBody = false
        isHoldingAnswer = false
        bodyWasSent = false
        tunnelAnswer = false
        answer = .none
        prelude.clear()
        writeHead(exchange, context: context, route: route, target: pool.target)
        bodyEnded = exchange.head.framing == .none || exchange.head.framing == .length(0)
        exchange.consumer = self
        let deadline = exchange.reactor.now + pool.target.configuration.responseTimeout
        ticket = pool.start(
            self, admission: route.admission, client: exchange.origin.peer.network, deadline: deadline)
    }

    /// Fields of the request that are written anew or mean this hop only.
    private static var ownFields: UInt64 {
        FieldName.host.bit | FieldName.contentLength.bit | FieldName.transferEncoding.bit | FieldName.expect.bit
            | FieldName.forwarded.bit | FieldName.xForwardedFor.bit | FieldName.xForwardedHost.bit
            | FieldName.xForwardedProto.bit | FieldName.xForwardedPort.bit | FieldName.xRealIp.bit
            | FieldName.traceparent.bit | FieldName.via.bit
    }

    /// The same of the answer.
    private static var ownAnswerFields: UInt64 {
        FieldName.contentLength.bit | FieldName.transferEncoding.bit | FieldName.server.bit | FieldName.via.bit
    }

    private func writeHead(_ exchange: Exchange, context: RequestContext, route: CompiledRoute, target: UpstreamTarget)
    {
        let head = exchange.head
        let bytes = exchange.headBytes
        let out = prelude
        out.append(copying: bytes.extracting(head.methodRange))
        out.append(UInt8(ascii: " "))
        // Origin-form, also where the client sent absolute-form. (RFC 9112 §3.2)
        let path = head.pathRange
        if path.isEmpty { out.append(UInt8(ascii: "/")) }
        out.append(copying: bytes.extracting(path.lowerBound..<head.targetRange.upperBound))
        out.append(" HTTP/1.1\r\nHost: ")
        if route.preservesHost, let host = head.first(.host) {
            out.append(copying: bytes.extracting(host.valueRange))
        } else {
            let authority = route.authority
            out.append(copying: authority.span)
        }
        out.append("\r\n")
        head.appendFields(
            of: bytes,
            except: route.forwardsAuthorization ? Self.ownFields : Self.ownFields | FieldName.authorization.bit,
            to: out)
        isChunked = false
        switch head.framing {
        case .length(let count):
            out.append("Content-Length: ")
            out.append(decimal: Int(count))
            out.append("\r\n")
        case .chunked:
            isChunked = true
            out.append("Transfer-Encoding: chunked\r\n")
        case .none, .untilClose:
            break
        }
        if let asked = head.first(.host) {
            out.append("X-Forwarded-Host: ")
            out.append(copying: bytes.extracting(asked.valueRange))
            out.append("\r\n")
        }
        // What the client claims of its way here is worth nothing; the last hop that is known is this connection.
        let host = exchange.origin.peerHost
        let isTLS = exchange.origin.isTLS
        out.append("X-Forwarded-For: ")
        out.append(copying: host.utf8.span)
        out.append("\r\nX-Forwarded-Proto: ")
        if isTLS { out.append("https\r\n") } else { out.append("http\r\n") }
        // An IPv6 address is quoted here and nowhere else. (RFC 7239 §6)
        if exchange.origin.peer.isIPv6 {
            out.append("Forwarded: for=\"[")
            out.append(copying: host.utf8.span)
            out.append("]\"")
        } else {
            out.append("Forwarded: for=")
            out.append(copying: host.utf8.span)
        }
        if isTLS { out.append(";proto=https\r\nVia: ") } else { out.append(";proto=http\r\nVia: ") }
        if exchange.wireProtocol == .http2 {
            out.append("2.0 ")
        } else if head.version == 0 {
            out.append("1.0 ")
        } else {
            out.append("1.1 ")
        }
        let name = worker.nameBytes
        out.append(copying: name.span)
        out.append("\r\ntraceparent: ")
        context.trace.append(to: out)
        if wantsUpgrade {
            out.append("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        } else {
            out.append("\r\n\r\n")
        }
    }

    // MARK: The server's side

    var canRepeat: Bool { bodyEnded && !bodyWasSent }

    /// Not over HTTP/2, where one connection has a hundred streams that may each keep a read.
    var takesWideReads: Bool { exchange?.wireProtocol == .http1 }

    func connecting(_ connection: UpstreamConnection) {
        ticket = nil
        self.connection = nil
        pending = connection
    }

    func connected(_ connection: UpstreamConnection) {
        ticket = nil
        pending = nil
        self.connection = connection
        connection.output.append(from: prelude, offset: 0, count: prelude.count)
        connection.flushSoon(ended: bodyEnded)
        if isHoldingBody {
            isHoldingBody = false
            exchange?.resumeBody()
        }
    }

    func requestDrained() {
        if isHoldingBody {
            isHoldingBody = false
            exchange?.resumeBody()
        }
    }

    /// Hints that come before the answer go to clients of HTTP/2. Those of HTTP/1.1 get none: too many take whatever comes
    /// first for the answer. (RFC 8297 §3; `100` answers an expectation that was not passed on.)
    func interim(_ head: MessageHead, _ bytes: Span<UInt8>) {
        guard let exchange, head.status != 100, exchange.startInterim(status: head.status) else { return }
        for i in 0..<head.count where !head[i].isHopByHop && head[i].name != .contentLength {
            exchange.addField(bytes.extracting(head[i].nameRange), bytes.extracting(head[i].valueRange))
        }
        exchange.endInterim()
    }

    func answerHead(_ head: MessageHead, _ bytes: Span<UInt8>) {
        guard let exchange, let route else { return }
        let status = head.status
        if status == 101 {
            tunnelAnswer = true
            writeAnswerHead(exchange, head, bytes, status: 101)
            return
        }
        if route.hidesErrors && (status >= 500 || (status == 404 && isHTML(head, bytes))) {
            answer = .replaced
            return
        }
        answer = .streaming
        writeAnswerHead(exchange, head, bytes, status: status)
        switch head.framing {
        case .length(let count): exchange.endHead(.length(count))
        case .chunked, .untilClose: exchange.endHead(.streamed)
        case .none:
            // To HEAD the server says how long the body would be; that is passed on as it stands.
            if method == .head, let field = head.first(.contentLength),
                let length = bytes.extracting(field.valueRange).decimal
            {
                exchange.endHead(.length(Int64(length)))
            } else {
                exchange.endHead(status == 204 || status == 304 || method == .head ? .absent : .length(0))
            }
        }
    }

    private func isHTML(_ head: MessageHead, _ bytes: Span<UInt8>) -> Bool {
        guard let field = head.first(.contentType) else { return false }
        let value = bytes.extracting(field.valueRange)
        return value.count >= 9 && value.extracting(0..<9).equalsIgnoringCase("text/html")
    }

    private func writeAnswerHead(_ exchange: Exchange, _ head: MessageHead, _ bytes: Span<UInt8>, status: Int) {
        exchange.startResponse(status: status)
        exchange.addFields(of: head, bytes, except: Self.ownAnswerFields)
        let via = worker.viaBytes
        exchange.addField("Via", via.span)
        if status == 101 {
            exchange.addField("Connection", "Upgrade")
            exchange.addField("Upgrade", "websocket")
        }
    }

    func answerBody(_ buffer: IOBuffer, offset: Int, count: Int) {
        guard let exchange, answer == .streaming else { return }
        exchange.sendBody(buffer, offset: offset, count: count)
        if exchange.isBackedUp {
            isHoldingAnswer = true
            connection?.pauseAnswer()
        }
    }

    func answerBody(from connection: UpstreamConnection, upTo count: Int) -> SocketStream.Received? {
        guard let exchange, answer == .streaming,
            let received = exchange.sendBody(from: connection, upTo: count)
        else { return nil }
        if exchange.isBackedUp {
            isHoldingAnswer = true
            connection.pauseAnswer()
        }
        return received
    }

    func answerEnded() {
        guard let exchange else { return }
        if tunnelAnswer {
            beginTunnel(exchange)
            return
        }
        let status = connection?.answerStatus ?? 502
        if answer == .streaming, let trailers = connection?.answerTrailers, !trailers.isEmpty {
            for (name, value) in trailers { exchange.addTrailer(name, value) }
        }
        connection = nil
        let wasReplaced = answer == .replaced
        release()
        if wasReplaced {
            worker.refuse(exchange, .upstreamError(status: status))
        } else {
            exchange.finish()
        }
    }

    private func beginTunnel(_ exchange: Exchange) {
        guard let server = connection, let client = exchange.takeOver() else {
            connection?.closeStream(abruptly: true)
            release()
            exchange.abort()
            return
        }
        let worker = worker
        release()
        worker.openTunnels += 1
        _ = Tunnel(client, server, idleTimeout: worker.tunnelIdleTimeout) { _, _ in worker.openTunnels -= 1 }
    }

    func failed(_ failure: UpstreamFailure) {
        connection = nil
        pending = nil
        ticket = nil
        guard let exchange else { return }
        let begun = answer == .streaming
        release()
        if begun {
            exchange.abort()
        } else {
            worker.refuse(exchange, .upstream(failure))
        }
    }

    // MARK: The client's side

    func requestBody(_ bytes: Span<UInt8>) {
        guard answer != .replaced else { return }
        bodyWasSent = true
        if let connection {
            if isChunked {
                append(bytes, to: connection.output)
                connection.flush(ended: false)
            } else {
                connection.sendBody(bytes)
            }
            if connection.isBackedUp { hold() }
        } else {
            append(bytes, to: prelude)
            // Until the connection stands, a little of the body waits with the head; the rest stays with the client.
            if prelude.count >= 16_384 { hold() }
        }
    }

    func requestBody(from client: SocketStream, upTo count: Int) -> SocketStream.Received? {
        guard answer != .replaced, !isChunked, let connection,
            let received = connection.sendBody(from: client, upTo: count)
        else { return nil }
        if case .bytes = received {
            bodyWasSent = true
            if connection.isBackedUp { hold() }
        }
        return received
    }

    private func append(_ bytes: Span<UInt8>, to buffer: IOBuffer) {
        var out = buffer
        if isChunked { HTTPWriter.chunkHead(bytes.count, to: &out) }
        out.append(copying: bytes)
        if isChunked { out.append("\r\n") }
    }

    private func hold() {
        isHoldingBody = true
        exchange?.pauseBody()
    }

    func requestBodyEnded() {
        bodyEnded = true
        if let connection {
            if isChunked { connection.output.append("0\r\n\r\n") }
            connection.flush(ended: true)
        } else if isChunked {
            prelude.append("0\r\n\r\n")
        }
    }

    func requestBodyFailed(_ error: HTTPError) { giveUp() }

    func responseDrained() {
        guard isHoldingAnswer else { return }
        isHoldingAnswer = false
        connection?.resumeAnswer()
    }

    func clientGone() { giveUp() }

    /// The client is gone or spoke nonsense: nobody waits for the answer.
    private func giveUp() {
        let open = connection ?? pending
        let waiting = ticket
        let from = pool
        release()
        open?.abandon()
        if let waiting { from?.withdraw(waiting) }
    }

    /// Forgets the request and goes back to the worker's pool.
    private func release() {
        exchange?.consumer = nil
        exchange = nil
        if connection != nil { connection = nil }
        if pending != nil { pending = nil }
        ticket = nil
        worker.give(self)
    }
}
