import Bytes
import HTTP
import Reactor

/// One request and its response, whatever the protocol: what handlers see.
///
/// An exchange lives on its reactor and is used again for the next request. Whoever is called with one may use it until
/// it has finished the response or was told that the client is gone, and must forget it then.
open class Exchange {
    /// The request head, positions into `headBytes`.
    public final let head: MessageHead
    /// The reactor that it lives on.
    public let reactor: Reactor
    /// Where the connection was accepted and from whom.
    public final var origin: ConnectionOrigin
    /// What the handler keeps for this request.
    public final var context: AnyObject?
    /// Who takes the body and hears of backpressure; nil throws the body away.
    public final var consumer: (any ExchangeConsumer)?
    /// When the head was complete.
    public final var started = MonotonicInstant(nanoseconds: 0)
    /// Status of the final response, 0 before it is begun.
    public final var status = 0
    /// Payload bytes of the request body taken so far.
    public final var requestBodyBytes: Int64 = 0
    /// Payload bytes of the response body given so far.
    public final var responseBodyBytes: Int64 = 0

    public init(reactor: Reactor, head: MessageHead, origin: ConnectionOrigin) {
        self.reactor = reactor
        self.head = head
        self.origin = origin
    }

    /// How the response's body is delimited.
    public enum ResponseBody: Equatable {
        /// None, and no length is told (1xx, 204, 304).
        case absent
        /// Exactly so many bytes.
        case length(Int64)
        /// As many as come, until `finish`.
        case streamed
    }

    // MARK: To override, one driver per protocol

    /// What the client speaks.
    open var wireProtocol: WireProtocol { .http1 }

    /// The request head's bytes. Valid only inside `ExchangeHandler.handle` and `refuse`.
    open var headBytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { StaticString("").bytes }
    }

    /// Begins the final response.
    open func startResponse(status: Int) {}
    open func addField(_ name: StaticString, _ value: Span<UInt8>) {}
    open func addField(_ name: Span<UInt8>, _ value: Span<UInt8>) {}
    /// Adds the fields of another message that are passed on: not the hop-by-hop ones, nor those named in `except`, a sum
    /// of `FieldName.bit`. `bytes` is what `head` was read from.
    open func addFields(of head: MessageHead, _ bytes: Span<UInt8>, except: UInt64) {
        for i in 0..<head.count {
            let field = head[i]
            if field.isHopByHop || field.name != .other && except & field.name.bit != 0 { continue }
            addField(bytes.extracting(field.nameRange), bytes.extracting(field.valueRange))
        }
    }
    /// Ends the head. A HEAD request gets the fields that say how long the body would be, and no body.
    open func endHead(_ body: ResponseBody) {}
    /// Gives `count` body bytes of `buffer` from `offset`; they are sent or copied before it returns.
    open func sendBody(_ buffer: IOBuffer, offset: Int, count: Int) {}
    /// Gives up to `count` body bytes straight from another stream, and says how its reading went; nil where they must be
    /// read and given to `sendBody`.
    open func sendBody(from stream: SocketStream, upTo count: Int) -> SocketStream.Received? { nil }
    /// Ends the response. The exchange must not be touched afterwards.
    open func finish() {}
    /// Ends the exchange when the response cannot be completed: the client sees a broken connection, never a cut body
    /// that looks whole. The exchange must not be touched afterwards.
    open func abort() {}
    /// Whether more of the response should wait until `ExchangeConsumer.responseDrained`.
    open var isBackedUp: Bool { false }
    /// Holds the request body back: the client is not read from.
    open func pauseBody() {}
    open func resumeBody() {}
    /// Keeps the request's place among those that its connection may have at a time, for as long as what is returned
    /// lives: for work that goes on though its client has reset the stream. (CVE-2023-44487)
    open func holdPlace() -> AnyObject? { nil }
    /// Begins an interim response, to which fields can be added (RFC 9110 §15.2); false where the client would not
    /// understand it.
    open func startInterim(status: Int) -> Bool { false }
    open func endInterim() {}
    /// Adds a field of the trailer section, before `finish`. Left out where the client does not take trailers.
    open func addTrailer(_ name: String, _ value: String) {}
    /// Makes the connection close after this response.
    open func closeAfterwards() {}
    /// Sends the 101 whose head has been written and gives up the connection to the tunnel.
    open func takeOver() -> (any TunnelEnd)? { nil }

    // MARK: Conveniences

    public final func addField(_ name: StaticString, _ value: StaticString) { addField(name, value.bytes) }

    /// Off the hot path.
    public final func addField(_ name: String, _ value: String) {
        let nameBytes = Array(name.utf8)
        let valueBytes = Array(value.utf8)
        addField(nameBytes.span, valueBytes.span)
    }

    /// A whole response from bytes. Off the hot path.
    public final func respond(status: Int, fields: [(String, String)], body: [UInt8]) {
        startResponse(status: status)
        for (name, value) in fields { addField(name, value) }
        if status == 204 || status == 304 {
            endHead(.absent)
            finish()
            return
        }
        endHead(.length(Int64(body.count)))
        if !body.isEmpty {
            let buffer = IOBuffer(capacity: max(1, body.count))
            buffer.append(copying: body.span)
            sendBody(buffer, offset: 0, count: body.count)
        }
        finish()
    }
}

