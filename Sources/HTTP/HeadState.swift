/// The part of a message's head that has a fixed size. Reached through the properties of `MessageHead`.
public struct HeadState: Sendable {
    public var count = 0
    /// Known names seen at least once, and at least twice, as sums of `FieldName.bit`.
    public var present: UInt64 = 0
    public var repeated: UInt64 = 0

    public var method = Method.other
    public var targetForm = TargetForm.origin
    /// 0 or 1, of HTTP/1.x.
    public var version: UInt8 = 1
    public var keepAlive = false
    public var expectsContinue = false
    public var upgrade = false
    public var isWebSocketUpgrade = false
    public var hasQuery = false
    /// 0 in a request.
    public var status: UInt16 = 0
    public var headBytes: UInt32 = 0

    public var methodStart: UInt32 = 0
    public var methodEnd: UInt32 = 0
    public var targetStart: UInt32 = 0
    public var targetEnd: UInt32 = 0
    public var authorityStart: UInt32 = 0
    public var authorityEnd: UInt32 = 0
    public var pathStart: UInt32 = 0
    public var pathEnd: UInt32 = 0
    public var reasonStart: UInt32 = 0
    public var reasonEnd: UInt32 = 0

    public var framing = BodyFraming.none

    @inlinable public init() {}
}

/// The four forms of a request target. (RFC 9112 §3.2)
public enum TargetForm: UInt8, Sendable {
    /// `/path?query`
    case origin
    /// `http://host/path?query`, also to be accepted by servers.
    case absolute
    /// `host:port`, with CONNECT only.
    case authority
    /// `*`, with OPTIONS only.
    case asterisk
}

extension FieldLine {
    @usableFromInline static var empty: FieldLine {
        FieldLine(name: .other, nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0)
    }
}

extension MessageHead {
    // MARK: The request line

    @inlinable public var method: Method { state.pointee.method }
    @inlinable public var methodRange: Range<Int> { Int(state.pointee.methodStart)..<Int(state.pointee.methodEnd) }
    /// The request target as it came.
    @inlinable public var targetRange: Range<Int> { Int(state.pointee.targetStart)..<Int(state.pointee.targetEnd) }
    @inlinable public var targetForm: TargetForm { state.pointee.targetForm }
    /// The path as it came, percent-encoded. Empty in authority-form and in `http://host`; `*` in asterisk-form.
    @inlinable public var pathRange: Range<Int> { Int(state.pointee.pathStart)..<Int(state.pointee.pathEnd) }
    /// The query without its `?`, as it came; nil where there is no `?`.
    @inlinable public var queryRange: Range<Int>? {
        state.pointee.hasQuery ? Int(state.pointee.pathEnd) &+ 1..<Int(state.pointee.targetEnd) : nil
    }
    /// The host and port of a target in absolute-form or authority-form; nil otherwise.
    @inlinable public var authorityRange: Range<Int>? {
        state.pointee.authorityEnd == 0
            ? nil : Int(state.pointee.authorityStart)..<Int(state.pointee.authorityEnd)
    }
    /// The minor version of HTTP/1.x: 0 or 1.
    @inlinable public var version: UInt8 { state.pointee.version }

    // MARK: The status line

    /// 100 to 599; 0 in a request.
    @inlinable public var status: Int { Int(state.pointee.status) }
    @inlinable public var reasonRange: Range<Int> { Int(state.pointee.reasonStart)..<Int(state.pointee.reasonEnd) }

    // MARK: What follows from the fields

    @inlinable public var framing: BodyFraming { state.pointee.framing }
    /// Whether the sender is ready for another message on this connection. (RFC 9112 §9.3)
    @inlinable public var keepAlive: Bool { state.pointee.keepAlive }
    /// Whether the client waits for `100 Continue` before its body. (RFC 9110 §10.1.1)
    @inlinable public var expectsContinue: Bool { state.pointee.expectsContinue }
    /// Whether `Connection: upgrade` and `Upgrade` are both there, in HTTP/1.1. (RFC 9110 §7.8)
    @inlinable public var upgrade: Bool { state.pointee.upgrade }
    /// Whether the upgrade asked for, or granted, is `websocket`. `WebSocketHandshake` checks the rest.
    @inlinable public var isWebSocketUpgrade: Bool { state.pointee.isWebSocketUpgrade }
    /// Length of the head in bytes, its empty line and a tolerated empty line before it included: so many are to be
    /// consumed before the body begins.
    @inlinable public var headBytes: Int { Int(state.pointee.headBytes) }
}
