import Testing

@testable import Store

@Suite struct OperationStateTests {
    /// Rows: from; columns: to, both in the order of `allCases`.
    static let table: [(OperationState, String)] = [
        //           accepted dispatched applied rejected unknown settled
        (.accepted, "y        y          y       y        n       n"),
        (.dispatched, "n      y          y       y        y       n"),
        (.applied, "n         n          n       n        n       n"),
        (.rejected, "n        n          n       n        n       n"),
        (.unknown, "n         n          n       n        y       y"),
        (.settled, "n         n          n       n        n       n"),
    ]

    @Test func exactlyTheTransitionsOfTheTableAreAllowed() {
        #expect(Self.table.map(\.0) == OperationState.allCases)
        for (from, row) in Self.table {
            let marks = row.split(separator: " ").map { $0 == "y" }
            #expect(OperationState.allCases.map { from.mayBecome($0) } == marks, "\(from)")
        }
    }

    @Test func aFinalStateIsOneThatNothingFollows() {
        for state in OperationState.allCases {
            #expect(state.isFinal == !OperationState.allCases.contains { state.mayBecome($0) }, "\(state)")
            #expect(OperationState.allCases[state.index] == state)
        }
    }
}
