import Bytes
import HTTP
import Reactor

/// Everything in HTTP/2 that a client may not take forever for. One timer of the connection looks at all of it: while
/// streams are open once in a second, otherwise at the one time that counts.
extension HTTP2Connection {
    /// How often the streams are looked at.
    private static var interval: Nanoseconds { .seconds(1) }

    var nextDeadline: MonotonicInstant {
        let configuration = server.configuration
        // Counted from the last look: what the client sends meanwhile must not put the next one off.
        var next =
            exchanges.isEmpty && !hasPendingOutput
            ? lastStreamEnded + configuration.idleTimeout : max(reactor.now, checked + Self.interval)
        if !session.isSettled { next = min(next, opened + configuration.http2.settingsTimeout) }
        if session.isPingOutstanding { next = min(next, pingSent + configuration.http2.pingTimeout) }
        if let goAwayAt { next = min(next, max(goAwayAt, reactor.now)) }
        return next
    }

    func checkDeadlines() {
        let configuration = server.configuration
        let now = reactor.now
        checked = now
        if hasPendingOutput, now - lastWritten >= configuration.sendTimeout {
            server.statistics.slowReaders.add(1)
            cutOff(.connectionStalled)
            close(abruptly: true)
            return
        }
        if !session.isSettled, now - opened >= configuration.http2.settingsTimeout {
            session.cutOff(.settingsTimeout)
            return
        }
        if let goAwayAt, now >= goAwayAt {
            self.goAwayAt = nil
            session.goAway()
        }
        checkPing(now, configuration.http2)
        guard isOpen else { return }
        if exchanges.isEmpty {
            if now - lastStreamEnded >= configuration.idleTimeout, !session.isGoingAway {
                server.statistics.idleTimeouts.add(1)
                drain()
            }
            return
        }
        if let slow = exchanges.first(where: { !$0.hasHead }), now - slow.bodyStarted >= configuration.headTimeout {
            server.statistics.slowRequests.add(1)
            session.cutOff(.headTooSlow)
            return
        }
        for exchange in exchanges { check(exchange, now, configuration) }
    }

    /// A client that is gone without a word is found out, so that its streams do not stay for hours.
    private func checkPing(_ now: MonotonicInstant, _ limits: HTTP2Limits) {
        if session.isPingOutstanding {
            // Anything that came since shows as well that somebody is there.
            if now - pingSent >= limits.pingTimeout, lastRead <= pingSent, goAwayAt == nil {
                cutOff(.pingTimeout)
                close(abruptly: true)
            }
        } else if !exchanges.isEmpty, now - lastRead >= limits.pingInterval {
            pingSent = now
            session.ping()
        }
    }

    private func check(_ exchange: HTTP2Exchange, _ now: MonotonicInstant, _ configuration: ServerConfiguration) {
        if exchange.tunnel != nil {
            if now >= exchange.tunnelDeadline { exchange.tunnel?.timedOut() }
            return
        }
        if exchange.isSending {
            let earned = exchange.sentBytes / max(1, configuration.http2.responseBytesPerSecondMin)
            if now >= exchange.sendStarted + configuration.sendTimeout + .seconds(earned) {
                server.statistics.slowReaders.add(1)
                cutOff(.responseStalled)
                session.reset(exchange.stream, .cancel)
                exchange.isSending = false
            }
            return
        }
        // While the client may not send because others have filled the connection's window, it is not slow.
        guard !exchange.bodyEnded, !exchange.bodyPaused, exchange.held == nil, session.connectionWindowBytes > 0 else {
            return
        }
        let earned = exchange.requestBodyBytes / max(1, configuration.bodyBytesPerSecondMin)
        let slowest = exchange.bodyStarted + configuration.bodyTimeout + .seconds(earned)
        if now - exchange.bodyMoved >= configuration.bodyTimeout || now >= slowest {
            server.statistics.slowRequests.add(1)
            cutOff(.bodyTooSlow)
            exchange.failBody(.requestTimeout)
        }
    }
}
