/// Why a connection or a stream of HTTP/2 was cut off: the values of the label `reason` in the metrics.
public enum HTTP2CutOff: Int, Sendable, CaseIterable {
    // The connection ends with ENHANCE_YOUR_CALM.
    case resetFlood
    case settingsFlood
    case pingFlood
    case emptyDataFlood
    case priorityFlood
    case windowUpdateFlood
    case unknownFrameFlood
    case continuationFlood
    case headerListBomb
    // The connection ends with another error.
    case protocolError
    case settingsTimeout
    case pingTimeout
    case connectionStalled
    case headTooSlow
    // A stream is reset.
    case responseStalled
    case bodyTooSlow
    case refusedStream
    case malformedRequest

    /// As it is written in the metrics.
    public var name: String {
        switch self {
        case .resetFlood: "reset-flood"
        case .settingsFlood: "settings-flood"
        case .pingFlood: "ping-flood"
        case .emptyDataFlood: "empty-data-flood"
        case .priorityFlood: "priority-flood"
        case .windowUpdateFlood: "window-update-flood"
        case .unknownFrameFlood: "unknown-frame-flood"
        case .continuationFlood: "continuation-flood"
        case .headerListBomb: "header-list-bomb"
        case .protocolError: "protocol-error"
        case .settingsTimeout: "settings-timeout"
        case .pingTimeout: "ping-timeout"
        case .connectionStalled: "connection-stalled"
        case .headTooSlow: "head-too-slow"
        case .responseStalled: "response-stalled"
        case .bodyTooSlow: "body-too-slow"
        case .refusedStream: "refused-stream"
        case .malformedRequest: "malformed-request"
        }
    }

    /// Whether it takes a program made for it to get here: such a client may not come back at once on a new connection.
    public var isFlood: Bool {
        switch self {
        case .resetFlood, .settingsFlood, .pingFlood, .emptyDataFlood, .priorityFlood, .windowUpdateFlood,
            .unknownFrameFlood, .continuationFlood, .headerListBomb:
            true
        default: false
        }
    }

    /// What the client is told with the GOAWAY.
    public var code: HTTP2ErrorCode {
        switch self {
        case .resetFlood, .settingsFlood, .pingFlood, .emptyDataFlood, .priorityFlood, .windowUpdateFlood,
            .unknownFrameFlood, .continuationFlood, .headerListBomb, .connectionStalled,
            .headTooSlow:
            .enhanceYourCalm
        case .settingsTimeout: .settingsTimeout
        case .responseStalled, .bodyTooSlow: .cancel
        case .refusedStream: .refusedStream
        case .protocolError, .malformedRequest: .protocolError
        case .pingTimeout: .noError
        }
    }
}
