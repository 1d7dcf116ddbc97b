import Bytes
import Contracts
import JSON
import Odoo
import Policy
import Store
import Synchronization

/// Carries out governed calls. One for the whole gateway, shared by its reactors.
package final class ServiceRunner: Sendable {
    let catalog: ServiceCatalog
    let sites: SiteMap
    let ledger: any LedgerPort
    let sha256: @Sendable ([UInt8]) -> [UInt8]
    let configuration: ServiceConfiguration
    /// What Odoo answered to reads.
    package let reads: ReadCache
    private let batchBox = Mutex<BatchRunner?>(nil)
    let gate = RecordGate()
    let categories = ProductCategories()
    let newest = NewestRecords()
    /// What is installed in Odoo.
    package let probe: OdooProbe
    let claims = Claims()
    private let own = Mutex<[String: SiteService]>([:])
    /// Operations that are looked into at this moment, beside any request.
    let examined = Examined()
    /// How unknown outcomes ended.
    package let settling = SettlingCounts()

    /// - Parameter sha256: of bytes, 32 bytes.
    package init(
        sites: SiteMap, ledger: any LedgerPort, sha256: @escaping @Sendable ([UInt8]) -> [UInt8],
        configuration: ServiceConfiguration = ServiceConfiguration(), catalog: ServiceCatalog = .shipped,
        reads: ReadCache = ReadCache()
    ) {
        self.reads = reads
        probe = OdooProbe(usesAddon: configuration.usesAddon)
        self.sites = sites
        self.ledger = ledger
        self.sha256 = sha256
        self.configuration = configuration
        self.catalog = catalog
    }

    /// Takes over a site's own services, so that what was begun is gone on with after a restart. New calls bring theirs.
    package func adopt(_ contracts: ContractSet) {
        let services = contracts.contracts.compactMap { SiteService($0) }
        own.withLock { $0 = Dictionary(services.map { ($0.operation, $0) }) { first, _ in first } }
    }

    func writeService(_ operation: String) -> (any WriteService)? {
        catalog.write(operation) ?? own.withLock { $0[operation] }
    }

    /// Who carries out batches; set once, before the first call.
    package var batches: BatchRunner? {
        get { batchBox.withLock { $0 } }
        set { batchBox.withLock { $0 = newValue } }
    }

    /// The event log.
    package var events: any LedgerPort { ledger }

    /// Answers a call; every refusal is an answer too.
    package func answer(_ call: ServiceCall) async -> ServiceAnswer {
        var read: JSONObject?
        var answer = await answer(call, read: &read)
        answer.input = read
        return answer
    }

    private func answer(_ call: ServiceCall, read flat: inout JSONObject?) async -> ServiceAnswer {
        var call = call
        if call.deadline == nil { call.deadline = call.world.host.monotonic + call.contract.deadline }
        do throws(ServiceStop) {
            let input = try Self.input(of: call)
            flat = input.flat
            if let bind = call.bind { call.authorize = bind(input) }
            let service = catalog.read(call.contract.operation) ?? catalog.gateway(call.contract.operation)
            if let service { return try await read(call, input, service) }
            guard let service = catalog.write(call.contract.operation) ?? SiteService(call.contract) else {
                throw ServiceStop(.refused, Problem(.notImplemented, "this operation has no service"))
            }
            return try await write(call, input, service)
        } catch {
            return Self.refusal(error, of: call)
        }
    }

    /// An answer to a request that changed nothing and left no trace in the ledger.
    static func refusal(_ stop: ServiceStop, of call: ServiceCall) -> ServiceAnswer {
        var problem = stop.problem
        problem.instance = call.requestID
        return ServiceAnswer(stop.meaning == .away ? .rejected : .refused, problem)
    }

    // MARK: The contract

    /// The input as the contract has it, or every violation at once.
    static func input(of call: ServiceCall) throws(ServiceStop) -> EndpointInput {
        var body: JSONValue?
        if !call.body.isEmpty, call.endpoint.bodyMediaType == Endpoint.json {
            if call.endpoint.body == nil {
                // Whatever it is, there must be none.
                body = .null
            } else {
                guard isJSON(call.contentType) else {
                    throw ServiceStop(.refused, Problem(.unsupportedMediaType, "send `Content-Type: application/json`"))
                }
                do throws(JSONError) {
                    body = try JSONValue.parse(call.body)
                } catch {
                    throw ServiceStop(.refused, .invalidJSON(error))
                }
            }
        }
        do throws(InvalidInput) {
            return try call.endpoint.read(captures: call.captures, query: call.query, body: body)
        } catch {
            throw ServiceStop(.refused, error.problem)
        }
    }

    /// `application/json`, with parameters or without. JSON is always UTF-8. (RFC 8259 §8.1, §11)
    static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        let parts = contentType.lowercased().split(separator: ";", omittingEmptySubsequences: false)
            .map { $0.filter { $0 != " " && $0 != "\t" } }
        guard parts.first == "application/json" else { return false }
        return parts.dropFirst().allSatisfy {
            !$0.hasPrefix("charset=") || $0 == "charset=utf-8" || $0 == "charset=\"utf-8\""
        }
    }

    // MARK: Reads

    private func read(
        _ call: ServiceCall, _ input: EndpointInput, _ service: any ReadService
    ) async throws(ServiceStop) -> ServiceAnswer {
        let scope = ReadScope(reads, call.contract, ageMax: CacheDirectives.ageMax(call.cacheControl))
        let request = ReadRequest(
            call: call, input: input, sites: sites, permissions: SitePermissions(sites: sites.names, call.authorize),
            ledger: ledger, batches: batches, reads: scope)
        let result = try await service.read(request)
        // A list may hold records of several sites: then what any of them hides is hidden.
        let mask =
            result.resource.site == nil
            ? request.permissions.mask.union(result.decision?.obligations.mask ?? [])
            : result.decision?.obligations.mask ?? request.permissions.mask
        // Hidden first: what is masked cannot be asked for either.
        let json = call.endpoint.selecting(input, from: result.json.masking(mask))
        var answer = ServiceAnswer(result.outcome, status: call.endpoint.status, json: json)
        if let lines = result.lines {
            answer.body = lines
            answer.contentType = BatchSubmission.mediaType
        }
        answer.fields += result.fields
        if call.contract.kind == .read {
            answer.addFreshness(of: call.contract, age: scope.age)
            answer.validate(against: call.ifNoneMatch, sha256)
        }
        answer.detail = result.detail
        answer.records = result.records
        answer.resource = result.resource
        answer.decision = result.decision
        return answer
    }
}

/// What of the runner can be configured.
package struct ServiceConfiguration: Sendable {
    /// How long an operation with `Prefer: respond-async` is tried again while Odoo is away. Default 1 hour.
    package var asyncTimeMax: Nanoseconds = .hours(1)
    /// How long an operation that was answered 503 before anything was sent stays open for the same request.
    /// Default 10 minutes.
    package var parkedTimeMax: Nanoseconds = .minutes(10)
    /// How long it is looked for what became of an operation, from its acceptance on, before a person must look.
    /// Default 1 hour: Odoo is up again by then, or somebody knows why not.
    package var settleTimeMax: Nanoseconds = .hours(1)
    /// Longest time that Odoo may still be at work at a call after nobody listens any more: only then is it believed
    /// that what does not show will not happen.
    package var callRunsMax = RecipeVerdict.callRunsMax
    /// Writes go through the addon where Odoo has it.
    package var usesAddon = true
    /// First pause before Odoo is asked again in the background, and the longest; it doubles in between.
    package var pauseMin: Nanoseconds = .seconds(1)
    package var pauseMax: Nanoseconds = .seconds(30)

    package init() {}
}
