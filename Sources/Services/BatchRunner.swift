import Bytes
import Contracts
import JSON
import Store
import Synchronization

/// What the gateway does around the lines of a batch: the policy and the audit log, for a caller who is long gone.
package struct BatchDesk: Sendable {
    package let contracts: @Sendable () -> ContractSet
    /// The call of a line as its caller's, or why it is none of theirs.
    package let call: @Sendable (BatchRecord, BatchLine, _ number: Int, ServiceWorld) -> Result<ServiceCall, Problem>
    /// The line came to its end.
    package let finished: @Sendable (BatchRecord, ServiceCall?, BatchLine?, _ number: Int, ServiceAnswer) async -> Void
    /// The gateway stops: nothing new is begun.
    package let isStopping: @Sendable () -> Bool

    package init(
        contracts: @escaping @Sendable () -> ContractSet,
        call: @escaping @Sendable (BatchRecord, BatchLine, Int, ServiceWorld) -> Result<ServiceCall, Problem>,
        finished: @escaping @Sendable (BatchRecord, ServiceCall?, BatchLine?, Int, ServiceAnswer) async -> Void,
        isStopping: @escaping @Sendable () -> Bool
    ) {
        self.contracts = contracts
        self.call = call
        self.finished = finished
        self.isStopping = isStopping
    }
}

