import Bytes

/// When an issuer's published keys are fetched again, and how long those that are known count: a machine without clock
/// or network. Events go in with `now`, what is to be fetched comes out.
///
/// ```
///            due                    metadata read                keys read
///  resting ───────▶ fetching(metadata) ─────▶ fetching(keys) ──────────────▶ resting, until max-age within bounds
///     ▲                   │ failed                   │ failed
///     └───────────────────┴──────────────────────────┘  with a growing pause; the keys that are known stay
/// ```
///
/// A token with an unknown `kid` makes a fetch due at once, but not more often than `unknownKeyInterval`: tokens with
/// made-up ids must not make the gateway hammer the issuer. While the issuer is away its last keys count for
/// `staleMax`: an outage of the identity provider shall not stop the plant, and a key that was withdrawn shall not be
/// good for ever.
package struct KeyRefresh: Sendable {
    /// Where the keys are published.
    package enum Source: Sendable, Hashable {
        /// A JWK set at this URL.
        case keys(url: String)
        /// Metadata that names the JWK set's URL, to be tried in this order.
        case metadata(urls: [String])
    }

    /// Bounds; all times in nanoseconds.
    package struct Settings: Sendable, Hashable {
        /// Soonest next fetch, whatever `Cache-Control` says. Default 1 min.
        package var refreshMin: Nanoseconds = .minutes(1)
        /// Latest next fetch, and the next where `Cache-Control` says nothing. Default 15 min.
        package var refreshMax: Nanoseconds = .minutes(15)
        /// How long keys count that cannot be fetched again. Default 24 h.
        package var staleMax: Nanoseconds = .hours(24)
        /// Shortest time between two fetches because of an unknown `kid`. Default 30 s.
        package var unknownKeyInterval: Nanoseconds = .seconds(30)
        /// Pause after the first failure, doubled by each further one. Default 2 s.
        package var retryMin: Nanoseconds = .seconds(2)
        /// Longest pause after failures. Default 1 min.
        package var retryMax: Nanoseconds = .minutes(1)
        /// How long metadata is believed. Default 24 h.
        package var metadataMax: Nanoseconds = .hours(24)

        package init() {}
    }

    /// What to fetch now.
    package enum Fetch: Sendable, Hashable {
        case metadata(url: String)
        case keys(url: String)

        package var url: String {
            switch self {
            case .metadata(let url), .keys(let url): url
            }
        }
    }

    package let issuer: String
    package let source: Source
    package let settings: Settings
    /// For RSA keys without `alg`.
    package let rsaAlgorithm: SignatureAlgorithm?
    package let allowsLoopback: Bool

    private var inFlight: Fetch?
    private var nextAt: MonotonicInstant
    private var startedAt: MonotonicInstant?
    private var candidate = 0
    private var keysURL: String?
    private var metadataAt: MonotonicInstant?
    private var keys: KeySet?
    private var fetchedAt: MonotonicInstant?
    /// Failures since the last success.
    package private(set) var failures = 0
    /// Why the last fetch failed; nil after a success.
    package private(set) var lastFailure: String?

    /// - Parameter allowsLoopback: whether `http://` to this machine itself is allowed, for tests and side-cars.
    package init(
        issuer: String, source: Source, settings: Settings = Settings(), rsaAlgorithm: SignatureAlgorithm? = nil,
        allowsLoopback: Bool = false, now: MonotonicInstant
    ) {
        self.issuer = issuer
        self.source = source
        self.settings = settings
        self.rsaAlgorithm = rsaAlgorithm
        self.allowsLoopback = allowsLoopback
        nextAt = now
        if case .keys(let url) = source { keysURL = url }
    }

    // MARK: Questions

    /// The keys that count at `now`; nil before the first fetch and when they are too old.
    package func usableKeys(_ now: MonotonicInstant) -> KeySet? {
        guard let fetchedAt, now < fetchedAt + settings.staleMax else { return nil }
        return keys
    }

    /// Age of the keys; nil before the first fetch.
    package func age(_ now: MonotonicInstant) -> Nanoseconds? { fetchedAt.map { now - $0 } }

    /// Whether keys are used that should have been replaced already.
    package var isStale: Bool { keys != nil && failures > 0 }

    /// When `due` has something again, unless an unknown key comes first; nil while a fetch is under way.
    package var wakeAt: MonotonicInstant? { inFlight == nil ? nextAt : nil }

    // MARK: Events

    /// What is to be fetched now, if anything. The caller fetches it and reports by `received` or `failed`.
    package mutating func due(_ now: MonotonicInstant) -> Fetch? {
        guard inFlight == nil, now >= nextAt else { return nil }
        let fetch: Fetch
        switch source {
        case .keys(let url): fetch = .keys(url: url)
        case .metadata(let urls):
            let believed = metadataAt.map { now < $0 + settings.metadataMax } ?? false
            if believed, let keysURL {
                fetch = .keys(url: keysURL)
            } else if urls.isEmpty {
                return nil
            } else {
                fetch = .metadata(url: urls[candidate % urls.count])
            }
        }
        inFlight = fetch
        startedAt = now
        return fetch
    }

    /// A token names a key that is not known. Whether a fetch is under way or due now that may bring it.
    package mutating func unknownKey(_ now: MonotonicInstant) -> Bool {
        if inFlight != nil { return true }
        if let startedAt, now < startedAt + settings.unknownKeyInterval { return false }
        nextAt = now
        return true
    }

    /// The answer to the fetch under way. Whether the keys that count have changed.
    ///
    /// - Parameter maxAge: `Cache-Control`'s `max-age`, in seconds.
    package mutating func received(_ body: [UInt8], maxAge: Int64?, now: MonotonicInstant) -> Bool {
        guard let fetch = inFlight else { return false }
        do throws(KeyError) {
            switch fetch {
            case .metadata:
                let metadata = try IssuerMetadata(body, issuer: issuer, allowsLoopback: allowsLoopback)
                keysURL = metadata.keysURL
                metadataAt = now
                inFlight = nil
                nextAt = now
                return false
            case .keys:
                let set = try KeySet.parsePublished(body, rsaAlgorithm: rsaAlgorithm)
                let isNew = keys?.fingerprint != set.fingerprint || usableKeys(now) == nil
                keys = set
                fetchedAt = now
                inFlight = nil
                failures = 0
                lastFailure = nil
                let wanted = maxAge.map { Nanoseconds.seconds(min($0, 1 << 31)) } ?? settings.refreshMax
                nextAt = now + min(max(wanted, settings.refreshMin), settings.refreshMax)
                return isNew
            }
        } catch {
            failed(error.description, now: now)
            return false
        }
    }

    /// The fetch under way brought nothing usable. `reason` is shown in logs and `/readyz`.
    package mutating func failed(_ reason: String, now: MonotonicInstant) {
        guard let fetch = inFlight else { return }
        inFlight = nil
        failures += 1
        lastFailure = "\(fetch.url): \(reason)"
        if case .metadata(let urls) = source {
            // The keys may have moved: the metadata is read again, and at the other place if there are two.
            if case .metadata = fetch { candidate = (candidate + 1) % urls.count }
            metadataAt = nil
        }
        nextAt = now + min(settings.retryMin << Int64(min(failures - 1, 16)), settings.retryMax)
    }
}
