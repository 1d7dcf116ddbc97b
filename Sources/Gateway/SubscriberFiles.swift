import Bytes
import Delivery
import Documents
import Events
import Fetch
import Identity
import Policy
import Reactor
import Webhooks

/// Subscribers with all that their documents name: secrets, certificates, and what the policy lets them receive.
struct SubscriberFiles {
    let configuration: Configuration
    let catalogue: EventCatalogue
    let policy: PolicySet

    /// - Throws: all errors of all files.
    func load(_ files: [(path: String, text: String)]) throws(DocumentErrors) -> [DeliveryTarget] {
        let subscribers = try SubscriberFile.load(files: files, catalogue: catalogue)
        var errors: [DocumentError] = []
        var targets: [DeliveryTarget] = []
        for subscriber in subscribers {
            do throws(DocumentErrors) {
                targets.append(try target(subscriber))
            } catch {
                errors += error.errors
            }
        }
        if !errors.isEmpty { throw DocumentErrors(errors) }
        return targets
    }

    private func target(_ subscriber: Subscriber) throws(DocumentErrors) -> DeliveryTarget {
        func fail(_ message: String) -> DocumentErrors {
            DocumentErrors([DocumentError(file: subscriber.file, line: 1, column: 1, message: message)])
        }
        if subscriber.url.hasPrefix("http://"), !configuration.webhooks.allowsPlainText {
            throw fail("'http://' needs 'webhooks.allow_plain_text' in the configuration; use https://")
        }
        var secrets: [DeliveryTarget.Secret] = []
        for entry in subscriber.secrets {
            do throws(SecretError) {
                secrets.append((try Self.secret(entry.source), entry.until))
            } catch {
                throw fail(error.description)
            }
        }
        return DeliveryTarget(
            subscriber: subscriber, secrets: secrets, fetch: try fetch(subscriber), grants: grants(subscriber),
            isConstant: { [policy] in policy.isConstant($0) })
    }

    private static func secret(_ source: SecretSource) throws(SecretError) -> WebhookSecret {
        let reference: SecretReference =
            switch source {
            case .file(let path): .file(path)
            case .environment(let name): .environment(name)
            }
        let text = String(decoding: try reference.resolve(), as: UTF8.self)
        guard let secret = WebhookSecret(text), !secret.isPublic else {
            throw SecretError(
                description: "\(reference.place): no secret of a webhook, which is \(WebhookSecret.symmetricPrefix)… "
                    + "of 24 to 64 bytes or \(WebhookSecret.privatePrefix)… in base64")
        }
        return secret
    }

    private func fetch(_ subscriber: Subscriber) throws(DocumentErrors) -> FetchConfiguration {
        var fetch = FetchConfiguration()
        if let file = subscriber.tls.authorities { fetch.authorities = try Files.bytes(file) }
        if let certificate = subscriber.tls.certificate, let key = subscriber.tls.key {
            fetch.clientCertificate = .init(chain: try Files.bytes(certificate), key: try Files.bytes(key))
        }
        fetch.allowsPlainText = configuration.webhooks.allowsPlainText
        fetch.proxy = configuration.webhooks.proxy.map { FetchConfiguration.Proxy(url: $0) }
        fetch.userAgent = "millgate/\(Version.current) (webhooks)"
        fetch.timeout = subscriber.timeout
        fetch.connectTimeout = min(.seconds(10), subscriber.timeout)
        // More than is kept, so that a talkative answer does not cost its connection.
        fetch.bodyBytesMax = 65_536
        fetch.requestsMax = subscriber.settings.concurrencyMax * 2 + 2
        fetch.hostConnectionsMax = subscriber.settings.concurrencyMax
        fetch.connectionsMax = subscriber.settings.concurrencyMax
        let barrier = AddressGuard(allowed: configuration.webhooks.ranges)
        fetch.addressGuard = { barrier.allows($0.host) }
        return fetch
    }

    /// The subscriber as the policy sees it: the service account that its document names. What a policy grants on
    /// conditions that no delivery can meet, such as a client certificate, it does not get.
    private func grants(_ subscriber: Subscriber) -> @Sendable (String, Resource) -> Set<String>? {
        let principal = Principal(
            subject: subscriber.subject, issuer: subscriber.issuer, clientID: subscriber.clientID,
            expires: WallInstant(nanoseconds: .max), authentication: .bearer(keyID: nil, algorithm: .es256))
        let policy = policy
        let roles = policy.roles(of: principal)
        return { operation, resource in
            let decision = policy.decide(
                roles, principal: principal, operation: operation, resource: resource,
                facts: RequestFacts(now: Clock.wall()))
            guard decision.isPermitted, !decision.obligations.dependsOnRequest else { return nil }
            return decision.obligations.mask
        }
    }
}
