import HTTP

/// Why a connection was refused or cut off: the values of the label `reason` of `millgate_connections_cut`.
public enum ConnectionCut: Int, Sendable, CaseIterable {
    // Before a byte is read.
    case tooMany
    case tooManyFromAddress
    case tooFastFromAddress
    case noDescriptors
    // In TLS.
    case slowHandshake
    case failedHandshake
    case crowdedHandshake
    case repeatedHandshake
    // While a request comes.
    case malformedRequest
    case headTooLarge
    case bodyTooLarge
    case slowHead
    case slowBody
    case slowReader
    // While nothing happens.
    case shedIdle

    /// As it is written in the metrics.
    public var name: String {
        switch self {
        case .tooMany: "too-many"
        case .tooManyFromAddress: "too-many-from-address"
        case .tooFastFromAddress: "too-fast-from-address"
        case .noDescriptors: "no-descriptors"
        case .slowHandshake: "slow-handshake"
        case .failedHandshake: "failed-handshake"
        case .crowdedHandshake: "crowded-handshake"
        case .repeatedHandshake: "repeated-handshake"
        case .malformedRequest: "malformed-request"
        case .headTooLarge: "head-too-large"
        case .bodyTooLarge: "body-too-large"
        case .slowHead: "slow-head"
        case .slowBody: "slow-body"
        case .slowReader: "slow-reader"
        case .shedIdle: "shed-idle"
        }
    }

    /// What a request that cannot be read is counted as.
    init(_ error: HTTPError, inHead: Bool) {
        switch error.status {
        case 408: self = inHead ? .slowHead : .slowBody
        case 413: self = .bodyTooLarge
        case 414, 431: self = .headTooLarge
        default: self = .malformedRequest
        }
    }
}

/// What becomes of a connection that was just accepted.
public enum ConnectionAdmission: Equatable, Sendable {
    case admitted
    /// Admitted, but there is hardly room for more: idle connections make room.
    case crowded
    case refused(ConnectionCut)
}
