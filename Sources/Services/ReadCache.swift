import Bytes
import JSON
import Limits
import Odoo
import Synchronization

/// What Odoo answered to reads: identical ones in flight become one call, and an answer serves again for as long as the
/// contract calls it fresh. One for the whole gateway, shared by its reactors.
///
/// It holds what Odoo says, never what a caller is told: identity, policy and masks are applied to it anew for each
/// caller. A write makes unusable what was read of its models before, also what is in flight: each read remembers the
/// epoch of its models when it began, and a write counts them up.
package final class ReadCache: Sendable {
    /// One read, as one operation makes it: what it depends on is the operation's to say.
    struct Key: Hashable, Sendable {
        let operation: String
        let call: OdooCall
    }

    /// An answer of Odoo, and how old it is.
    struct Answer: Sendable {
        let value: JSONValue?
        let age: Nanoseconds
    }

    fileprivate struct Entry: Sendable {
        let value: JSONValue?
        let read: MonotonicInstant
        let epoch: UInt64
        let bytes: Int
    }

    fileprivate typealias Outcome = Result<JSONValue?, OdooError>

    fileprivate struct Flight: Sendable {
        let deadline: MonotonicInstant?
        var waiting: [OneShot<Outcome>] = []
    }

    /// Which calls in flight are the same. Each class has its own: who stands still must not wait for a call that waits
    /// behind all others. Each epoch has its own: who asks after a write must not get what was asked before it.
    fileprivate struct FlightKey: Hashable, Sendable {
        let key: Key
        let admission: AdmissionClass
        let epoch: UInt64
    }

    /// Two generations: what is used moves to the young one, and when that is half of all, the old one goes.
    fileprivate struct State {
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
        var youngBytes = 0
        var oldBytes = 0
        var flights: [FlightKey: Flight] = [:]
        var epochs: [String: UInt64] = [:]
        var epochOfAll: UInt64 = 0
        var counts = Counts()
    }

    /// What happened since the start.
    package struct Counts: Sendable, Hashable {
        package var hits = 0
        package var misses = 0
        /// Reads that waited for the call of another.
        package var coalesced = 0
        package var invalidations = 0
        /// Answers that made room for newer ones.
        package var evicted = 0
        /// Bytes that are held now, estimated.
        package var bytes = 0
    }

    /// What is held at most, in bytes as estimated; 0 for nothing, which leaves reads in flight to be joined.
    package static let bytesMaxDefault = 33_554_432
    /// Largest answer that is held, as a part of `bytesMax`: one must not drive out all others.
    private static let shareMax = 8

    private let bytesMax: Int
    private let state = Mutex(State())

    package init(bytesMax: Int = ReadCache.bytesMaxDefault) { self.bytesMax = bytesMax }

    package var counts: Counts {
        state.withLock { state in
            var counts = state.counts
            counts.bytes = state.youngBytes + state.oldBytes
            return counts
        }
    }

    // MARK: Reading

    private enum Step {
        case hit(Answer)
        case join(OneShot<Outcome>)
        case lead(FlightKey)
        /// The call in flight may last longer than this one may wait.
        case alone
    }

    /// The answer to a read: one that is there, one that is on its way, or Odoo's.
    ///
    /// - Parameters:
    ///   - models: what the answer depends on.
    ///   - freshness: how old an answer may be; 0 for a call of its own, or one that is in flight.
    func read(
        _ key: Key, models: [String], freshness: Nanoseconds, admission: AdmissionClass, deadline: MonotonicInstant?,
        now: @Sendable () -> MonotonicInstant, _ perform: () async throws(OdooError) -> JSONValue?
    ) async throws(OdooError) -> Answer {
        switch step(key, models, freshness, admission, deadline, now()) {
        case .hit(let answer): return answer
        case .alone: return Answer(value: try await perform(), age: 0)
        case .join(let place):
            do throws(OdooError) {
                return Answer(value: try await place.value().get(), age: 0)
            } catch {
                // Whoever made the call could perhaps not wait as long as this one may: it tries itself.
                guard error.kind == .transport, let deadline, now() < deadline else { throw error }
                return Answer(value: try await perform(), age: 0)
            }
        case .lead(let flight):
            let asked = now()
            let outcome: Outcome
            do throws(OdooError) {
                outcome = .success(try await perform())
            } catch {
                outcome = .failure(error)
            }
            land(flight, models, outcome, holds: freshness > 0, asked)
            return Answer(value: try outcome.get(), age: 0)
        }
    }

    private func step(
        _ key: Key, _ models: [String], _ freshness: Nanoseconds, _ admission: AdmissionClass,
        _ deadline: MonotonicInstant?, _ now: MonotonicInstant
    ) -> Step {
        state.withLock { state in
            let epoch = state.epoch(of: models)
            if freshness > 0, let entry = state.entry(key), entry.epoch == epoch, now - entry.read <= freshness {
                state.counts.hits += 1
                return .hit(Answer(value: entry.value, age: max(0, now - entry.read)))
            }
            let flight = FlightKey(key: key, admission: admission, epoch: epoch)
            if let ahead = state.flights[flight] {
                if let deadline, ahead.deadline.map({ $0 > deadline }) ?? true { return .alone }
                state.counts.coalesced += 1
                let place = OneShot<Outcome>()
                state.flights[flight]?.waiting.append(place)
                return .join(place)
            }
            state.counts.misses += 1
            state.flights[flight] = Flight(deadline: deadline)
            return .lead(flight)
        }
    }

    /// - Parameter asked: since then the answer is true or older: it is never called fresher than it is.
    private func land(
        _ flight: FlightKey, _ models: [String], _ outcome: Outcome, holds: Bool, _ asked: MonotonicInstant
    ) {
        let waiting = state.withLock { state -> [OneShot<Outcome>] in
            let landed = state.flights.removeValue(forKey: flight)
            if holds, case .success(let value) = outcome, state.epoch(of: models) == flight.epoch {
                let bytes = flight.key.call.weight + (value?.weight ?? 0)
                if bytes <= bytesMax / Self.shareMax {
                    state.hold(
                        Entry(value: value, read: asked, epoch: flight.epoch, bytes: bytes), flight.key,
                        bytesMax: bytesMax)
                }
            }
            return landed?.waiting ?? []
        }
        for place in waiting { place.fill(outcome) }
    }

    // MARK: Writing

    /// Something was written, or may have been: what was read of these models before serves no more.
    ///
    /// - Parameter models: nil for every model.
    func invalidate(_ models: [String]?) {
        state.withLock { state in
            state.counts.invalidations += 1
            if let models {
                for model in models { state.epochs[model, default: 0] += 1 }
            } else {
                state.epochOfAll += 1
            }
        }
    }

    /// The same for every model: somebody wrote without saying what it touches.
    package func invalidateAll() { invalidate(nil) }
}

