import Events
import Store

/// One operation of the ledger while it is carried out: its state, and the lines that are added to it.
final class OperationJournal {
    let id: String
    private let ledger: any LedgerPort
    /// As the ledger has it.
    private(set) var state: OperationState
    private(set) var records: [String]

    init(_ record: OperationRecord, ledger: any LedgerPort) {
        id = record.id
        state = record.state
        records = record.records
        self.ledger = ledger
    }

    /// Everything that was written before, oldest first.
    func steps() async throws(ServiceStop) -> [OperationStep] {
        do throws(StoreError) {
            return try await ledger.steps(of: id)
        } catch {
            throw .ledger(error)
        }
    }

    func advance(
        to next: OperationState, _ step: JournalStep, records new: [String] = [], answer: StoredAnswer? = nil,
        events: [BusinessEvent] = []
    ) async throws(ServiceStop) {
        do throws(StoreError) {
            try await ledger.advance(id, to: next, step: step.stored, records: new, answer: answer, events: events)
        } catch {
            throw .ledger(error)
        }
        state = next
        for record in new where !records.contains(record) { records.append(record) }
    }

    /// A line for people. What cannot be written is left out: nothing depends on it.
    func tell(_ text: String) async {
        try? await advance(to: state, JournalStep(text: text))
    }
}
