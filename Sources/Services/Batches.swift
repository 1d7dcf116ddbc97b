import Bytes
import Contracts
import JSON
import Policy
import Store

/// A batch in the words of the contract.
enum BatchView {
    static func json(_ record: BatchRecord) -> JSONValue {
        func count(_ word: String) -> JSONValue { JSONValue(record.outcomes[word] ?? 0) }
        let state: JSONValue =
            switch record.state {
            case .receiving: "receiving"
            case .received: record.lastLine > 0 ? "running" : "waiting"
            case .completed: "completed"
            }
        return [
            "id": .string(record.id), "idempotency_key": .string(record.idempotencyKey), "state": state,
            "received_bytes": JSONValue(record.receivedBytes), "lines": record.lines.map { JSONValue($0) } ?? .null,
            "lines_done": JSONValue(record.state == .completed ? record.lines ?? record.lastLine : record.lastLine),
            "applied": count("applied"), "refused": count("refused"), "unavailable": count("unavailable"),
            "unknown": count("unknown"), "results": .string("/v1/batches/\(record.id)/results"),
            "created_at": .string(record.createdAt.rfc3339), "changed_at": .string(record.changedAt.rfc3339),
        ]
    }
}

/// `batch.submit`: the lines are on the disk already when it is called; it says so, and they are carried out beside.
struct SubmitBatch: ReadService {
    let operation = BatchSubmission.operation
    let endpoints: Set = ["submit"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        guard let received = request.call.batch, let batches = request.batches else {
            throw ServiceStop(.refused, Problem(.notImplemented, "batches are not configured"))
        }
        if received.record.state == .received { batches.submit(received.record.id, request.call.world) }
        var result = ReadResult(
            json: BatchView.json(received.record), records: [], resource: Resource(), decision: nil)
        result.outcome = received.isRepetition ? .replayed : .accepted
        result.detail = "batch \(received.record.id), \(received.record.receivedBytes) bytes"
        result.fields = [("Location", "/v1/batches/\(received.record.id)")]
        if received.isRepetition { result.fields.append(("Idempotent-Replayed", "true")) }
        return result
    }
}

/// `batch.read`: how far a batch is, and what came of its lines; for its own caller, and for whoever may read batches at
/// every site.
struct ReadBatches: ReadService {
    let operation = "batch.read"
    let endpoints: Set = ["one", "results"]

    /// Bytes of one page of results, about. Default 1 MiB.
    static let pageBytesMax = 1_048_576

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let id = request.input.path["id"]?.string ?? ""
        let everywhere = request.call.authorize(Resource())
        // Whose batch it is must not be guessed: another's is not there.
        guard let batches = request.batches, let record = batches.store.record(id),
            record.caller == request.call.caller || everywhere.isPermitted
        else { throw .notFound("batch \(id)") }
        let decision = everywhere.isPermitted ? everywhere : nil
        guard request.endpoint == "results" else {
            return ReadResult(json: BatchView.json(record), records: [], resource: Resource(), decision: decision)
        }
        let page: BatchResults
        do throws(StoreError) {
            page = try await batches.store.results(
                id, after: request.int("after") ?? 0, limit: request.int("limit") ?? 1_000,
                bytesMax: Self.pageBytesMax)
        } catch {
            throw .ledger(error)
        }
        var result = ReadResult(json: .null, records: [], resource: Resource(), decision: decision)
        result.lines = page.bytes
        // Also where more will come: who asks again from there gets what is done until then. (RFC 8288)
        if page.hasMore || record.state != .completed {
            result.fields.append(("Link", "</v1/batches/\(id)/results?after=\(page.last)>; rel=\"next\""))
        }
        return result
    }
}

/// A batch whose lines are all on the disk.
package struct ReceivedBatch: Sendable {
    package let record: BatchRecord
    /// It came before, under the same key.
    package let isRepetition: Bool

    package init(record: BatchRecord, isRepetition: Bool) {
        self.record = record
        self.isRepetition = isRepetition
    }
}

/// What brings a batch, for the gateway.
package enum BatchSubmission {
    package static let operation = "batch.submit"
    package static let mediaType = "application/x-ndjson"

    /// The key under which it is brought; a problem when there is none.
    package static func key(_ field: String?) throws(Problem) -> String {
        do throws(ServiceStop) {
            return try IdempotencyKey(field: field).text
        } catch {
            throw error.problem
        }
    }

    package static func id(_ now: WallInstant) -> String { OperationID.make(now) }

    /// Why a batch is not taken, for the caller.
    package static func problem(_ refusal: BatchRefusal, _ limits: BatchLimits) -> Problem {
        switch refusal {
        case .tooLarge: Problem(.payloadTooLarge, "a batch has at most \(limits.bytesMax) bytes")
        case .tooMany:
            Problem(
                .overloaded, "\(limits.openPerCallerMax) batches of this caller are not completed yet", retryAfter: 30)
        case .full: Problem(.unavailable, "there is no room for another batch; nothing was done", retryAfter: 300)
        case .offset(let received):
            Problem(
                .conflictState, "\(received) bytes came: go on there, or send all of it without `Upload-Offset`",
                members: ["received_bytes": JSONValue(received)])
        case .differs:
            Problem(
                .idempotencyKeyReused, "another batch came under this `Idempotency-Key` before: use a new one")
        case .busy: Problem(.idempotencyInFlight, "another request brings this batch", retryAfter: 1)
        case .notFound: Problem(.notFound, "there is no such batch")
        case .store: Problem(.unavailable, "the batch could not be stored; nothing was done", retryAfter: 5)
        }
    }
}