/// What a listener says to HTTP/2.
public enum HTTP2Offer: String, Sendable, CaseIterable {
    /// HTTP/1.1 alone.
    case off
    /// Beside HTTP/1.1: by ALPN over TLS, in cleartext where the client begins with the preface. (RFC 9113 §3.2, §3.3)
    case on
    /// HTTP/2 alone.
    case only

    /// For ALPN, best first.
    public var protocols: [String] {
        switch self {
        case .off: ["http/1.1"]
        case .on: ["h2", "http/1.1"]
        case .only: ["h2"]
        }
    }
}

/// The protocols that clients speak here.
public enum WireProtocol: Sendable {
    case http1
    case http2

    /// As logs and metrics call it.
    public var name: String { self == .http1 ? "HTTP/1" : "HTTP/2" }
}

/// Where a connection came in and from whom.
public final class ConnectionOrigin {
    /// Name of the listener in the configuration.
    public let listener: String
    /// Whether it came through TLS.
    public let isTLS: Bool
    public let peer: SocketAddress
    /// The peer's numeric address, rendered once per connection.
    public private(set) lazy var peerHost: String = peer.host
    /// What the handler keeps for the connection (a certificate's principal).
    public var context: AnyObject?
    /// The TLS side, for client certificates.
    public let tls: TLSSession?
    let http2: HTTP2Offer
    /// Called once when the connection has closed.
    var released: ((SocketAddress) -> Void)?
    /// Called when the connection was cut off for a flood.
    var flooded: ((SocketAddress) -> Void)?

    public init(listener: String, peer: SocketAddress, tls: TLSSession?, http2: HTTP2Offer = .on) {
        self.http2 = http2
        self.listener = listener
        self.peer = peer
        self.tls = tls
        isTLS = tls != nil
    }
}

/// What the room above does with requests.
public protocol ExchangeHandler: AnyObject {
    /// A request head is complete. Answer through the exchange, now or later.
    func handle(_ exchange: Exchange)
    /// The client sent what is not HTTP, or too much, or too slowly: answer with the error's status. The connection
    /// closes afterwards.
    func refuse(_ exchange: Exchange, _ error: HTTPError)
    /// The response has left, or the client has: for logs, metrics and the audit's outcome.
    func finished(_ exchange: Exchange, completed: Bool)
}

/// Who takes the request body and hears how the client reads the response.
public protocol ExchangeConsumer: AnyObject {
    /// Body bytes, in order. They are gone when it returns.
    func requestBody(_ bytes: Span<UInt8>)
    /// Takes up to `count` body bytes straight from the client's stream, and says how its reading went; nil where they
    /// must be read and given to `requestBody`.
    func requestBody(from stream: SocketStream, upTo count: Int) -> SocketStream.Received?
    /// The body is complete.
    func requestBodyEnded()
    /// The body broke off, was malformed or too large; the driver answers the client. Forget the exchange.
    func requestBodyFailed(_ error: HTTPError)
    /// What was held back may be sent.
    func responseDrained()
    /// The client is gone. Forget the exchange.
    func clientGone()
}

extension ExchangeConsumer {
    public func requestBody(from stream: SocketStream, upTo count: Int) -> SocketStream.Received? { nil }
}
