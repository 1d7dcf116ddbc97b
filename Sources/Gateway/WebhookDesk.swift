import Bytes
import Delivery
import Documents
import Events
import JSON
import Logging
import Policy
import Reactor
import Store
import Synchronization
import Webhooks

/// The subscribers of the running gateway: those of the policies, and those that were added while it runs, with the
/// secrets that it made for them.
final class WebhookDesk: Sendable {
    let deliveries: DeliveryDesk
    private let log: Logger
    private let state = Mutex(State())

    private struct State {
        var snapshot: Snapshot?
        /// Registered subscribers that cannot be served as things are, and why.
        var broken: [String: String] = [:]
        /// Redrives that wait for a second person.
        var redrives = PendingRedrives()
    }

    /// Subscribers at most, those of files included. Default 1,000.
    static let subscribersMax = 1_000

    init(_ deliveries: DeliveryDesk, log: Logger) {
        self.deliveries = deliveries
        self.log = log
    }

    var broken: [String: String] { state.withLock { $0.broken } }
    var snapshot: Snapshot? { state.withLock { $0.snapshot } }

    /// Takes over a snapshot's subscribers and adds those that were registered.
    func apply(_ snapshot: Snapshot) async {
        state.withLock { $0.snapshot = snapshot }
        await refresh()
    }

    /// The same after a registration or a secret has changed.
    func refresh() async {
        guard let snapshot else { return }
        var targets = snapshot.subscribers
        var broken: [String: String] = [:]
        do throws(StoreError) {
            let files = SubscriberFiles(
                configuration: snapshot.configuration, catalogue: snapshot.events, policy: snapshot.policy)
            for registration in try await deliveries.store.registrations() {
                if targets.contains(where: { $0.subscriber.name == registration.name }) {
                    broken[registration.name] = "a file of the policies has this name too, and goes before"
                    continue
                }
                do throws(DocumentErrors) {
                    targets += try files.load([(Self.path(registration.name), registration.document)])
                } catch {
                    broken[registration.name] = error.description
                }
            }
            for secret in try await deliveries.store.secrets() {
                guard let made = WebhookSecret(secret.text) else { continue }
                for i in targets.indices
                where targets[i].subscriber.name == secret.subscriber && targets[i].subscriber.secrets.isEmpty {
                    targets[i].secrets.append((made, secret.until))
                }
            }
        } catch {
            log.error("the registered subscribers cannot be read: \(error)")
        }
        for (name, problem) in broken { log.error("webhook \(name): \(problem)") }
        let found = broken
        state.withLock { $0.broken = found }
        await deliveries.replace(Array(targets.prefix(Self.subscribersMax)))
    }

    /// How errors name a registered document.
    private static func path(_ name: String) -> String { "registered/\(name).yaml" }

    // MARK: Registration

    enum Refused: Error {
        case document(String)
        case conflict(String)
        case store(StoreError)
    }

    /// Adds a subscriber, or changes one that was added: takes effect at once. The first time, its secret is made.
    /// - Returns: its name, and the secret if one was made, which nobody shows again.
    func register(_ document: String, by: String) async throws(Refused) -> (name: String, secret: String?) {
        guard let snapshot else { throw .conflict("the gateway is starting") }
        // The name is in the document, and the document's path in the errors.
        let name = Self.name(in: document)
        let files = SubscriberFiles(
            configuration: snapshot.configuration, catalogue: snapshot.events, policy: snapshot.policy)
        let subscriber: Subscriber
        do throws(DocumentErrors) {
            guard let target = try files.load([(Self.path(name), document)]).first else {
                throw DocumentErrors([])
            }
            subscriber = target.subscriber
        } catch {
            throw .document(error.description)
        }
        if snapshot.subscribers.contains(where: { $0.subscriber.name == name }) {
            throw .conflict("'\(name)' is in policies/subscribers: change it there")
        }
        do throws(StoreError) {
            let known = try await deliveries.store.registrations()
            if known.count + snapshot.subscribers.count < Self.subscribersMax
                || known.contains(where: { $0.name == name })
            {
                return (name, try await keep(subscriber, document, by))
            }
        } catch {
            throw .store(error)
        }
        throw .conflict("there are \(Self.subscribersMax) subscribers, which is all there may be")
    }

    /// - Returns: the secret, if one was made.
    private func keep(_ subscriber: Subscriber, _ document: String, _ by: String) async throws(StoreError) -> String? {
        let name = subscriber.name
        try await deliveries.store.register(.init(name: name, document: document, by: by, at: Clock.wall()))
        var secret: String?
        if subscriber.secrets.isEmpty, try await deliveries.store.secrets().allSatisfy({ $0.subscriber != name }) {
            secret = try await makeSecret(name, isAsymmetric: false, overlap: 0)
        }
        await refresh()
        return secret
    }

    private static func name(in document: String) -> String {
        for line in document.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: { " :\",'{}".contains($0) })
            if words.count >= 2, words[0] == "subscriber" { return String(words[1]) }
        }
        return ((try? JSONValue.parse(Array(document.utf8)))?["subscriber"]?.string) ?? ""
    }

    /// Forgets a registered subscriber with its queue, its dead letters and its secrets.
    /// - Returns: false where there is none.
    func remove(_ name: String) async throws(StoreError) -> Bool {
        guard try await deliveries.store.registrations().contains(where: { $0.name == name }) else { return false }
        try await deliveries.store.remove(name)
        await refresh()
        try await deliveries.forget(name)
        return true
    }

    // MARK: Secrets

    /// Makes a new secret, used from now on besides the one before for as long as `overlap`.
    /// - Returns: what the receiver needs, to be shown once: the secret, or the public key.
    func rotate(_ name: String, isAsymmetric: Bool, overlap: Nanoseconds) async throws(Refused) -> String {
        guard let report = await deliveries.reports().first(where: { $0.subscriber.name == name }) else {
            throw .conflict("there is no subscriber '\(name)'")
        }
        guard report.subscriber.secrets.isEmpty else {
            throw .conflict(
                "the secrets of '\(name)' are named in \(report.subscriber.file): put the new one first there, and give "
                    + "the old one 'until'")
        }
        do throws(StoreError) {
            let text = try await makeSecret(name, isAsymmetric: isAsymmetric, overlap: overlap)
            await refresh()
            return text
        } catch {
            throw .store(error)
        }
    }

    private func makeSecret(
        _ name: String, isAsymmetric: Bool, overlap: Nanoseconds
    ) async throws(StoreError) -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        guard let secret = isAsymmetric ? WebhookSecret.privateKey(random: bytes) : .symmetric(random: bytes) else {
            throw .corrupt("no secret can be made")
        }
        let now = Clock.wall()
        try await deliveries.store.rotate(name, to: secret.text, now: now, overlap: now + overlap)
        return secret.forReceiver.text
    }

    // MARK: Redrives that need a second person

    /// - Returns: the id under which somebody else may approve it.
    func hold(_ redrive: PendingRedrive) -> String {
        state.withLock { $0.redrives.hold(redrive, now: Clock.wall()) }
    }

    func approve(_ id: String, of name: String, by person: RedrivePerson) throws(Refused) -> PendingRedrive {
        let found = state.withLock { $0.redrives.approve(id, of: name, by: person, now: Clock.wall()) }
        guard let found else {
            throw .conflict("no redrive of '\(name)' waits under this id for '\(person.name)': whom, the policy says")
        }
        return found
    }
}
