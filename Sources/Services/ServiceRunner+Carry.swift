import Bytes
import Contracts
import Events
import JSON
import Limits
import Odoo
import Store

/// Carrying out an accepted write: once for its request, or as often as it takes beside it.
extension ServiceRunner {
    /// What one try came to.
    private struct Try {
        let ending: Result<WriteResult, ServiceStop>
        let journal: OperationJournal
        /// Nil where it ended before a service had it.
        let run: WriteRun?
        /// Locks that are held still.
        let ticket: RecordLocks.Ticket?
    }

    /// Most tries to write down an ending, where no request waits.
    private static let recordTriesMax = 8

    /// For a request that waits: one try. What cannot be known then is looked into beside it.
    func carryOut(_ job: WriteJob) async -> ServiceAnswer {
        let attempt = await execute(job)
        let goesOn: Bool
        if case .failure(let stop) = attempt.ending {
            goesOn = stop.meaning == .unknown(canSettle: true)
        } else {
            goesOn = false
        }
        // Before it stands in the ledger as unknown: at no moment does it look as if nobody cared for it.
        if goesOn { examined.insert(job.record.id) }
        let answer = await conclude(attempt, job) ?? answer(for: attempt, job)
        if goesOn {
            let later = job.resumed(attempt.journal, ticket: attempt.ticket)
            job.world.host.spawn {
                _ = await self.carryOn(later, delay: true)
                self.examined.remove(later.record.id)
            }
        } else if let ticket = attempt.ticket {
            gate.release(ticket, host: job.world.host)
        }
        return answer
    }

    /// Where no request waits: until it is done, refused, or out of time, and until it is known what happened.
    func carryOn(_ first: WriteJob, delay: Bool = false) async -> ServiceAnswer {
        examined.insert(first.record.id)
        defer { examined.remove(first.record.id) }
        var job = first
        var pause = configuration.pauseMin
        func wait() async {
            await job.world.host.sleep(pause)
            pause = min(pause * 2, configuration.pauseMax)
        }
        if delay { await wait() }
        while true {
            let attempt = await execute(job)
            switch attempt.ending {
            case .failure(let stop) where stop.meaning == .unknown(canSettle: true):
                if attempt.journal.state != .unknown { _ = await conclude(attempt, job) }
                if attempt.journal.state == .unknown,
                    job.world.host.wall - job.record.request.acceptedAt >= configuration.settleTimeMax
                {
                    // The key and the record are free for others; the next start of the gateway looks once more.
                    await handOver(job, attempt.journal, stop)
                    if let ticket = attempt.ticket { gate.release(ticket, host: job.world.host) }
                    let answer = self.answer(for: attempt, job)
                    await job.audit.ended(attempt.run?.note() ?? job.note(attempt.journal), answer)
                    return answer
                }
                job = job.resumed(attempt.journal, ticket: attempt.ticket)
                await wait()
                continue
            case .failure(let stop)
            where stop.meaning == .away && job.request.isAsync && attempt.journal.state != .unknown
                && job.world.host.wall < job.request.until:
                // Nothing was done: it begins anew. The locks are given back meanwhile.
                if let ticket = attempt.ticket { gate.release(ticket, host: job.world.host) }
                job.ticket = nil
                job.entry = .perform
                job.record.state = attempt.journal.state
                await wait()
                continue
            case .success, .failure: break
            }
            var answer = await conclude(attempt, job, isLast: true)
            for _ in 0..<Self.recordTriesMax where answer == nil {
                await wait()
                answer = await conclude(attempt, job, isLast: true)
            }
            if let ticket = attempt.ticket { gate.release(ticket, host: job.world.host) }
            let final = answer ?? self.answer(for: attempt, job)
            await job.audit.ended(attempt.run?.note() ?? job.note(attempt.journal), final)
            return final
        }
    }

    /// One try, under the locks on its records.
    private func execute(_ job: WriteJob) async -> Try {
        let journal = OperationJournal(job.record, ledger: ledger)
        var ticket = job.ticket
        var run: WriteRun?
        func failed(_ stop: ServiceStop) -> Try {
            Try(ending: .failure(stop), journal: journal, run: run, ticket: ticket)
        }
        let isResumed: Bool
        if case .resume = job.entry { isResumed = true } else { isResumed = false }
        let steps: [OperationStep]
        var odoo: OdooSession
        let writes = WriteScope(cache: reads, models: job.touched)
        // An answer that was lost is known to be an effect only now: what was read meanwhile may be from before it.
        defer { writes.invalidate() }
        do throws(ServiceStop) {
            odoo = try await OdooSession.open(job.world, admission: job.request.admission, deadline: job.deadline)
            odoo.writes = writes
            let records = job.service.records(job.request)
            if ticket == nil, !records.isEmpty {
                let latest =
                    job.deadline.map { $0 + -WriteRun.effectTimeMin } ?? job.world.host.monotonic + WriteRun.lockTimeMax
                ticket = await gate.acquire(records, deadline: latest, host: job.world.host)
                guard ticket != nil else { throw .recordBusy }
            }
            steps = isResumed ? try await journal.steps() : []
        } catch {
            // What may have been sent before is no better known for it.
            return failed(
                isResumed ? .unknown(journal.id, canSettle: true, cause: error.cause ?? "it could not be read") : error)
        }
        let its = WriteRun(
            job, odoo: odoo, sites: sites, journal: journal, ledger: ledger, gate: gate, categories: categories,
            newest: newest,
            callRunsMax: configuration.callRunsMax, probe: probe)
        run = its
        defer { its.unlock() }
        do throws(ServiceStop) {
            try await its.loadApproval()
            let result =
                isResumed ? try await job.service.resume(its, after: steps) : try await job.service.perform(its)
            return Try(ending: .success(result), journal: journal, run: its, ticket: ticket)
        } catch {
            return failed(await its.askApproval(error))
        }
    }

