import Synchronization

/// Tells those who wait that the log has grown.
package final class EventBell: Sendable {
    private struct State {
        var head: Int64
        var next: UInt64 = 0
        var waiting: [UInt64: @Sendable () -> Void] = [:]
    }

    private let state: Mutex<State>

    init(head: Int64) { state = Mutex(State(head: head)) }

    /// The number of the newest event.
    package var head: Int64 { state.withLock { $0.head } }

    /// Calls `body` once, when there is an event behind `number`: at once where there is one already.
    /// - Returns: what `cancel` takes.
    @discardableResult
    package func onEvent(after number: Int64, _ body: @escaping @Sendable () -> Void) -> UInt64 {
        let token = state.withLock { state -> UInt64? in
            if state.head > number { return nil }
            state.next += 1
            state.waiting[state.next] = body
            return state.next
        }
        guard let token else {
            body()
            return 0
        }
        return token
    }

    /// Forgets a waiter; its body is not called any more, unless it is being called now.
    package func cancel(_ token: UInt64) { state.withLock { _ = $0.waiting.removeValue(forKey: token) } }

    func ring(_ number: Int64) {
        let bodies = state.withLock { state -> [@Sendable () -> Void] in
            // Commits are told in their order, but by their callers' threads.
            guard number > state.head else { return [] }
            state.head = number
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for body in bodies { body() }
    }
}
