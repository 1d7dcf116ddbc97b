import Bytes
import Contracts
import Delivery
import Documents
import Events
import Identity
import Limits
import Policy
import Reactor
import Synchronization
import Upstream

/// Everything that requests are judged by, made from the configuration and the policies as a whole or not at all, and
/// never changed: a reload makes another one.
package final class Snapshot: Sendable {
    /// Counts reloads; cached identities of an older one are not used.
    package let generation: UInt64
    package let configuration: Configuration
    package let policy: PolicySet
    /// The files that the policy was made of.
    package let bundle: PolicyBundle
    package let contracts: ContractSet
    let issuers: [IssuerPlan]
    let routes: [CompiledRoute]
    let table: RouteTable<RouteTarget>
    let limits: [CompiledLimit]
    let targets: [String: UpstreamTarget]
    /// TLS contexts by listener.
    let tls: [String: TLSServerContext]
    let keys: LimitKeyHasher
    /// Decisions of routes that ask for no token, by route.
    let policyDigestShort: String
    let openapi: DeferredDocument
    let events: EventCatalogue
    let asyncapi: DeferredDocument
    /// Who gets which events by webhook, as far as files say it.
    let subscribers: [DeliveryTarget]

    init(
        generation: UInt64, configuration: Configuration, bundle: PolicyBundle, policy: PolicySet,
        contracts: ContractSet, issuers: [IssuerPlan], routes: [CompiledRoute], limits: [CompiledLimit],
        targets: [String: UpstreamTarget], tls: [String: TLSServerContext], keys: LimitKeyHasher,
        openapi: DeferredDocument, events: EventCatalogue, asyncapi: DeferredDocument, subscribers: [DeliveryTarget]
    ) {
        self.generation = generation
        self.configuration = configuration
        self.policy = policy
        self.bundle = bundle
        self.contracts = contracts
        self.issuers = issuers
        self.routes = routes
        self.limits = limits
        self.targets = targets
        self.tls = tls
        self.keys = keys
        self.openapi = openapi
        self.events = events
        self.asyncapi = asyncapi
        self.subscribers = subscribers
        policyDigestShort = String(policy.digest.prefix(16))
        var places = routes.map { (prefix: $0.path, route: $0.isRPC ? RouteTarget.rpc($0.index) : .proxy($0.index)) }
        places += [
            ("/v1", .services), ("/access/v1", .services), ("/openapi.json", .openapi), ("/asyncapi.json", .asyncapi),
            ("/.well-known/authzen-configuration", .authzen),
        ]
        if !configuration.events.hooks.isEmpty { places.append(("/hooks/odoo", .hooks)) }
        if configuration.tokenService != nil {
            for path in TokenServiceConfiguration.Path.allCases { places.append((path.rawValue, .tokens)) }
        }
        table = RouteTable(places)
    }

    /// Makes the documents that are made late, so that nobody has to wait for them. Takes tens of milliseconds.
    func prepareDocuments() {
        openapi.prepare()
        asyncapi.prepare()
    }

    /// The resource with the warehouse that its site is, where a service did not name another.
    func placed(_ resource: Resource) -> Resource {
        guard resource.warehouse == nil, let site = resource.site else { return resource }
        var placed = resource
        placed.warehouse = configuration.sites.first { $0.name == site }?.warehouse
        return placed
    }

    /// Which limits a request of this operation must pass and by which keys.
    func checks(operation: String, routeName: String, caller: Caller?) -> [(limit: Int, key: LimitKey?)] {
        var checks: [(limit: Int, key: LimitKey?)] = []
        for (index, limit) in limits.enumerated() where limit.covers(operation: operation) {
            let held = caller?.roleNames ?? []
            if !limit.roles.isEmpty && limit.roles.isDisjoint(with: held) { continue }
            switch limit.key {
            case .address: checks.append((index, nil))
            case .route: checks.append((index, keys.key("p" + routeName)))
            case .subject: if let caller { checks.append((index, caller.subjectKey)) }
            case .service: if let caller { checks.append((index, caller.serviceKey)) }
            case .role:
                guard let caller else { continue }
                for (name, key) in zip(caller.roleNames, caller.roleKeys)
                where limit.roles.isEmpty || limit.roles.contains(name) {
                    checks.append((index, key))
                }
            }
        }
        return Array(checks.prefix(RateChecks.countMax))
    }
}

