import Bytes
import Contracts
import JSON
import Reactor
import Services
import Store

/// `/operations` of the admin interface: what is stuck and why, and a person's word on what happened.
struct AdminOperations: AdminResource {
    let runner: ServiceRunner
    /// Writes an audit entry of the kind `admin`.
    let note: @Sendable (String) async -> Void

    func answer(_ request: AdminRequest) async -> AdminResponse? {
        let parts = request.path.split(separator: "/").map { String($0) }
        guard parts.first == "operations", parts.count <= 3 else { return nil }
        do throws(StoreError) {
            switch (request.method, parts.count) {
            case ("GET", 1): return try await list(request)
            case ("GET", 2):
                guard let found = try await runner.operation(parts[1], now: Clock.wall()) else {
                    return Self.missing(parts[1])
                }
                return AdminResponse(200, found)
            case ("POST", 3) where parts[2] == "settle": return try await settle(parts[1], request)
            default: return .problem(.methodNotAllowed, "operations are read with GET and settled with POST")
            }
        } catch {
            return .problem(.unavailable, "the ledger failed: \(error)")
        }
    }

    private func list(_ request: AdminRequest) async throws(StoreError) -> AdminResponse {
        var state = OperationState.unknown
        var after: Int64 = 0
        var limit = ServiceRunner.operationsPerListMax
        for pair in request.query.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            let value = sides.count > 1 ? sides[1] : ""
            switch sides[0] {
            case "state":
                guard let named = OperationState(rawValue: value) else {
                    let states = OperationState.allCases.map(\.rawValue).joined(separator: ", ")
                    return .problem(.malformedRequest, "'\(value)' is no state: \(states)")
                }
                state = named
            case "after": after = Int64(value) ?? 0
            case "limit": limit = Int(value) ?? limit
            default: return .problem(.malformedRequest, "operations have no parameter '\(sides[0])'")
            }
        }
        return AdminResponse(
            200, try await runner.operations(in: state, after: after, limit: limit, now: Clock.wall()))
    }

    private func settle(_ id: String, _ request: AdminRequest) async throws(StoreError) -> AdminResponse {
        guard let body = request.object, let applied = body["applied"]?.bool, let by = body["by"]?.string,
            let reason = body["reason"]?.string, !reason.isEmpty
        else {
            return .problem(.malformedRequest, "give 'applied' (true or false), 'by' and 'reason'")
        }
        switch try await runner.settle(id, applied: applied, by: by, because: reason, now: Clock.wall()) {
        case .settled:
            await note("operation settled: \(id) \(applied ? "was done" : "was not done") by \(by): \(reason)")
            return AdminResponse(200, ["id": .string(id), "state": "settled", "applied": .bool(applied)])
        case .notFound: return Self.missing(id)
        case .notOpen(let state): return .problem(.conflictState, "the operation is \(state.rawValue), not unknown")
        case .examined:
            return .problem(.conflictState, "the gateway is still looking into it by itself: wait for the settle limit")
        }
    }

    private static func missing(_ id: String) -> AdminResponse { .problem(.notFound, "there is no operation '\(id)'") }
}
