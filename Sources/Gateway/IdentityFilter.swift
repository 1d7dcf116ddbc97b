import Bytes
import HTTP
import Identity
import Policy
import Reactor
import Server

/// Who is it: a bearer token (RFC 6750), verified once and remembered until it expires, or a client certificate.
extension Worker {
    /// The caller, or nil after the request was refused.
    func identify(_ exchange: Exchange, _ context: RequestContext) -> Caller? {
        let head = exchange.head
        let bytes = exchange.headBytes
        guard let field = head.first(.authorization) else {
            if let caller = certificateCaller(exchange) {
                context.caller = caller
                return caller
            }
            metrics.tokenRefused()
            refuse(exchange, .unauthenticated(nil))
            return nil
        }
        let value = bytes.extracting(field.valueRange)
        // RFC 6750 §2.1: one scheme, one token; two fields could name two callers.
        guard head.count(of: .authorization) == 1, value.count > 7,
            value.extracting(0..<7).equalsIgnoringCase("bearer ")
        else {
            metrics.tokenRefused()
            refuse(exchange, .unauthenticated(head.count(of: .authorization) == 1 ? nil : .malformed))
            return nil
        }
        do throws(TokenError) {
            let caller = try caller(of: value.extracting(7..<value.count), exchange)
            context.caller = caller
            return caller
        } catch {
            metrics.tokenRefused()
            refuse(exchange, .unauthenticated(error))
            return nil
        }
    }

    /// The caller of a token, verified once and remembered until it expires.
    func caller(of token: Span<UInt8>, _ exchange: Exchange) throws(TokenError) -> Caller {
        if let known = tokens.value(for: token, now: reactor.wall, generation: identity.generation) {
            // A token that is bound to a certificate counts on connections with that certificate only, remembered or
            // not.
            if known.principal.certificateThumbprint != nil {
                try known.principal.checkBinding(presented: connection(exchange).certificateThumbprint)
            }
            metrics.tokenRemembered()
            return known
        }
        let principal: Principal
        do throws(TokenError) {
            principal = try identity.verifier.verify(token, now: reactor.wall, memo: &tokenHeader)
        } catch {
            throw error == .unknownKey ? whileFetching(token) : error
        }
        try principal.checkBinding(presented: connection(exchange).certificateThumbprint)
        if identity.revocations.revocation(of: principal) != nil { throw TokenError.revoked }
        let caller = Caller(principal, snapshot: snapshot)
        tokens.store(
            caller, for: token, now: reactor.wall, expires: principal.expires, generation: identity.generation)
        metrics.tokenVerified()
        return caller
    }

    /// An issuer that signs with a new key before we have fetched it is no fault of the caller's, who is asked to come
    /// again in a second. Only while a fetch is under way that may bring the key: made-up ids cannot ask for one often.
    private func whileFetching(_ token: Span<UInt8>) -> TokenError {
        guard let issuer = identity.verifier.claimedIssuer(token) else { return .unknownKey }
        // The key may have come, and be on its way to this reactor.
        if desk.current.generation > identity.generation { return .keysUnavailable }
        return desk.unknownKey(of: issuer) ? .keysUnavailable : .unknownKey
    }

    private func certificateCaller(_ exchange: Exchange) -> Caller? {
        let connection = connection(exchange)
        guard let principal = connection.certificatePrincipal, reactor.wall < principal.expires,
            identity.revocations.revocation(of: principal) == nil
        else { return nil }
        if let caller = connection.certificateCaller, connection.generation == snapshot.generation { return caller }
        let caller = Caller(principal, snapshot: snapshot)
        connection.certificateCaller = caller
        connection.generation = snapshot.generation
        return caller
    }

    /// What the policy may look at besides caller and operation.
    func facts(_ exchange: Exchange) -> RequestFacts {
        RequestFacts(
            now: reactor.wall, address: exchange.origin.peerHost, listener: exchange.origin.listener,
            hasClientCertificate: connection(exchange).certificateThumbprint != nil)
    }

    /// What is known of the connection, made at its first request that asks.
    func connection(_ exchange: Exchange) -> ConnectionFacts {
        if let known = exchange.origin.context as? ConnectionFacts { return known }
        let made = ConnectionFacts(exchange, snapshot: snapshot, now: reactor.wall)
        exchange.origin.context = made
        return made
    }
}
