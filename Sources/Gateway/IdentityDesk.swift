import Bytes
import Fetch
import Identity
import Logging
import Reactor
import Store
import Synchronization

/// Keeps what callers are judged by up to date between reloads: fetches issuers' keys, takes revocations, and hands each
/// change to every reactor.
///
/// It decides nothing itself: when to fetch is `KeyRefresh`'s, who is revoked `RevocationList`'s. One lock guards the
/// state; it is held for values only, never over a fetch or a write.
package final class IdentityDesk: Sendable {
    struct State {
        var plans: [IssuerPlan] = []
        var machines: [String: Machine] = [:]
        var revocations: RevocationList
        var generation: UInt64 = 0
        var current: IdentityState
        /// The token service's own issuer, nil while it is off.
        var ownIssuer: IssuerConfiguration?
    }

    struct Machine {
        var refresh: KeyRefresh
        var plan: PublishedKeys
        var client: FetchClient
        /// Whether keys counted when the verifier was made last.
        var hadKeys = false
    }

    /// What `/readyz` and the metrics say of an issuer whose keys are fetched.
    struct Report: Sendable {
        var issuer: String
        var keys: Int
        var age: Nanoseconds?
        var failures: Int
        var isStale: Bool
        var lastFailure: String?
        /// Whether a first fetch has ended, well or not.
        var wasTried: Bool
    }

    let home: ReactorHandle
    private let handles: [ReactorHandle]
    let store: IdentityStore
    let log: Logger
    let state: Mutex<State>

    /// How often is looked whether something is due.
    private static let tick: Nanoseconds = .seconds(1)

    init(
        plans: [IssuerPlan], store: IdentityStore, handles: [ReactorHandle], log: Logger
    ) throws(KeyError) {
        self.store = store
        self.handles = handles
        home = handles[0]
        self.log = log
        let revocations = RevocationList(store.contents.revocations)
        let verifier = try TokenVerifier(issuers: plans.map(\.configuration))
        state = Mutex(
            State(
                revocations: revocations,
                current: IdentityState(generation: 0, verifier: verifier, revocations: revocations)))
        adopt(plans)
    }

    /// Key ids of the token service's published keys, as the verifier has them.
    var ownKeyIDs: Set<String> { state.withLock { Set($0.ownIssuer?.keys.keys.compactMap(\.id) ?? []) } }

    var current: IdentityState { state.withLock { $0.current } }

    // MARK: Configuration

    /// Takes over the issuers of a configuration. One whose way of publishing is unchanged keeps its keys.
    @discardableResult
    func adopt(_ plans: [IssuerPlan]) -> IdentityState {
        let now = Clock.monotonic()
        return state.withLock { state in
            var machines: [String: Machine] = [:]
            for plan in plans {
                guard let published = plan.published else { continue }
                let name = plan.configuration.issuer
                if let running = state.machines[name], running.plan == published {
                    machines[name] = running
                    continue
                }
                machines[name] = Machine(
                    refresh: KeyRefresh(
                        issuer: name, source: published.source, settings: published.settings,
                        rsaAlgorithm: published.rsaAlgorithm, allowsLoopback: true, now: now),
                    plan: published, client: client(published))
            }
            state.plans = plans
            state.machines = machines
            return Self.renew(&state, now: now, log: log)
        }
    }

    private func client(_ published: PublishedKeys) -> FetchClient {
        var configuration = FetchConfiguration()
        configuration.authorities = published.authorities
        configuration.proxy = published.proxy.map { FetchConfiguration.Proxy(url: $0) }
        // `IssuerURL` has allowed plain text to this machine only.
        configuration.allowsPlainText = true
        configuration.userAgent = "millgate/\(Version.current)"
        configuration.timeout = .seconds(10)
        configuration.bodyBytesMax = KeySet.publishedBytesMax + 1
        return FetchClient(home: home, configuration: configuration)
    }

    // MARK: Making and handing out states

    /// A new state from what is known now.
    private static func renew(_ state: inout State, now: MonotonicInstant, log: Logger) -> IdentityState {
        var issuers: [IssuerConfiguration] = []
        for plan in state.plans {
            var issuer = plan.configuration
            if let keys = state.machines[issuer.issuer]?.refresh.usableKeys(now) {
                issuer.keys = keys
                state.machines[issuer.issuer]?.hadKeys = true
            } else {
                state.machines[issuer.issuer]?.hadKeys = false
            }
            issuers.append(issuer)
        }
        if let own = state.ownIssuer { issuers.append(own) }
        state.generation += 1
        do throws(KeyError) {
            state.current = IdentityState(
                generation: state.generation, verifier: try TokenVerifier(issuers: issuers),
                revocations: state.revocations)
        } catch {
            // The configuration was checked when it was taken over; should this happen all the same, the old keys stay
            // and the revocations count.
            log.error("the issuers' keys cannot be used: \(error)")
            state.current = IdentityState(
                generation: state.generation, verifier: state.current.verifier, revocations: state.revocations)
        }
        return state.current
    }

    /// Changes the state and hands it to every reactor; returns when all of them have it.
    func change(_ body: (inout State) -> Void) async {
        let made = state.withLock { state in
            body(&state)
            return Self.renew(&state, now: Clock.monotonic(), log: log)
        }
        await hand(out: made)
    }

    private func hand(out made: IdentityState) async {
        await withTaskGroup(of: Void.self) { group in
            for handle in handles {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        handle.post { reactor in
                            reactor.local(Worker.self)?.take(made)
                            continuation.resume()
                        }
                    }
                }
            }
        }
    }

    // MARK: Fetching keys

    /// A token names a key that is not known. Whether a fetch that may bring it is under way now.
    func unknownKey(of issuer: String) -> Bool {
        let now = Clock.monotonic()
        let expected = state.withLock { $0.machines[issuer]?.refresh.unknownKey(now) ?? false }
        if expected { fetchWhatIsDue() }
        return expected
    }

    /// Begins the fetching, and returns when each issuer was asked once or `patience` is over.
    func begin(patience: Nanoseconds) async {
        home.spawn { [weak self, home] in
            while let desk = self {
                desk.fetchWhatIsDue()
                await desk.dropWhatIsTooOld()
                await home.sleep(Self.tick)
            }
        }
        let deadline = Clock.monotonic() + patience
        while Clock.monotonic() < deadline, reports().contains(where: { !$0.wasTried }) {
            await home.sleep(.milliseconds(20))
        }
    }

    private func fetchWhatIsDue() {
        let now = Clock.monotonic()
        let due = state.withLock { state in
            state.machines.keys.compactMap { name -> (String, KeyRefresh.Fetch, FetchClient)? in
                guard let fetch = state.machines[name]?.refresh.due(now), let client = state.machines[name]?.client
                else { return nil }
                return (name, fetch, client)
            }
        }
        for (name, fetch, client) in due {
            home.spawn { [self] in await carryOut(fetch, for: name, by: client) }
        }
    }

    private func carryOut(_ fetch: KeyRefresh.Fetch, for issuer: String, by client: FetchClient) async {
        let answer: Result<OutboundResponse, FetchError>
        do throws(FetchError) {
            let fields = [("Accept", "application/json, application/jwk-set+json")]
            answer = .success(try await client.send(OutboundRequest(url: fetch.url, fields: fields)))
        } catch {
            answer = .failure(error)
        }
        let now = Clock.monotonic()
        let (made, failure) = state.withLock { state -> (IdentityState?, String?) in
            // A reload may have put another machine in its place.
            guard var machine = state.machines[issuer], machine.client === client else { return (nil, nil) }
            var changed = false
            switch answer {
            case .failure(let error): machine.refresh.failed("\(error)", now: now)
            case .success(let response) where response.status != 200:
                machine.refresh.failed("answered with status \(response.status)", now: now)
            case .success(let response) where response.isBodyTruncated:
                machine.refresh.failed("answered with too much", now: now)
            case .success(let response):
                let maxAge = CacheControl.maxAge(response["cache-control"])
                changed = machine.refresh.received(response.body, maxAge: maxAge, now: now)
            }
            state.machines[issuer] = machine
            // In the same breath: between fetched keys and a state with them nobody shall find the key unknown.
            return (changed ? Self.renew(&state, now: now, log: log) : nil, machine.refresh.lastFailure)
        }
        if let failure { log.warning("keys of \(issuer): \(failure)") }
        if let made {
            log.notice("keys of \(issuer) taken over")
            await hand(out: made)
        }
        // After metadata the keys are due at once.
        if case .metadata = fetch, failure == nil { fetchWhatIsDue() }
    }

    /// Keys that could not be fetched again for too long count no more; entries that have expired are forgotten.
    private func dropWhatIsTooOld() async {
        let now = Clock.monotonic()
        let isGone = state.withLock { state in
            state.machines.values.contains { $0.hadKeys && $0.refresh.usableKeys(now) == nil }
        }
        if isGone { await change { _ in } }
        let wall = Clock.wall()
        let expired = state.withLock { $0.revocations.purge(now: wall) }
        if !expired.isEmpty { try? await store.removeRevocations(expired) }
    }

    func reports() -> [Report] {
        let now = Clock.monotonic()
        return state.withLock { state in
            state.machines.sorted { $0.key < $1.key }.map { name, machine in
                let refresh = machine.refresh
                return Report(
                    issuer: name, keys: refresh.usableKeys(now)?.keys.count ?? 0, age: refresh.age(now),
                    failures: refresh.failures, isStale: refresh.isStale, lastFailure: refresh.lastFailure,
                    wasTried: refresh.age(now) != nil || refresh.failures > 0)
            }
        }
    }
}
