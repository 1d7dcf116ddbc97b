import JSON
import Store

/// An operation of the ledger in the words of the contract.
enum OperationView {
    static func json(_ record: OperationRecord, steps: [OperationStep] = []) -> JSONValue {
        var answer = JSONValue.null
        if let stored = record.answer {
            let body = (try? JSONValue.parse(stored.body)) ?? .null
            answer = ["status": JSONValue(stored.status), "body": body]
        }
        return [
            "id": .string(record.id), "operation": .string(record.request.operation),
            "state": .string(record.state.rawValue), "accepted_at": .string(record.request.acceptedAt.rfc3339),
            "changed_at": .string(record.changedAt.rfc3339),
            "finished_at": record.finishedAt.map { .string($0.rfc3339) } ?? .null,
            "resource": ProductView.text(record.request.resource),
            "records": .array(record.records.map { .string($0) }), "answer": answer,
            "steps": .array(
                steps.map { step in
                    [
                        "time": .string(step.time.rfc3339), "state": .string(step.state.rawValue),
                        "text": .string(JournalStep(step.text).text),
                    ]
                }),
        ]
    }
}