/// Carries out batches, each line by line in its order: a report of consumption stands before the confirmation that
/// builds on it. The ledger makes each line happen once; so after a crash the first line without a result is simply
/// carried out again under its key.
package final class BatchRunner: Sendable {
    private struct State {
        var waiting: [String] = []
        var running: Set<String> = []
    }

    package let store: BatchStore
    private let runner: ServiceRunner
    private let desk: BatchDesk
    private let state = Mutex(State())

    /// Batches that are carried out at a time; the others wait in the order in which they came. Default 2: more would
    /// not make Odoo faster.
    package static let runningMax = 2
    /// How long a line is tried again while Odoo is away. Default 24 hours: from one shift to the next.
    static let patience: Nanoseconds = .hours(24)
    /// How long a line waits until it is known what became of it; then its result says that it is unknown. Default
    /// 10 minutes.
    static let settlingMax: Nanoseconds = .minutes(10)
    /// First pause before another try, and the longest; it doubles in between.
    static let pauseMin: Nanoseconds = .milliseconds(500)
    static let pauseMax: Nanoseconds = .seconds(30)
    /// Largest answer that stands in a result, in bytes; a larger one is read with its operation. Default 64 KiB.
    static let answerBytesMax = 65_536

    package init(store: BatchStore, runner: ServiceRunner, desk: BatchDesk) {
        self.store = store
        self.runner = runner
        self.desk = desk
    }

    /// Batches that run, and that wait for their turn.
    package var occupancy: (running: Int, waiting: Int) {
        state.withLock { ($0.running.count, $0.waiting.count) }
    }

    /// Takes up what an earlier process left.
    package func recover(_ world: ServiceWorld) {
        for record in store.unfinished() { submit(record.id, world) }
    }

    /// A batch that was received is carried out beside the request.
    func submit(_ id: String, _ world: ServiceWorld) {
        state.withLock { state in
            if !state.running.contains(id), !state.waiting.contains(id) { state.waiting.append(id) }
        }
        pump(world)
    }

    private func pump(_ world: ServiceWorld) {
        while true {
            let next = state.withLock { state -> String? in
                guard state.running.count < Self.runningMax, !state.waiting.isEmpty else { return nil }
                let id = state.waiting.removeFirst()
                state.running.insert(id)
                return id
            }
            guard let next else { return }
            world.host.spawn {
                await self.run(next, world)
                self.state.withLock { _ = $0.running.remove(next) }
                if !self.desk.isStopping() { self.pump(world) }
            }
        }
    }

    // MARK: One batch

    private func run(_ id: String, _ world: ServiceWorld) async {
        guard let record = store.record(id), record.state == .received else { return }
        var reader = LineReader(position: record.inputOffset)
        var number = record.lastLine
        while !desk.isStopping() {
            while let line = reader.next() {
                number += 1
                guard await carryOut(line, number, record, world) else { return }
            }
            let chunk = await persistently(world) { () throws(StoreError) in
                try await self.store.read(id, from: reader.position, count: BatchLine.bytesMax)
            }
            guard let chunk else { return }
            if !chunk.isEmpty {
                reader.feed(chunk)
                continue
            }
            if let line = reader.rest() {
                number += 1
                guard await carryOut(line, number, record, world) else { return }
            }
            _ = await persistently(world) { () throws(StoreError) in
                try await self.store.complete(id, now: world.host.wall)
            }
            return
        }
    }

    /// False when the gateway stops before the line has its result.
    private func carryOut(
        _ line: LineReader.Line, _ number: Int, _ record: BatchRecord, _ world: ServiceWorld
    ) async -> Bool {
        if desk.isStopping() { return false }
        // A blank line asks for nothing and gets no result.
        if let bytes = line.bytes, bytes.allSatisfy({ $0 == 32 || $0 == 9 }) { return true }
        var parsed: BatchLine?
        let answer: ServiceAnswer
        do throws(Problem) {
            guard let bytes = line.bytes else {
                throw Problem(.payloadTooLarge, "the line is longer than \(BatchLine.bytesMax) bytes")
            }
            let one = try BatchLine(bytes, desk.contracts())
            parsed = one
            guard let (call, its) = try await answered(one, number, record, world) else { return false }
            answer = its
            await desk.finished(record, call, one, number, answer)
        } catch {
            var problem = error
            problem.instance = "\(record.id)-\(number)"
            answer = ServiceAnswer(.refused, problem)
            await desk.finished(record, nil, parsed, number, answer)
        }
        let outcome = Self.outcome(answer)
        let result = Self.result(number, outcome, parsed, answer)
        return await persistently(world) { () throws(StoreError) in
            try await self.store.append(
                record.id, number: number, outcome: outcome, result, next: line.next, now: world.host.wall)
        } != nil
    }

    /// The final answer of a line: again while Odoo is away, and until it is known what happened. Nil when the gateway
    /// stops meanwhile.
    private func answered(
        _ line: BatchLine, _ number: Int, _ record: BatchRecord, _ world: ServiceWorld
    ) async throws(Problem) -> (ServiceCall, ServiceAnswer)? {
        let began = world.host.monotonic
        var pause = Self.pauseMin
        while true {
            // The policy is asked each time: what was taken from the caller meanwhile is taken.
            let call = try desk.call(record, line, number, world).get()
            let answer = await runner.answer(call)
            let waits: Nanoseconds
            switch Self.problem(answer) {
            case .outcomeUnknown, .idempotencyInFlight: waits = Self.settlingMax
            case .odooUnavailable, .overloaded, .unavailable, .auditUnavailable, .upstreamTimeout: waits = Self.patience
            default: return (call, answer)
            }
            guard world.host.monotonic - began + pause < waits else { return (call, answer) }
            await world.host.sleep(pause)
            if desk.isStopping() { return nil }
            pause = min(pause * 2, Self.pauseMax)
        }
    }

    /// Again until it is done: a full disk is emptied by somebody. Nil when the gateway stops meanwhile.
    private func persistently<R: Sendable>(
        _ world: ServiceWorld, _ body: () async throws(StoreError) -> R
    ) async -> R? {
        var pause = Self.pauseMin
        while true {
            do throws(StoreError) {
                return try await body()
            } catch {
                if error == .closed || error == .notFound { return nil }
                await world.host.sleep(pause)
                if desk.isStopping() { return nil }
                pause = min(pause * 2, Self.pauseMax)
            }
        }
    }

    // MARK: Results

    private static func problem(_ answer: ServiceAnswer) -> ProblemType? {
        guard answer.status >= 400, let type = (try? JSONValue.parse(answer.body))?["type"]?.string else { return nil }
        return ProblemType.allCases.first { $0.uri == type }
    }

    /// How a line came out, in a word that is counted.
    private static func outcome(_ answer: ServiceAnswer) -> String {
        if answer.status < 300 { return "applied" }
        switch problem(answer) {
        case .outcomeUnknown, .idempotencyInFlight: return "unknown"
        case .odooUnavailable, .overloaded, .unavailable, .auditUnavailable, .upstreamTimeout: return "unavailable"
        default: return "refused"
        }
    }

    private static func result(_ number: Int, _ outcome: String, _ line: BatchLine?, _ answer: ServiceAnswer) -> [UInt8]
    {
        var text = BatchResults.head(number, outcome)
        func member(_ name: String, _ value: JSONValue) { text += ",\"\(name)\":\(value.text)" }
        if let line {
            member("operation", .string(line.contract.operation))
            member("idempotency_key", .string(line.idempotencyKey))
        }
        member("status", JSONValue(answer.status))
        if let id = answer.operationID { member("operation_id", .string(id)) }
        var bytes = Array(text.utf8)
        bytes += Array(#","answer":"#.utf8)
        // Answers are JSON of our own, in one line.
        bytes += answer.body.isEmpty || answer.body.count > answerBytesMax ? Array("null".utf8) : answer.body
        bytes += Array("}\n".utf8)
        return bytes
    }
}
