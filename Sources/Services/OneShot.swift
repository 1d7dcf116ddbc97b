import Synchronization

/// A value that comes once, and one who waits for it.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, Never>)
        case filled(Value)
        case taken
    }

    private let state = Mutex(State.empty)

    /// The first value counts; later ones are dropped.
    func fill(_ value: Value) {
        let waiter = state.withLock { state -> CheckedContinuation<Value, Never>? in
            switch state {
            case .empty: state = .filled(value)
            case .waiting(let continuation):
                state = .taken
                return continuation
            case .filled, .taken: break
            }
            return nil
        }
        waiter?.resume(returning: value)
    }

    /// To be called once.
    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> Value? in
                if case .filled(let value) = state {
                    state = .taken
                    return value
                }
                state = .waiting(continuation)
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}
