import Bytes
import Contracts
import JSON
import Odoo
import Store

/// The beginning of a write: its key, its place in the ledger, and who carries it out.
extension ServiceRunner {
    /// Most rows of the ledger for one idempotency key: tries that ended without anything done.
    static let triesPerKeyMax = 1_000

    func write(
        _ call: ServiceCall, _ input: EndpointInput, _ service: any WriteService
    ) async throws(ServiceStop) -> ServiceAnswer {
        let key = try IdempotencyKey(field: call.idempotencyKey)
        let permissions = SitePermissions(
            sites: sites.names, inside: call.inside, needsProductCategory: call.needsProductCategory, call.authorize)
        let request = AcceptedRequest(
            call, input, permissions: permissions, until: call.world.host.wall + configuration.asyncTimeMax)
        let digest = sha256(request.identity.canonicalBytes)
        let claim = Claims.Name(caller: call.caller, operation: request.operation, key: key.text)
        if let other = claims.take(claim, digest: digest) {
            throw other.digest == digest ? .inFlight(other.operationID) : .keyReused
        }
        do throws(ServiceStop) {
            switch try await accept(call, request, service, key: key, digest: digest) {
            case .earlier(let record, let stored):
                claims.release(claim)
                var answer = ServiceAnswer(.replayed, stored: stored, of: record)
                answer.fields.append(("Idempotent-Replayed", "true"))
                return answer
            case .ours(let record):
                claims.name(claim, operationID: record.id)
                return await begin(call, request, service, record, claim)
            }
        } catch {
            claims.release(claim)
            throw error
        }
    }

    private enum Place {
        case ours(OperationRecord)
        case earlier(OperationRecord, StoredAnswer)
    }

    /// A row of the ledger for this request: a new one, one that was left without anything done, or the answer there is.
    private func accept(
        _ call: ServiceCall, _ request: AcceptedRequest, _ service: any WriteService, key: IdempotencyKey,
        digest: [UInt8]
    ) async throws(ServiceStop) -> Place {
        let now = call.world.host.wall
        for number in 1...Self.triesPerKeyMax {
            let new = NewOperation(
                id: OperationID.make(now), idempotencyKey: key.inLedger(try: number), caller: call.caller,
                operation: request.operation, bodyDigest: digest, body: request.json.bytes,
                resource: service.records(request).first, traceID: call.traceID, acceptedAt: now)
            let acceptance: Acceptance
            do throws(StoreError) {
                acceptance = try await ledger.accept(new)
            } catch {
                throw .ledger(error)
            }
            switch acceptance {
            case .accepted(let record), .inFlight(let record):
                // In flight, and nobody works on it: the claim is ours. It was left before anything was sent, or what
                // came of it could not be written down.
                return .ours(record)
            case .mismatch: throw .keyReused
            case .replay(let record):
                guard let stored = record.answer else { return .ours(record) }
                if !Self.isOpenToRepetition(stored) || record.state == .unknown || number == Self.triesPerKeyMax {
                    return .earlier(record, stored)
                }
            }
        }
        throw .recordBusy
    }

    /// Nothing was done, for reasons that pass (503) or that are decided anew (403): the same request may try again.
    private static func isOpenToRepetition(_ stored: StoredAnswer) -> Bool {
        stored.status == 503 || stored.status == 403
    }

    /// Carries it out now, or beside the request.
    private func begin(
        _ call: ServiceCall, _ request: AcceptedRequest, _ service: any WriteService, _ record: OperationRecord,
        _ claim: Claims.Name
    ) async -> ServiceAnswer {
        // What was accepted first counts: its permission, and what the caller was promised.
        let stored = AcceptedRequest(operation: request.operation, stored: record.request.body) ?? request
        let job = WriteJob(
            record: record, request: stored, service: service, world: call.world, audit: call.audit,
            authorize: call.authorize, needsProductCategory: call.needsProductCategory,
            mayNeedApproval: call.mayNeedApproval, touched: call.contract.touched, requestID: call.requestID,
            deadline: call.prefersAsync ? nil : call.deadline,
            entry: WriteJob.entry(of: record))
        guard call.prefersAsync else {
            let answer = await carryOut(job)
            claims.release(claim)
            return answer
        }
        var accepted = ServiceAnswer(
            .accepted, status: 202, json: OperationView.json(record),
            fields: [
                ("Location", ServiceAnswer.address(ofOperation: record.id)),
                ("Preference-Applied", "respond-async"),
            ])
        accepted.operationID = record.id
        let outcome = OneShot<ServiceAnswer>()
        call.world.host.spawn {
            let answer = await self.carryOn(job)
            self.claims.release(claim)
            outcome.fill(answer)
        }
        guard call.waitMax > 0 else { return accepted }
        let late = accepted
        call.world.host.spawn {
            await call.world.host.sleep(call.waitMax)
            outcome.fill(late)
        }
        return await outcome.value()
    }
}

extension ServiceStop {
    static let keyReused = ServiceStop(
        .refused,
        Problem(
            .idempotencyKeyReused, "this `Idempotency-Key` was sent with another request before: use a new one"))

    static func inFlight(_ operationID: String) -> ServiceStop {
        guard !operationID.isEmpty else {
            return ServiceStop(
                .refused,
                Problem(.idempotencyInFlight, "the first request with this key is still running", retryAfter: 1))
        }
        return ServiceStop(
            .refused, .idempotencyInFlight(operation: ServiceAnswer.address(ofOperation: operationID)))
    }
}
