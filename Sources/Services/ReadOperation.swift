import JSON
import Policy
import Store

/// `operation.read`: what became of a write, for its own caller, and for whoever may read operations at every site.
struct ReadOperation: ReadService {
    let operation = "operation.read"
    let endpoints: Set = ["one"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let id = request.input.path["id"]?.string ?? ""
        let record: OperationRecord?
        let steps: [OperationStep]
        do throws(StoreError) {
            record = try await request.ledger.operation(id)
            steps = record == nil ? [] : try await request.ledger.steps(of: id)
        } catch {
            throw .ledger(error)
        }
        let everywhere = request.call.authorize(Resource())
        // Whose operation it is must not be guessed: another's is not there.
        guard let record, record.request.caller == request.call.caller || everywhere.isPermitted else {
            throw .notFound("operation \(id)")
        }
        return ReadResult(
            json: OperationView.json(record, steps: steps), records: record.records, resource: Resource(),
            decision: everywhere.isPermitted ? everywhere : nil)
    }
}
