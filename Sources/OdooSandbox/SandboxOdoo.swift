import Bytes
import JSON
import Synchronization

/// An HTTP request as the sandbox sees it.
package struct SandboxRequest: Sendable {
    package var method: String
    /// With the query.
    package var path: String
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]

    package init(method: String, path: String, fields: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.fields = fields
        self.body = body
    }

    /// The first field of that name.
    func field(_ name: String) -> String? {
        let wanted = name.lowercased()
        return fields.first { $0.name.lowercased() == wanted }?.value
    }

    var pathOnly: String { String(path.prefix { $0 != "?" }) }

    /// A parameter of the query, undecoded.
    func query(_ name: String) -> String? {
        guard let mark = path.firstIndex(of: "?") else { return nil }
        for pair in path[path.index(after: mark)...].split(separator: "&") where pair.hasPrefix(name + "=") {
            return String(pair.dropFirst(name.count + 1))
        }
        return nil
    }
}

/// An HTTP answer, and what the glue must do besides sending it.
package struct SandboxAnswer: Sendable {
    package enum Fault: Sendable, Hashable {
        /// Close the connection after `delay` with not a byte sent, as a killed worker does (recording 601).
        case closeWithoutAnswer
    }

    package var status: Int
    /// Without Date, Content-Length and Connection, which belong to the glue. Odoo closes after each answer.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    package var fault: Fault?
    /// How long to wait before anything is sent. What the call did has happened already.
    package var delay: Nanoseconds
    /// Status 101: from here on the connection carries WebSocket frames. The glue may echo them.
    package var isUpgrade: Bool { status == 101 }

    package init(
        status: Int, fields: [(name: String, value: String)], body: [UInt8], fault: Fault? = nil,
        delay: Nanoseconds = 0
    ) {
        self.status = status
        self.fields = fields
        self.body = body
        self.fault = fault
        self.delay = delay
    }
}

/// One Odoo in memory. Calls are answered one after the other, as by a server with one worker.
package final class SandboxOdoo: Sendable {
    package let configuration: SandboxConfiguration
    private let world: Mutex<SandboxWorld>
    private let file: SandboxFile?

    package init(configuration: SandboxConfiguration) {
        self.configuration = configuration
        world = Mutex(SandboxWorld(configuration))
        file = nil
    }

    /// One that goes on where the file ends, and writes into it what happens.
    package init(configuration: SandboxConfiguration, file: SandboxFile) throws {
        var configuration = configuration
        configuration.keepsState = true
        var started = SandboxWorld(configuration)
        guard let whole = SandboxJournal.replay(file.content, into: &started.engine.database) else {
            throw SandboxStateError()
        }
        try file.keep(whole)
        self.configuration = configuration
        world = Mutex(started)
        self.file = file
    }

    /// How long the glue must wait before it calls `answer`: zero, unless a fault says that the effect is late. Asked
    /// once for each request.
    package func hold(_ request: SandboxRequest) -> Nanoseconds {
        world.withLock { world in
            guard world.faults.holdsSomething else { return 0 }
            return world.faults.take(anyOf: SandboxWorld.keys(of: request), holding: true)?.delay ?? 0
        }
    }

    package func answer(_ request: SandboxRequest, now: WallInstant) -> SandboxAnswer {
        world.withLock { world in
            var answer = world.answer(request, now: now)
            if let asked = world.engine.asked {
                world.engine.asked = nil
                answer.delay = world.contention.enter(
                    asked, time: answer.delay, again: configuration.latencies.other, now: now)
            }
            let changes = world.engine.database.takeCommitted()
            if configuration.workersMax > 0 {
                let old = changes.filter { !$0.isNew }.map { SandboxContention.Record(model: $0.model, id: $0.id) }
                answer.delay = world.contention.enter(Set(old), time: answer.delay, now: now)
            }
            if let file, !changes.isEmpty {
                let database = world.engine.database
                file.append(
                    SandboxJournal.line(
                        changes.map { ($0.model, $0.id, database.row($0.model, $0.id)) }, sequences: database.sequences)
                )
            }
            return answer
        }
    }

    /// Puts a fault into the queue, as `POST /sandbox/faults` does.
    package func inject(_ fault: SandboxFault) {
        world.withLock { $0.faults.add(fault) }
    }

    /// What `GET /sandbox/state` shows.
    package var state: JSONValue { world.withLock { $0.state } }

    /// How often a method ran, `mrp.production.button_mark_done`; answers refused by a fault do not count.
    package func effects(of method: String) -> Int {
        world.withLock { $0.counts[method]?.effects ?? 0 }
    }

    /// For tests that prepare records by hand.
    func withEngine(_ body: (inout Engine) -> Void) {
        world.withLock { world in
            body(&world.engine)
            world.engine.database.commit()
        }
    }
}

