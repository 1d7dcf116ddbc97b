import Bytes

/// Locks on records of the upstream, such as `mrp.production,17`, so that two calls never work on one at a time.
///
/// Odoo answers concurrent writes to one record with serialisation errors and retries of up to half a minute, or
/// books twice; one after the other is quicker for both.
///
/// A call asks for all its records at once. It stands in the line of each, in the order of arrival, and gets all
/// together when it is first in all of them. Nobody holds one lock while waiting for another, and of all that wait,
/// the one that came first is behind holders only: so there is no deadlock, and each line is first come first served.
///
/// A plain value: whoever shares it keeps it in a `Mutex`, and wakes the tickets it is handed.
package struct RecordLocks: Sendable {
    package struct Configuration: Sendable {
        /// Most waiters for one record. Default 32: the thirty-third would wait longer than its client.
        package var waitersPerKeyMax = 32
        /// Most waiters for all records. Default 4,096.
        package var waitersMax = 4_096
        /// Most records in one call. Default 256; a call that asks for more is refused.
        package var keysPerCallMax = 256
        package init() {}
    }

    /// Names a call from `acquire` until `release`. Never used again for another call.
    package struct Ticket: Hashable, Sendable {
        let index: UInt32
        let generation: UInt32
        /// The same in one word, for mailboxes.
        package var word: UInt64 { UInt64(index) << 32 | UInt64(generation) }
    }

    package enum Acquisition: Equatable, Sendable {
        /// All locks are held. `release` when the call is over, however it ends.
        case acquired(Ticket)
        /// The call waits. It is handed out by a later method as granted or timed out, or taken back by `cancel`.
        case waiting(Ticket)
        /// Too many wait already, in all or for `key`; the call asks for too many records; or the deadline has passed.
        case refused(key: String?)
    }

    /// Whom to wake. A ticket that is granted holds its locks from now on, whether or not its owner has heard of it.
    package struct Wakeups: Equatable, Sendable {
        package var granted: [Ticket] = []
        package var timedOut: [Ticket] = []
        package var isEmpty: Bool { granted.isEmpty && timedOut.isEmpty }
    }

    private struct Call: Sendable {
        var generation: UInt32 = 0
        var isLive = false
        /// Sorted, without duplicates.
        var keys: [String] = []
        /// In how many lines somebody is ahead of it; 0 for a holder.
        var blocked = 0
    }

    private let configuration: Configuration
    private var calls: [Call] = []
    private var free: [Int] = []
    /// The line of each record that is held: the holder, then the waiters. Empty lines are taken away.
    private var lines: [String: [Int]] = [:]
    private var deadlines = DeadlineHeap()
    package private(set) var holders = 0

    package init(_ configuration: Configuration = Configuration()) { self.configuration = configuration }

    /// Calls that wait.
    package var waiters: Int { deadlines.count }
    /// Records that are held or waited for.
    package var keys: Int { lines.count }
    /// When to call `expire` next, nil when nobody waits.
    package var nextDeadline: MonotonicInstant? { deadlines.first }

    /// Asks for the locks on all `keys`; one that is named twice counts once, and none at all is acquired at once.
    package mutating func acquire(
        _ keys: [String], deadline: MonotonicInstant, now: MonotonicInstant
    ) -> Acquisition {
        let sorted = Self.sorted(keys)
        guard sorted.count <= configuration.keysPerCallMax else { return .refused(key: nil) }
        var blocked = 0
        for key in sorted {
            guard let line = lines[key] else { continue }
            if line.count > configuration.waitersPerKeyMax { return .refused(key: key) }
            blocked += 1
        }
        if blocked > 0 && (waiters >= configuration.waitersMax || deadline <= now) { return .refused(key: nil) }

        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            index = calls.count
            calls.append(Call())
        }
        calls[index].isLive = true
        calls[index].keys = sorted
        calls[index].blocked = blocked
        for key in sorted { lines[key, default: []].append(index) }
        if blocked == 0 {
            holders += 1
            return .acquired(ticket(index))
        }
        deadlines.insert(index, at: deadline)
        return .waiting(ticket(index))
    }

    /// A holder is done. Nothing happens for a ticket that holds nothing any more.
    package mutating func release(_ ticket: Ticket, now: MonotonicInstant) -> Wakeups {
        guard let index = index(of: ticket), calls[index].blocked == 0 else { return Wakeups() }
        holders -= 1
        var wakeups = expire(now: now)
        drop(index, &wakeups)
        return wakeups
    }

    /// A waiter gives up. If it was granted its locks in the meantime, they are released.
    package mutating func cancel(_ ticket: Ticket, now: MonotonicInstant) -> Wakeups {
        guard let index = index(of: ticket) else { return Wakeups() }
        if calls[index].blocked == 0 { return release(ticket, now: now) }
        deadlines.remove(index)
        var wakeups = expire(now: now)
        drop(index, &wakeups)
        return wakeups
    }

    /// Takes out the waiters whose deadline has come; others may be granted by that.
    package mutating func expire(now: MonotonicInstant) -> Wakeups {
        var wakeups = Wakeups()
        // First all that are due, so that none of them is granted what another leaves.
        var due: [Int] = []
        while let index = deadlines.popDue(now) { due.append(index) }
        for index in due { wakeups.timedOut.append(ticket(index)) }
        for index in due { drop(index, &wakeups) }
        return wakeups
    }

    /// Takes a call out of all its lines, and grants those that are first everywhere by that.
    private mutating func drop(_ index: Int, _ wakeups: inout Wakeups) {
        for key in calls[index].keys {
            guard var line = lines[key], let place = line.firstIndex(of: index) else { continue }
            // Taken out of the dictionary while it is changed, so that the array isn't copied.
            lines[key] = nil
            line.remove(at: place)
            let heir = place == 0 ? line.first : nil
            if !line.isEmpty { lines[key] = line }
            if let heir { advance(heir, &wakeups) }
        }
        calls[index].keys = []
        calls[index].isLive = false
        calls[index].generation &+= 1
        free.append(index)
    }

    private mutating func advance(_ index: Int, _ wakeups: inout Wakeups) {
        calls[index].blocked -= 1
        // One that is due was taken out of the deadlines already, and is about to be dropped itself.
        guard calls[index].blocked == 0, deadlines.contains(index) else { return }
        deadlines.remove(index)
        holders += 1
        wakeups.granted.append(ticket(index))
    }

    private static func sorted(_ keys: [String]) -> [String] {
        if keys.count < 2 { return keys }
        var result: [String] = []
        for key in keys.sorted() where key != result.last { result.append(key) }
        return result
    }

    private func ticket(_ index: Int) -> Ticket {
        Ticket(index: UInt32(index), generation: calls[index].generation)
    }

    private func index(of ticket: Ticket) -> Int? {
        let index = Int(ticket.index)
        guard index < calls.count, calls[index].generation == ticket.generation, calls[index].isLive else {
            return nil
        }
        return index
    }
}
