import Bytes
import Documents
import Identity
import Reactor
import Server
import Services
import Store
import Upstream

/// The gateway's configuration as values: what `deploy/millgate.yaml` says. Read and checked by `ConfigurationReader`.
package struct Configuration: Sendable {
    /// Name of this gateway in `Via`, logs and audit entries. Default `millgate`.
    package var name = "millgate"
    /// Event loops; 0 means one per core. Default 0.
    package var reactors = 0
    /// Directory of the ledger and the audit log. Default `var`.
    package var state = "var"
    /// Directory of roles, access rules and service contracts. Default `policies`.
    package var policies = "policies"
    /// Public key that the policies must be signed with; nil for unsigned ones. Default none.
    package var policyKey: String?
    package var listeners: [ListenerConfiguration] = []
    /// Where `/healthz`, `/readyz` and `/metrics` are. Default 127.0.0.1:9090.
    package var admin = AddressConfiguration(host: "127.0.0.1", port: 9090)
    package var identity = IdentityConfiguration()
    /// Nil: off.
    package var tokenService: TokenServiceConfiguration?
    package var odoo = OdooConfiguration()
    package var sites: [SiteConfiguration] = []
    package var upstreams: [UpstreamEntry] = []
    package var routes: [RouteEntry] = []
    package var limits: [LimitEntry] = []
    package var audit = AuditConfiguration()
    package var ledger = LedgerConfiguration()
    package var batches = BatchConfiguration()
    package var events = EventConfiguration()
    package var webhooks = WebhookConfiguration()
    package var server = ServerConfiguration()
    /// Connections from one client address at a time. Default 1,024. 0 is without limit.
    package var connectionsPerAddressMax = 1_024
    /// New connections in a second from one client address, on average; four times as many at once. 0: no limit.
    /// Default 500: clients keep their connections, and each handshake costs a signature.
    package var connectionRatePerAddress = 500
    package var log = LogConfiguration()
    /// How long requests in flight may finish at stop. Default 10 s.
    package var drainTimeout: Nanoseconds = .seconds(10)

    package init() {}
}

package struct AddressConfiguration: Sendable, Equatable {
    /// Numeric address; empty means all of IPv4.
    package var host: String
    /// 0 takes a free port, printed at start.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }
}

package struct ListenerConfiguration: Sendable {
    package var name: String
    package var address: AddressConfiguration
    package var tls: TLSEntry?
    /// Whether HTTP/2 is spoken, beside HTTP/1.1 or alone. Default beside it.
    package var http2 = HTTP2Offer.on

    package init(name: String, address: AddressConfiguration, tls: TLSEntry? = nil, http2: HTTP2Offer = .on) {
        self.http2 = http2
        self.name = name
        self.address = address
        self.tls = tls
    }
}