/// Where a path leads.
enum RouteTarget: Sendable {
    /// To a server behind the gateway: index of the route.
    case proxy(Int)
    /// To Odoo, call by call: index of the route.
    case rpc(Int)
    /// To a business service; its contract decides further.
    case services
    case openapi
    case asyncapi
    /// A hint of Odoo's that something has changed.
    case hooks
    /// What other applications need to know to ask the policy. (AuthZEN §9)
    case authzen
    /// To the token service.
    case tokens
}

/// A limit with the conditions under which it counts.
struct CompiledLimit: Sendable {
    let limit: RateLimit
    let key: LimitEntry.Key
    let roles: Set<String>
    /// Exact operations, and prefixes of those written with `.*`.
    let operations: Set<String>
    let prefixes: [String]
    /// `RateLimit-Policy` item.
    let policyItem: [UInt8]

    init(_ entry: LimitEntry) throws(RateLimit.Invalid) {
        let kind: RateLimitKind =
            switch entry.key {
            case .subject: .subject
            case .service: .service
            case .role: .role
            case .route: .route
            case .address: .clientAddress
            }
        limit = try RateLimit(
            name: entry.name, kind: kind, quota: entry.quota, windowSeconds: Int(entry.window / 1_000_000_000),
            burst: entry.burst ?? entry.quota)
        key = entry.key
        roles = Set(entry.roles)
        operations = Set(entry.operations.filter { !$0.hasSuffix("*") })
        prefixes = entry.operations.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
        var item: [UInt8] = []
        limit.appendPolicy(to: &item)
        policyItem = item
    }

    func covers(operation: String) -> Bool {
        if operations.isEmpty && prefixes.isEmpty { return true }
        return operations.contains(operation) || prefixes.contains { operation.hasPrefix($0) }
    }
}

/// A proxied route, ready for the hot path.
final class CompiledRoute: Sendable {
    let index: Int
    let name: String
    let path: String
    let operation: String
    let access: RouteEntry.Access
    let target: UpstreamTarget?
    let webSocketTarget: UpstreamTarget?
    let allowsWebSocket: Bool
    let authority: [UInt8]
    let preservesHost: Bool
    let hidesErrors: Bool
    let forwardsAuthorization: Bool
    let isAudited: Bool
    /// Whether the policy's decision depends on nothing but the caller, so that it is made once.
    let isDecidedOnce: Bool
    let admission: AdmissionClass
    /// Bit n: the method of raw value n is let through.
    let methods: UInt32
    let methodNames: [String]
    let bodyBytesMax: Int64
    let isRPC: Bool
    let relayProtocol: RelayProtocol
    let takesTokenAsPassword: Bool

    init(
        index: Int, _ entry: RouteEntry, upstream: UpstreamEntry?, targets: [String: UpstreamTarget],
        bodyBytesMax: Int64, isDecidedOnce: Bool
    ) {
        self.isDecidedOnce = isDecidedOnce
        self.index = index
        name = entry.name
        path = entry.path
        operation = entry.operation
        access = entry.access
        target = entry.upstream.flatMap { targets[$0] }
        webSocketTarget = entry.webSocketUpstream.flatMap { targets[$0] } ?? target
        allowsWebSocket = entry.allowsWebSocket
        authority = Array((target?.configuration.authority ?? "").utf8)
        preservesHost = upstream?.preservesHost ?? false
        hidesErrors = upstream?.hidesErrors ?? false
        forwardsAuthorization = entry.forwardsAuthorization
        isAudited = entry.isAudited ?? (entry.access != .open)
        admission =
            switch entry.admission {
            case "realtime": .realtime
            case "batch": .batch
            default: .standard
            }
        methodNames = entry.methods
        methods = MethodSet.bits(entry.methods)
        self.bodyBytesMax = entry.bodyBytesMax ?? bodyBytesMax
        isRPC = entry.kind == .rpc
        relayProtocol = entry.relayProtocol
        takesTokenAsPassword = entry.takesTokenAsPassword
    }
}