fileprivate extension ReadCache.State {
    /// Grows with every write to one of the models, so that two are equal only where nothing was written in between.
    func epoch(of models: [String]) -> UInt64 { models.reduce(epochOfAll) { $0 + (epochs[$1] ?? 0) } }

    /// What is held, moved to the young generation.
    mutating func entry(_ key: ReadCache.Key) -> ReadCache.Entry? {
        if let entry = young[key] { return entry }
        guard let entry = old.removeValue(forKey: key) else { return nil }
        oldBytes -= entry.bytes
        young[key] = entry
        youngBytes += entry.bytes
        return entry
    }

    mutating func hold(_ entry: ReadCache.Entry, _ key: ReadCache.Key, bytesMax: Int) {
        if let before = old.removeValue(forKey: key) { oldBytes -= before.bytes }
        if let before = young.updateValue(entry, forKey: key) { youngBytes -= before.bytes }
        youngBytes += entry.bytes
        guard youngBytes > bytesMax / 2 else { return }
        counts.evicted += old.count
        old = young
        oldBytes = youngBytes
        young = [:]
        youngBytes = 0
    }
}

extension JSONValue {
    /// About what it takes in memory, in bytes.
    var weight: Int {
        switch self {
        case .null, .bool: 16
        case .number: 48
        case .string(let text): 32 + text.utf8.count
        case .array(let elements): elements.reduce(48) { $0 + $1.weight }
        case .object(let object): object.members.reduce(64) { $0 + 48 + $1.key.utf8.count + $1.value.weight }
        }
    }
}

extension OdooCall {
    /// About what it takes in memory, in bytes.
    fileprivate var weight: Int {
        (positional + named).reduce(128) { $0 + 48 + $1.name.utf8.count + $1.value.weight }
    }

    /// Changes nothing in Odoo.
    package var isRead: Bool { ["search_read", "read", "search_count", "search", "fields_get"].contains(method) }
}
