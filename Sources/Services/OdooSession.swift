import Bytes
import JSON
import Limits
import Odoo

/// Odoo as one call sees it: its version, the call's class and deadline, and errors in the words of services.
struct OdooSession: Sendable {
    let world: ServiceWorld
    let version: OdooVersion
    let admission: AdmissionClass
    /// Nil where nobody waits: settling and recovery.
    var deadline: MonotonicInstant?
    /// Of a governed read: its calls may be answered by those of others.
    var reads: ReadScope?
    /// Of a write: what it makes unusable.
    var writes: WriteScope?

    /// Most tries of a call that Odoo gave up for contention, and rolled back. Default 3.
    static let triesMax = 3
    /// Longest pause before another try, of the first; doubles with each. The pause is random below it.
    static let pauseMax: Nanoseconds = .milliseconds(400)

    static func open(
        _ world: ServiceWorld, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(ServiceStop) -> OdooSession {
        do throws(OdooError) {
            let version = try await world.odoo.version(deadline: deadline)
            return OdooSession(world: world, version: version, admission: admission, deadline: deadline)
        } catch {
            throw ServiceStop(error)
        }
    }

    /// For what is kept for a time of its own: never from what is held.
    var joining: OdooSession {
        var session = self
        session.reads = reads?.joining
        return session
    }

    var now: MonotonicInstant { world.host.monotonic }
    var wall: WallInstant { world.host.wall }

    /// Time that is left; nil for any.
    var remaining: Nanoseconds? { deadline.map { $0 - now } }

    /// The result. Contention, which Odoo has rolled back, is tried again after a random pause; nothing else is.
    func call(_ call: OdooCall, deadline: MonotonicInstant? = nil) async throws(OdooError) -> JSONValue? {
        let deadline = deadline ?? self.deadline
        if let reads, call.isRead {
            return try await reads.read(call, self, deadline: deadline) { () throws(OdooError) in
                try await tried(call, deadline: deadline)
            }
        }
        // Whatever came of it: also what was refused or lost may have changed something.
        defer { if !call.isRead { writes?.invalidate() } }
        return try await tried(call, deadline: deadline)
    }

    private func tried(_ call: OdooCall, deadline: MonotonicInstant?) async throws(OdooError) -> JSONValue? {
        var tries = 1
        while true {
            do throws(OdooError) {
                return try await world.odoo.call(call, admission: admission, deadline: deadline)
            } catch {
                let pause = Nanoseconds.random(in: 0...(Self.pauseMax << Int64(tries - 1)))
                guard error.kind == .serialization, tries < Self.triesMax else { throw error }
                if let deadline, now + pause >= deadline { throw error }
                tries += 1
                await world.host.sleep(pause)
            }
        }
    }

    /// A call that changes nothing, or whose loss does no harm.
    func result(_ call: OdooCall) async throws(ServiceStop) -> JSONValue? {
        do throws(OdooError) {
            return try await self.call(call)
        } catch {
            throw ServiceStop(error)
        }
    }

    func records<T>(
        _ call: OdooCall, _ make: (OdooRecord) throws(OdooShapeError) -> T
    ) async throws(ServiceStop) -> [T] {
        let result = try await result(call)
        do throws(OdooShapeError) {
            var records: [T] = []
            for record in try OdooRecord.list(result) { records.append(try make(record)) }
            return records
        } catch {
            throw ServiceStop(error)
        }
    }

    func orders(_ call: OdooCall) async throws(ServiceStop) -> [ProductionOrderRecord] {
        let version = version
        return try await records(call) { (record) throws(OdooShapeError) in
            try ProductionOrderRecord(record, on: version)
        }
    }

    /// Nil when it is gone.
    func order(_ id: Int) async throws(ServiceStop) -> ProductionOrderRecord? {
        try await orders(ProductionOrderRecord.read([id], on: version)).first
    }
}

extension OdooCall {
    /// The same search with further conditions, each of which must hold.
    func adding(_ conditions: [JSONValue]) -> OdooCall {
        guard let domain = positional.first, domain.name == "domain", let present = domain.value.array else {
            return self
        }
        return OdooCall(
            model: model, method: method, ids: ids,
            positional: [Argument("domain", .array(present + conditions))] + positional.dropFirst(), named: named,
            context: context)
    }
}
