import Bytes
import HTTP
import Reactor

/// Until when a connection of HTTP/1.1 may go on as it does. Each deadline counts from what was achieved, so that bytes
/// which achieve nothing do not move it.
extension HTTP1Connection {
    func armDeadline() {
        let configuration = server.configuration
        if isHandshaking {
            setDeadline(idleSince + configuration.handshakeTimeout)
            return
        }
        guard let exchange else {
            setDeadline(idleSince + configuration.idleTimeout)
            return
        }
        if exchange.output.isEmpty { exchange.isWaiting = false }
        switch exchange.phase {
        case .head:
            if exchange.output.isEmpty {
                setDeadline(
                    exchange.input.isEmpty
                        ? idleSince + configuration.idleTimeout : headStarted + configuration.headTimeout)
            } else {
                setDeadline(exchange.sendDeadline(now: reactor.now))
            }
        case .inFlight:
            if !exchange.output.isEmpty {
                setDeadline(exchange.sendDeadline(now: reactor.now))
            } else if !exchange.bodyEnded && !exchange.bodyPaused {
                // The later a byte comes, the more must have come before it.
                let earned = exchange.requestBodyBytes / max(1, configuration.bodyBytesPerSecondMin)
                let slowest = exchange.bodyStarted + configuration.bodyTimeout + .seconds(earned)
                setDeadline(min(reactor.now + configuration.bodyTimeout, slowest))
            } else {
                clearDeadline()
            }
        case .closing:
            setDeadline(exchange.sendDeadline(now: reactor.now))
        case .lingering:
            break
        }
    }
}
