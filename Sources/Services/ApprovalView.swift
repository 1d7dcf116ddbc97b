import Bytes
import JSON
import Store

/// A request for a second person's consent in the words of the contract.
enum ApprovalView {
    static func json(_ record: ApprovalRecord, now: WallInstant) -> JSONValue {
        let request = (try? JSONValue.parse(record.request)) ?? .null
        let isExpired = record.state != .rejected && record.isExpired(at: now)
        return [
            "id": .string(record.id), "state": .string(isExpired ? "expired" : record.state.rawValue),
            "operation": .string(record.operation), "requested_by": .string(subject(record.caller)),
            "site": record.site.map { .string($0) } ?? .null,
            "request": ["path": request["path"] ?? [:], "body": request["body"] ?? .null],
            "needs": .array(record.open.map { .array($0.sorted().map { .string($0) }) }),
            "votes": .array(
                record.votes.map { vote in
                    [
                        "by": .string(subject(vote.by)), "time": .string(vote.time.rfc3339),
                        "vote": vote.approves ? "approve" : "reject",
                    ]
                }), "requested_at": .string(record.requestedAt.rfc3339),
            "expires_at": .string(record.expiresAt.rfc3339),
        ]
    }

    /// Of `issuer|subject`.
    static func subject(_ caller: String) -> String {
        caller.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).last.map(String.init) ?? caller
    }

    /// Where a request for consent is read and decided.
    static func address(_ id: String) -> String { "/v1/approvals/\(id)" }
}