package struct TLSEntry: Sendable, Equatable {
    package struct Certificate: Sendable, Equatable {
        package var certificateFile: String
        package var keyFile: String
        package init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    package var certificates: [Certificate]
    package var clientCertificates = TLSServerConfiguration.ClientCertificates.off
    package var clientAuthoritiesFile: String?
    /// `1.2` or `1.3`. Default 1.2.
    package var allowsTLS12 = true

    package init(certificates: [Certificate]) { self.certificates = certificates }
}

package struct IdentityConfiguration: Sendable {
    package struct Issuer: Sendable {
        package var issuer: String
        package var audiences: [String]
        /// Names as in RFC 7518: `RS256`.
        package var algorithms: [String]
        /// Files with this issuer's keys; all of them together are one set.
        package var keys: [KeySetSource]
        package var requiredClaims: [String] = []
        package var requiredScopes: [String] = []
        /// Accepted `typ` header values, words of `TokenType`; empty means `JWT`, `at+jwt` or none.
        package var types: [String] = []
        /// Where keys that are not in files come from.
        package enum Publication: Sendable, Equatable {
            case files
            /// A JWK set at this URL.
            case keys(url: String)
            /// Metadata below the issuer's own URL. (OpenID Connect Discovery 1.0 §4, RFC 8414 §3)
            case discovery
            /// Metadata at this URL.
            case metadata(url: String)
        }
        package var publication = Publication.files
        /// Latest time between two fetches of published keys. Default 15 min.
        package var refresh: Nanoseconds = .minutes(15)
        /// How long published keys count while they cannot be fetched. Default 24 h.
        package var stale: Nanoseconds = .hours(24)
        /// Shortest time between two fetches because a token names an unknown key. Default 30 s.
        package var unknownKeyPause: Nanoseconds = .seconds(30)
        /// Authorities of the issuer's own certificate, PEM; nil for the system's.
        package var authoritiesFile: String?
        /// Proxy on the way to the issuer.
        package var proxy: String?
        /// Names of claims here → their paths in the token.
        package var claims: [String: String] = [:]
        /// Whether tokens must keep to RFC 9068.
        package var isAccessTokenProfile = false
        /// Whether only tokens bound to a client certificate count. (RFC 8705)
        package var requiresBinding = false
        /// Whether the claim `environment` must be there.
        package var requiresEnvironment = false
        package init(issuer: String, audiences: [String], algorithms: [String], keys: [KeySetSource]) {
            self.issuer = issuer
            self.audiences = audiences
            self.algorithms = algorithms
            self.keys = keys
        }
    }

    package var issuers: [Issuer] = []
    /// Name of the environment, `production`. Tokens whose claim `environment` names another are refused. Nil: unchecked.
    package var environment: String?
    /// Tolerated clock difference. Default 30 s, at most 300 s.
    package var leeway: Nanoseconds = .seconds(30)
    /// Verified tokens remembered per reactor. Default 8,192.
    package var cachedTokensMax = 8_192
    /// Name in the `WWW-Authenticate` challenge. Default `millgate`.
    package var realm = "millgate"

    package init() {}
}

/// A secret that is named, never written: a file's content or an environment variable's.
package enum SecretReference: Sendable, Equatable {
    case file(String)
    case environment(String)
}

/// An Odoo user whose name some callers' RPC calls are made in.
package struct OdooAccount: Sendable, Equatable {
    package var name: String
    package var login: String
    package var key: SecretReference
    /// Callers with one of these roles.
    package var roles: [String]
    /// Where it stands, for errors.
    package var mark: DocumentMark
}

package struct OdooConfiguration: Sendable {
    /// Nil means the built-in sandbox.
    package var url: String?
    package var database = "millgate"
    package var login = "mes"
    package var key: SecretReference?
    /// The key of the built-in sandbox, which is no secret. Never read from a file.
    package var sandboxKey: String?
    /// Version of the built-in sandbox, 17 or 19. Default 19.
    package var sandboxVersion = 19
    /// The built-in sandbox has the gateway's addon.
    package var sandboxHasAddon = false
    /// Whether writes go through the addon where Odoo has it.
    package var addon = OdooAddonUse.auto
    /// Language, time zone and companies of every call.
    package var language = "en_US"
    package var timeZone = "UTC"
    package var companies: [Int] = [1]
    /// Users for the calls of `rpc` routes; the first that fits the caller. Callers whom none fits have `login`.
    package var accounts: [OdooAccount] = []
    /// Calls at once; Odoo works at as many as it has workers. Default 4.
    package var inFlightMax = 4
    /// Calls that wait for their turn, per admission class. Default 256.
    package var queueMax = 256
    /// Longer than Odoo's own retries, which last up to half a minute. Default 60 s.
    package var callTimeout: Nanoseconds = .seconds(60)
    /// Longest time that Odoo may be at work at a call without an answer: its `limit_time_real` and a margin. Default 150 s.
    package var callRunsMax = ServiceConfiguration().callRunsMax
    /// Answers to reads that are held while they are fresh, in bytes; 0 for none. Default 32 MiB.
    package var readCacheBytesMax = ReadCache.bytesMaxDefault
    /// Authorities of an `https` Odoo, PEM; nil means the system's.
    package var authoritiesFile: String?

    package init() {}
}

/// What is done about the addon `deploy/odoo-addon/millgate`.
package enum OdooAddonUse: String, Sendable, CaseIterable {
    /// It is looked for at the start and every minute, and used where it is.
    case auto
    /// It is not looked for.
    case off
}

/// A plant site and the Odoo warehouse that it is.
package struct SiteConfiguration: Sendable, Equatable {
    package var name: String
    /// `stock.warehouse.code`, such as `WH`.
    package var warehouse: String
    /// Codes or names of the work centers (`mrp.workcenter`) that stand there: Odoo itself knows no warehouse of them.
    package var workCenters: [String]
    /// Full name of the location (`stock.location`) for lots on hold, such as `WH/Hold`.
    package var holdLocation: String?

    package init(name: String, warehouse: String, workCenters: [String] = [], holdLocation: String? = nil) {
        self.name = name
        self.warehouse = warehouse
        self.workCenters = workCenters
        self.holdLocation = holdLocation
    }
}

package struct UpstreamEntry: Sendable, Equatable {
    package var name: String
    /// `http://127.0.0.1:8069` or `https://…`; `odoo` stands for the configured Odoo.
    package var url: String
    /// Calls in flight; 0 is without limit. Default 0.
    package var inFlightMax = 0
    package var queueMax = 256
    package var connectTimeout: Nanoseconds = .seconds(5)
    package var responseTimeout: Nanoseconds = .seconds(120)
    package var idleTimeout: Nanoseconds = .seconds(30)
    package var stallTimeout: Nanoseconds = .seconds(1)
    package var discardTimeout: Nanoseconds = .seconds(1)
    package var idleMax = 1_024
    /// `Host` sent upstream: the client's own, or the server's. Default the server's.
    package var preservesHost = false
    package var authoritiesFile: String?
    /// Path that is asked every `healthInterval`; nil for passive checks only.
    package var healthPath: String?
    package var healthInterval: Nanoseconds = .seconds(10)
    /// Whether the server's own error pages (500 and above, and HTML of 404) are replaced by problem documents.
    package var hidesErrors = false

    package init(name: String, url: String) {
        self.name = name
        self.url = url
    }
}

package struct RouteEntry: Sendable {
    package enum Access: String, Sendable, CaseIterable {
        /// Anyone; no token is looked at.
        case open
        /// A valid token and a policy that permits the route's operation.
        case token
        /// Nobody.
        case closed
    }

    package enum Kind: String, Sendable, CaseIterable {
        /// Requests are passed on as they are.
        case proxy
        /// Calls of Odoo's own interfaces are read, judged by model, method and field, and made in our own name.
        case rpc
    }

    /// A route with several paths is one entry for each, all with this name.
    package var name: String
    /// A path prefix that ends at a segment: `/web` covers `/web` and `/web/login`, not `/website`.
    package var path: String
    /// Name of an upstream; none for closed routes.
    package var upstream: String?
    /// Where WebSocket upgrades on this route go, if not to `upstream`.
    package var webSocketUpstream: String?
    package var allowsWebSocket = false
    package var access = Access.token
    /// Methods that are let through; empty means all known ones.
    package var methods: [String] = []
    /// Largest request body in bytes. Default that of the server.
    package var bodyBytesMax: Int64?
    /// Whether the caller's token is passed on. Default no.
    package var forwardsAuthorization = false
    /// Whether each request gets an audit entry. Default yes for `token` and `closed`, no for `open`.
    package var isAudited: Bool?
    /// Admission class at the upstream: `realtime`, `standard` or `batch`.
    package var admission = "standard"
    /// The operation that policies name. Default `proxy.` and the route's name; calls of `rpc` routes have their own,
    /// `odoo.rpc:MODEL.METHOD`.
    package var operation: String
    package var kind = Kind.proxy
    /// Of `rpc` routes: how calls go on to Odoo. Default `auto`.
    package var relayProtocol = RelayProtocol.auto
    /// Of `rpc` routes: whether a token may stand where a script sends Odoo's password. Default yes.
    package var takesTokenAsPassword = true

    package init(name: String, path: String) {
        self.name = name
        self.path = path
        operation = "proxy." + name
    }
}

package struct LimitEntry: Sendable {
    package enum Key: String, Sendable, CaseIterable {
        case subject, role, service, route, address
    }

    package var name: String
    package var key: Key
    /// Requests in `window`.
    package var quota: Int
    package var window: Nanoseconds
    /// Requests at once. Default the quota.
    package var burst: Int?
    /// Roles whose holders are counted; empty means all.
    package var roles: [String] = []
    /// Operations and wildcards that are counted; empty means all.
    package var operations: [String] = []

    package init(name: String, key: Key, quota: Int, window: Nanoseconds) {
        self.name = name
        self.key = key
        self.quota = quota
        self.window = window
    }
}

package struct AuditConfiguration: Sendable {
    /// Directory; default `audit` in the state directory.
    package var directory: String?
    /// Secret that authenticates the log's head; without one, tail truncation by someone who can write the head too
    /// is not detected.
    package var key: SecretReference?
    package var segmentBytesMax: Int64 = 67_108_864
    /// Entries of reads wait at most this long for the disk. Default 5 ms.
    package var syncInterval: Nanoseconds = .milliseconds(5)
    /// Bytes of entries that may wait. Beyond it requests are refused with 503. Default 16 MiB.
    package var backlogBytesMax = 16_777_216
    /// Member names whose values are redacted in recorded bodies.
    package var redact: [String] = ["password", "secret", "token", "pin", "api_key"]

    package init() {}
}

package struct EventConfiguration: Sendable {
    /// How long events stay in the log. Default 30 days.
    package var retention: Nanoseconds = .hours(30 * 24)
    /// Most bytes of the log; the oldest events go first. Default 4 GiB.
    package var bytesMax = 4 << 30
    /// How often Odoo is asked what has changed in it; 0 for never. Default never.
    package var poll: Nanoseconds = 0
    /// Names under `/hooks/odoo/` at which Odoo's own webhooks are taken for hints. Default none.
    package var hooks: [String] = []
}

/// What of batches is kept (`POST /v1/batches`).
package struct BatchConfiguration: Sendable {
    package var limits = BatchLimits()
    /// How long a completed batch and its results can be read. Default 7 days, as long as its keys count.
    package var retention: Nanoseconds = .hours(168)
    /// How long an upload that was cut off can be gone on with. Default 24 hours.
    static let leftTimeMax: Nanoseconds = .hours(24)
}

package struct LedgerConfiguration: Sendable {
    /// Database file; default `ledger.sqlite` in the state directory.
    package var file: String?
    /// How long an answered idempotency key is remembered. Default 7 days.
    package var retention: Nanoseconds = .hours(168)
    /// How long the gateway looks for what became of a write before a person must. Default 1 hour.
    package var settleLimit: Nanoseconds = .hours(1)

    package init() {}
}

package struct LogConfiguration: Sendable {
    package enum Format: String, Sendable, CaseIterable { case json, text }
    package var format = Format.text
    /// swift-log's names: trace, debug, info, notice, warning, error, critical.
    package var level = "info"
    /// Access log: `off`, `stderr`, or a file.
    package var access = "off"

    package init() {}
}
