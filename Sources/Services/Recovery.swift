import Bytes
import Contracts
import Events
import Store

/// What a start found in the ledger.
package struct RecoveryReport: Sendable, Hashable {
    /// Accepted and never sent, with nobody waiting for it: rejected; the same request may be sent again.
    package var rejected = 0
    /// Accepted for `respond-async`: begun.
    package var begun = 0
    /// Sent, or about to be, when the process ended: looked into now.
    package var examined = 0
    /// Not known since an earlier run: looked into again.
    package var unknown = 0
}

extension ServiceRunner {
    /// Takes up what an earlier process left, before the first call is answered: nothing accepted is forgotten, and
    /// nothing is sent twice blindly. Returns when the records concerned are locked; the work goes on beside.
    package func recover(_ world: ServiceWorld, audit: any AuditPort) async throws(StoreError) -> RecoveryReport {
        var report = RecoveryReport()
        for record in try await ledger.unfinished() {
            guard let job = job(record, world, audit) else {
                try await abandon(record, now: world.host.wall)
                continue
            }
            if record.state == .dispatched {
                report.examined += 1
                takeUp(job)
            } else if job.request.isAsync, world.host.wall < job.request.until {
                report.begun += 1
                takeUp(job)
            } else {
                report.rejected += 1
                try await reject(record, "the gateway was restarted before anything was sent")
            }
        }
        var after: Int64 = 0
        while true {
            let page = try await ledger.list(state: .unknown, limit: Ledger.listMax, after: after)
            for record in page {
                guard let job = job(record, world, audit) else { continue }
                report.unknown += 1
                takeUp(job)
            }
            guard page.count == Ledger.listMax, let last = page.last else { return report }
            after = last.number
        }
    }

    /// Rejects what was answered 503 before anything was sent and not asked for again since. To be called once a
    /// minute or so.
    /// - Returns: how many.
    package func sweep(_ world: ServiceWorld) async throws(StoreError) -> Int {
        var swept = 0
        let oldest = world.host.wall + -configuration.parkedTimeMax
        let parked = try await ledger.list(state: .accepted, limit: Ledger.listMax, after: 0)
        for record in parked where record.changedAt < oldest {
            let claim = Self.claim(of: record)
            guard claims.take(claim, digest: record.request.bodyDigest) == nil else { continue }
            defer { claims.release(claim) }
            // The claim came after the list: somebody may have gone on with it in between.
            guard let now = try await ledger.operation(record.id), now.state == .accepted else { continue }
            try await reject(now, "nobody asked for it again")
            swept += 1
        }
        return swept
    }

    private func job(_ record: OperationRecord, _ world: ServiceWorld, _ audit: any AuditPort) -> WriteJob? {
        guard let service = writeService(record.request.operation),
            let request = AcceptedRequest(operation: record.request.operation, stored: record.request.body)
        else { return nil }
        return WriteJob(
            record: record, request: request, service: service, world: world, audit: audit, authorize: nil,
            requestID: request.requestID, deadline: nil, entry: WriteJob.entry(of: record))
    }

    private func takeUp(_ job: WriteJob) {
        var job = job
        let claim = Self.claim(of: job.record)
        // An unknown one has an answer, which is replayed meanwhile.
        let isClaimed =
            job.record.state != .unknown && claims.take(claim, digest: job.record.request.bodyDigest) == nil
        if isClaimed { claims.name(claim, operationID: job.record.id) }
        // At once, so that no new call gets to the record before it is known what happened.
        job.ticket = gate.acquireNow(job.service.records(job.request), host: job.world.host)
        let ready = job
        examined.insert(ready.record.id)
        job.world.host.spawn {
            _ = await self.carryOn(ready)
            self.examined.remove(ready.record.id)
            if isClaimed { self.claims.release(claim) }
        }
    }

    private func reject(_ record: OperationRecord, _ why: String) async throws(StoreError) {
        let problem = Problem(
            .unavailable, "\(why); nothing was done, send the request again with the same key", retryAfter: 1)
        try await ledger.advance(
            record.id, to: .rejected, step: JournalStep(text: why).stored, records: [],
            answer: ServiceAnswer(.rejected, problem).stored, events: [])
    }

    /// No service of this program can go on with it.
    private func abandon(_ record: OperationRecord, now: WallInstant) async throws(StoreError) {
        guard record.state == .dispatched else {
            try await reject(record, "this version of the gateway cannot carry it out")
            return
        }
        let stop = ServiceStop.unknown(
            record.id, canSettle: false, cause: "this version of the gateway cannot look into it")
        try await ledger.advance(
            record.id, to: .unknown, step: JournalStep(text: stop.cause ?? "").stored, records: [],
            answer: ServiceAnswer(.unknown, stop.problem).stored,
            events: [.needsAttention(record, records: record.records, canSettle: false, now: now)])
    }

    /// The claim of an operation, by the key as the client sent it.
    private static func claim(of record: OperationRecord) -> Claims.Name {
        let key = record.request.idempotencyKey.split(separator: " ").first.map { String($0) } ?? ""
        return Claims.Name(caller: record.request.caller, operation: record.request.operation, key: key)
    }
}