    /// What the caller gets for a try.
    private func answer(for attempt: Try, _ job: WriteJob) -> ServiceAnswer {
        var answer: ServiceAnswer
        switch attempt.ending {
        case .success(let result):
            // Masked before it is stored: repetitions and `operation.read` show no more.
            let json = result.json.masking(attempt.run?.mask ?? [])
            answer = ServiceAnswer(.applied, status: result.status, json: json)
            answer.records = attempt.journal.records + result.records.filter { !attempt.journal.records.contains($0) }
            if result.status == 201, let location = ServiceAnswer.location(of: answer.records) {
                answer.fields.append(("Location", location))
            }
        case .failure(let stop):
            var problem = stop.problem
            problem.instance = job.requestID
            let outcome: ServiceAnswer.Outcome
            switch stop.meaning {
            case .forbidden: outcome = .refused
            case .refused, .away: outcome = .rejected
            case .unknown: outcome = .unknown
            }
            answer = ServiceAnswer(outcome, problem)
            answer.records = attempt.journal.records
        }
        answer.operationID = attempt.journal.id
        answer.resource = attempt.run?.resource
        answer.decision = attempt.run?.decision
        return answer
    }

    /// Writes the ending into the ledger. Nil when that failed and it matters.
    ///
    /// - Parameter isLast: nobody will try again; nothing stays open for the same request.
    private func conclude(_ attempt: Try, _ job: WriteJob, isLast: Bool = false) async -> ServiceAnswer? {
        let answer = answer(for: attempt, job)
        let journal = attempt.journal
        let wasUnknown = journal.state == .unknown
        do throws(ServiceStop) {
            switch attempt.ending {
            case .success(let result):
                try await journal.advance(
                    to: journal.state == .unknown ? .settled : .applied, JournalStep(text: result.text),
                    records: result.records, answer: answer.stored, events: events(result, journal, job))
            case .failure(let stop):
                let text = Self.text(stop)
                switch (stop.meaning, journal.state) {
                case (.unknown, .unknown): break
                case (.unknown(let canSettle), _):
                    try await journal.advance(
                        to: .unknown, JournalStep(text: text), answer: answer.stored,
                        events: [job.needsAttention(journal, canSettle: canSettle)])
                    if !canSettle { settling.handedOver(job.request.operation) }
                case (.away, .accepted) where !isLast: await journal.tell(text)
                case (_, .unknown):
                    try await journal.advance(
                        to: .settled, JournalStep(text: text), answer: answer.stored,
                        events: [job.settled(journal, applied: false)])
                case (_, _): try await journal.advance(to: .rejected, JournalStep(text: text), answer: answer.stored)
                }
            }
            if wasUnknown, journal.state == .settled { await count(job, journal, attempt.ending) }
            return answer
        } catch {
            // What was done but is not written down is not known to be done: the next start finds out.
            guard case .success = attempt.ending else { return isLast ? nil : answer }
            if isLast { return nil }
            var unknown = ServiceStop.unknown(journal.id, canSettle: true, cause: "the ledger failed").problem
            unknown.instance = job.requestID
            var late = ServiceAnswer(.unknown, unknown)
            late.operationID = journal.id
            late.records = answer.records
            late.resource = answer.resource
            late.decision = answer.decision
            return late
        }
    }

    /// What a success tells, complete.
    private func events(_ result: WriteResult, _ journal: OperationJournal, _ job: WriteJob) -> [BusinessEvent] {
        let events = result.events.map { job.completed($0) }
        return journal.state == .unknown ? events + [job.settled(journal, applied: true)] : events
    }

    /// What stands in the journal: nothing of Odoo's that callers must not see.
    private static func text(_ stop: ServiceStop) -> String { stop.problem.detail ?? stop.problem.type.title }
}

extension WriteJob {
    /// The same, to be looked into where nobody waits.
    func resumed(_ journal: OperationJournal, ticket: RecordLocks.Ticket?) -> WriteJob {
        var job = self
        job.record.state = journal.state
        job.record.records = journal.records
        job.entry = .resume
        job.deadline = nil
        job.ticket = ticket
        return job
    }
}
