import Bytes
import Reactor
import Synchronization

/// Brings requests to servers of others, from async code. Its connections live on one reactor, and are its own: no two
/// clients share a connection, since each has its own authorities and its own guard.
package final class FetchClient: Sendable {
    package let configuration: FetchConfiguration
    private let home: ReactorHandle
    private let id: UInt64

    private static let ids = Atomic<UInt64>(0)
    private static let requests = Atomic<UInt64>(0)

    package init(home: ReactorHandle, configuration: FetchConfiguration = FetchConfiguration()) {
        self.home = home
        self.configuration = configuration
        id = Self.ids.add(1, ordering: .relaxed).newValue
    }

    deinit {
        let id = id
        home.post { CurlLoops.of($0).close(id) }
    }

    /// Begins a request at once, for whoever is on the client's loop already: no task, no hop. `done` is called on the
    /// loop, exactly once; before `begin` returns where the request cannot begin.
    package func begin(
        _ request: OutboundRequest, on reactor: Reactor,
        done: @escaping (Result<OutboundResponse, FetchError>) -> Void
    ) {
        if let fault = request.fault { return done(.failure(.invalidRequest(reason: fault))) }
        guard let loop = CurlLoops.of(reactor).loop(id, configuration) else { return done(.failure(.closed)) }
        loop.begin(request, number: Self.requests.add(1, ordering: .relaxed).newValue, done: done)
    }

    /// The answer, whatever its status. A cancelled task ends the request at once.
    package func send(_ request: OutboundRequest) async throws(FetchError) -> OutboundResponse {
        if let fault = request.fault { throw .invalidRequest(reason: fault) }
        let number = Self.requests.add(1, ordering: .relaxed).newValue
        let cancellation = Cancellation()
        let result: Result<OutboundResponse, FetchError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                home.post { [id, configuration] reactor in
                    guard !cancellation.isCancelled, let loop = CurlLoops.of(reactor).loop(id, configuration) else {
                        return continuation.resume(
                            returning: .failure(cancellation.isCancelled ? .cancelled : .closed))
                    }
                    loop.begin(request, number: number) { continuation.resume(returning: $0) }
                }
            }
        } onCancel: {
            // Whichever of the two posts comes first: the flag tells a request that is not begun yet.
            cancellation.cancel()
            home.post { [id] in CurlLoops.of($0).existing(id)?.cancel(number) }
        }
        return try result.get()
    }
}

/// Whether a task was cancelled, for the work that it has posted.
private final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    var isCancelled: Bool { flag.load(ordering: .acquiring) }
    func cancel() { flag.store(true, ordering: .releasing) }
}

/// The loops of one reactor, one for each client that has sent something.
final class CurlLoops {
    private let reactor: Reactor
    private var sockets: CurlSockets?
    private var loops: [UInt64: CurlLoop] = [:]

    private init(_ reactor: Reactor) { self.reactor = reactor }

    deinit {
        loops.values.forEach { $0.close() }
        sockets?.closeDescriptor()
    }

    static func of(_ reactor: Reactor) -> CurlLoops {
        if let existing = reactor.local(CurlLoops.self) { return existing }
        let made = CurlLoops(reactor)
        reactor.setLocal(made)
        return made
    }

    func existing(_ id: UInt64) -> CurlLoop? { loops[id] }

    func loop(_ id: UInt64, _ configuration: FetchConfiguration) -> CurlLoop? {
        if let loop = loops[id] { return loop }
        if sockets == nil { sockets = try? CurlSockets(reactor: reactor) }
        guard let sockets, let made = try? CurlLoop(configuration, sockets: sockets) else { return nil }
        loops[id] = made
        return made
    }

    func close(_ id: UInt64) { loops.removeValue(forKey: id)?.close() }
}