/// A state file that is none.
package struct SandboxStateError: Error, CustomStringConvertible {
    package var description: String { "this is no state of a sandbox" }
}

/// Everything behind the lock.
struct SandboxWorld: Sendable {
    struct Count: Sendable {
        /// Calls that arrived.
        var calls = 0
        /// Calls that ran, whether they raised or not.
        var effects = 0
    }

    let configuration: SandboxConfiguration
    var engine: Engine
    var faults = FaultQueue()
    var contention = SandboxContention()
    var counts: [String: Count] = [:]
    /// Kept for the next request.
    var bigFile: [UInt8] = []

    init(_ configuration: SandboxConfiguration) {
        self.configuration = configuration
        engine = configuration.seed.engine(configuration)
        engine.database.keepsCommitted = configuration.workersMax > 0 || configuration.keepsState
    }

    var version: SandboxVersion { configuration.version }

    mutating func answer(_ request: SandboxRequest, now: WallInstant) -> SandboxAnswer {
        let path = request.pathOnly
        if path.hasPrefix("/sandbox/") { return introspection(request, path) }
        if path == "/jsonrpc" { return jsonRPC(request, now) }
        if path == "/json/2" || path.hasPrefix("/json/2/"), version.is19 { return json2(request, now) }
        let fault = faults.take(path)
        let delay = (fault?.delay ?? 0) + configuration.latencies.page
        counts[path, default: Count()].calls += 1
        if let fault, let answer = Pages.fault(fault.kind, delay: delay) { return answer }
        var answer = page(request, path)
        answer.delay = delay
        if fault?.kind == .closeAfterEffect { answer.fault = .closeWithoutAnswer }
        return answer
    }

    /// How faults call this request.
    static func keys(of request: SandboxRequest) -> [String] {
        let path = request.pathOnly
        let segments = path.split(separator: "/").map(String.init)
        if segments.count == 4, path.hasPrefix("/json/2/") {
            var call = SandboxCall(model: segments[2], method: segments[3], style: .named)
            if call.model == Model.addonRequest {
                call.named = (try? JSONValue.parse(request.body))?.object ?? JSONObject()
            }
            return call.keys
        }
        guard path == "/jsonrpc", let json = try? JSONValue.parse(request.body), let call = json["params"] else {
            return [path]
        }
        let method = call["method"]?.string ?? ""
        if call["service"] == "common" { return ["common." + method] }
        return SandboxCall(
            model: call["args"]?[3]?.string ?? "", method: call["args"]?[4]?.string ?? "", style: .positional,
            positional: call["args"]?[5]?.array ?? []
        ).keys
    }

    /// Runs `body` unless a fault is waiting for `key`; `failed` says how a serialization failure looks in the
    /// protocol.
    ///
    /// - Parameter call: what is asked of a model, with what it does inside.
    mutating func guarded(
        _ call: SandboxCall, failed: (SandboxWorld, Raised) -> SandboxAnswer,
        _ body: (inout SandboxWorld) -> SandboxAnswer
    ) -> SandboxAnswer {
        guarded(
            call.key, model: call.model, method: call.method, keys: call.keys, inside: call.inside, failed: failed, body
        )
    }

    mutating func guarded(
        _ key: String, model: String = "", method: String, keys: [String]? = nil,
        inside: [(model: String, method: String)] = [], failed: (SandboxWorld, Raised) -> SandboxAnswer,
        _ body: (inout SandboxWorld) -> SandboxAnswer
    ) -> SandboxAnswer {
        counts[key, default: Count()].calls += 1
        let fault = faults.take(anyOf: keys ?? [key])
        let delay =
            (fault?.delay ?? 0)
            + (inside.isEmpty ? [(model, method)] : inside).reduce(0) {
                $0 + configuration.latencies.latency(model: $1.0, method: $1.1)
            }
        if let fault {
            if let answer = Pages.fault(fault.kind, delay: delay) { return answer }
            if fault.kind == .serializationFailure {
                var answer = failed(self, .serialization)
                answer.delay = delay
                return answer
            }
        }
        counts[key, default: Count()].effects += 1
        var answer = body(&self)
        answer.delay = delay
        for key in engine.ran {
            counts[key, default: Count()].calls += 1
            counts[key, default: Count()].effects += 1
        }
        engine.ran = []
        if fault?.kind == .closeAfterEffect { answer.fault = .closeWithoutAnswer }
        return answer
    }

    func user(id: Int) -> SandboxUser? { configuration.users.first { $0.id == id } }
}
