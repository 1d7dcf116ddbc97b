import Bytes

/// How much a call matters when not all can go at once.
package enum AdmissionClass: Int, Sendable, CaseIterable {
    /// Somebody stands at a machine and waits.
    case realtime
    /// A person or a program waits.
    case standard
    /// Nobody waits: imports, reports, reconciliation.
    case batch
}

/// The calls in flight to one upstream, and those that wait for a place.
///
/// Odoo works on as many calls at once as it has workers, and what it is sent beyond that waits in the kernel's
/// queue, where it has no order and no end. So the waiting is done here: in order of class; in each, clients in turn
/// and every client's first come first served; never beyond a waiter's deadline, and never more than a bounded number.
///
/// A client has its turn by rounds: a waiter belongs to the round after that of its client's last waiter, or to the next.
/// So one with a hundred waiters has one in each round, and who comes with its first waits for one of everybody's.
/// Where the line is full, who comes takes the place of a waiter of a later round. And a client that holds up the answers
/// it has leaves a quarter of the places to others (`setHeldUp`).
///
/// A plain value: whoever shares it keeps it in a `Mutex`, and wakes the tickets it is handed.
package struct AdmissionQueue: Sendable {
    package struct Configuration: Sendable {
        /// Most calls in flight. At least 1. Default 8: Odoo's workers on a small server; a call more than there are
        /// workers only waits inside Odoo.
        package var inFlightMax = 8
        /// Most waiters of each class. Default 256 realtime, 256 standard, 64 batch: at 8 in flight of 100 ms each,
        /// 256 are served within 3.2 s, and who would wait longer had better be told at once.
        package var realtimeQueuedMax = 256
        package var standardQueuedMax = 256
        package var batchQueuedMax = 64
        /// While a standard call waits, at least one of this many places given away goes to a standard call (one more
        /// when batch is due in that moment), 0 for strict priority. Default 4.
        package var standardShare = 4
        /// While a batch call waits, at least one of this many places given away goes to a batch call, 0 for strict
        /// priority. Default 16: an import goes on slowly through a shift instead of starving.
        package var batchShare = 16
        /// Bounds of the advice to come back, in nanoseconds. Default 1 s and 30 s.
        package var retryAfterMin = Nanoseconds.seconds(1)
        package var retryAfterMax = Nanoseconds.seconds(30)
        /// How long a client that held up a call has its share of the places, in nanoseconds. Default 10 s.
        package var slowFor = Nanoseconds.seconds(10)
        package init() {}
    }

    /// Names a call from `enter` until `leave`. Never used again for another call.
    package struct Ticket: Hashable, Sendable {
        let index: UInt32
        let generation: UInt32
        /// The same in one word, for mailboxes.
        package var word: UInt64 { UInt64(index) << 32 | UInt64(generation) }
    }

    package enum Entry: Equatable, Sendable {
        /// The call may go now. `leave` when it is over, however it ends.
        case admitted(Ticket)
        /// The call waits. It is handed out by a later method as granted or as timed out, or taken back by `cancel`.
        case queued(Ticket)
        /// The same, and the last waiter of a client with more of them was given up for it.
        case queuedInPlaceOf(Ticket, displaced: Ticket)
        /// The class's queue is full, or the deadline has passed.
        case refused(retryAfter: Nanoseconds)
    }

    /// Whom to wake. A ticket that is granted is in flight from now on, whether or not its owner has heard of it.
    package struct Wakeups: Equatable, Sendable {
        package var granted: [Ticket] = []
        package var timedOut: [Ticket] = []
        package var isEmpty: Bool { granted.isEmpty && timedOut.isEmpty }
    }

    /// Totals since the start, for metrics.
    package struct Totals: Equatable, Sendable {
        package var admitted = 0
        package var refused = 0
        package var timedOut = 0
        package var cancelled = 0
    }

    private enum State: Sendable {
        case free
        case waiting
        case inFlight
    }

    private struct Slot: Sendable {
        var generation: UInt32 = 0
        var state = State.free
        var admissionClass = AdmissionClass.standard
        /// Whose call it is, 0 for nobody's in particular.
        var client: UInt64 = 0
        /// Of which round a waiter is.
        var round = 0
        var isHeldUp = false
        var next = -1
        var previous = -1
        /// When it entered, and from the grant on, when it was granted.
        var since = MonotonicInstant(nanoseconds: 0)
    }

    /// What of a client counts against its share, while it has one.
    private struct Slow: Sendable {
        var heldUp = 0
        var inFlight = 0
        /// It has its share until then, also where it holds up nothing in this moment: whoever gives a place back gets
        /// the next one at once, and would have them all again before it is noticed.
        var until: MonotonicInstant

        func isOver(_ now: MonotonicInstant) -> Bool { heldUp == 0 && until <= now }
    }

    private struct Line: Sendable {
        var head = -1
        var tail = -1
        var count = 0
        /// Places given to other classes since this one was last served, or began to wait.
        var passed = 0
        /// The round that was served last.
        var round = 0
        var totals = Totals()
    }

    private var configuration: Configuration
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var lines: InlineArray<3, Line>
    private var deadlines = DeadlineHeap()
    /// Clients that hold up calls, or did so a short while ago.
    private var slow: [UInt64: Slow] = [:]
    package private(set) var inFlight = 0
    /// Average time that a call is in flight, exponentially weighted by 1/8, in nanoseconds. 0 before the first.
    package private(set) var averageHold: Nanoseconds = 0

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        self.configuration.inFlightMax = max(1, configuration.inFlightMax)
        lines = InlineArray(repeating: Line())
    }

    /// A call of `admissionClass` wants to go, and would wait until `deadline`.
    ///
    /// - Parameter client: a hash of who sends it, 0 for nobody in particular: each such call is a client of its own.
    package mutating func enter(
        _ admissionClass: AdmissionClass, client: UInt64 = 0, deadline: MonotonicInstant, now: MonotonicInstant
    ) -> Entry {
        let line = admissionClass.rawValue
        forgetSlow(now: now)
        // A place is free only when nobody waits who may have it, because each is given away when it becomes free.
        if inFlight < configuration.inFlightMax, mayHavePlace(client) {
            inFlight += 1
            slow[client]?.inFlight += 1
            lines[line].totals.admitted += 1
            return .admitted(take(.inFlight, admissionClass, client, now))
        }
        let round = nextRound(of: client, in: line)
        var displaced: Ticket?
        if lines[line].count >= queuedMax(admissionClass), deadline > now {
            let tail = lines[line].tail
            if tail >= 0, slots[tail].round > round { displaced = displace(tail) }
        }
        guard lines[line].count < queuedMax(admissionClass), deadline > now else {
            lines[line].totals.refused += 1
            return .refused(retryAfter: retryAfter(admissionClass))
        }
        let ticket = take(.waiting, admissionClass, client, now)
        let index = Int(ticket.index)
        slots[index].round = round
        insert(index, to: line)
        deadlines.insert(index, at: deadline)
        if let displaced { return .queuedInPlaceOf(ticket, displaced: displaced) }
        return .queued(ticket)
    }

    /// The client of a call in flight holds up its answer, or does so no longer. Nothing happens for a ticket that is not
    /// in flight.
    package mutating func setHeldUp(_ ticket: Ticket, _ isHeldUp: Bool, now: MonotonicInstant) -> Wakeups {
        guard let index = index(of: ticket), slots[index].state == .inFlight, slots[index].isHeldUp != isHeldUp else {
            return Wakeups()
        }
        noteHeldUp(index, isHeldUp, now)
        return expire(now: now)
    }

    /// Whether somebody waits for whom the place of this call in flight is needed: who may have a place, or another call of
    /// the same client.
    package func isWanted(_ ticket: Ticket) -> Bool {
        guard let index = index(of: ticket), slots[index].state == .inFlight else { return false }
        let client = slots[index].client
        for line in 0..<3 {
            var waiter = lines[line].head
            while waiter >= 0 {
                if slots[waiter].client == client || mayHavePlace(slots[waiter].client) { return true }
                waiter = slots[waiter].next
            }
        }
        return false
    }

    /// A call is over: its place goes to the next. Nothing happens for a ticket that is not in flight any more.
    package mutating func leave(_ ticket: Ticket, now: MonotonicInstant) -> Wakeups {
        guard let index = index(of: ticket), slots[index].state == .inFlight else { return Wakeups() }
        let hold = max(0, now - slots[index].since)
        averageHold = averageHold == 0 ? hold : averageHold + (hold - averageHold) / 8
        endFlight(index, now)
        release(index)
        return expire(now: now)
    }

    /// A waiter gives up. If a place was granted to it in the meantime, the place goes to the next.
    package mutating func cancel(_ ticket: Ticket, now: MonotonicInstant) -> Wakeups {
        guard let index = index(of: ticket) else { return Wakeups() }
        let line = slots[index].admissionClass.rawValue
        lines[line].totals.cancelled += 1
        if slots[index].state == .waiting {
            unlink(index)
            deadlines.remove(index)
        } else {
            endFlight(index, now)
        }
        release(index)
        return expire(now: now)
    }

    /// Takes out the waiters whose deadline has come, and gives away what places there are.
    package mutating func expire(now: MonotonicInstant) -> Wakeups {
        var wakeups = Wakeups()
        forgetSlow(now: now)
        while let index = deadlines.popDue(now) {
            lines[slots[index].admissionClass.rawValue].totals.timedOut += 1
            wakeups.timedOut.append(ticket(index))
            unlink(index)
            release(index)
        }
        while inFlight < configuration.inFlightMax, let index = next() {
            let line = slots[index].admissionClass.rawValue
            lines[line].round = max(lines[line].round, slots[index].round)
            unlink(index)
            deadlines.remove(index)
            slots[index].state = .inFlight
            slots[index].since = now
            inFlight += 1
            slow[slots[index].client]?.inFlight += 1
            lines[line].totals.admitted += 1
            lines[line].passed = 0
            for other in 0..<3 where other != line && lines[other].count > 0 { lines[other].passed += 1 }
            wakeups.granted.append(ticket(index))
        }
        return wakeups
    }

    /// When to call `expire` next, nil when nobody waits.
    package var nextDeadline: MonotonicInstant? { deadlines.first }

    /// Changes the cap, as when the configuration is loaded again. Calls in flight beyond a lower cap end in peace.
    package mutating func setInFlightMax(_ cap: Int, now: MonotonicInstant) -> Wakeups {
        configuration.inFlightMax = max(1, cap)
        return expire(now: now)
    }

    package var inFlightMax: Int { configuration.inFlightMax }
    package func waiting(_ admissionClass: AdmissionClass) -> Int { lines[admissionClass.rawValue].count }
    package func totals(_ admissionClass: AdmissionClass) -> Totals { lines[admissionClass.rawValue].totals }

    /// How long the first of a class has waited.
    package func longestWait(_ admissionClass: AdmissionClass, now: MonotonicInstant) -> Nanoseconds {
        let head = lines[admissionClass.rawValue].head
        return head < 0 ? 0 : now - slots[head].since
    }

    /// When a call of this class might find a place: those ahead of it and itself, at the average time in flight.
    package func retryAfter(_ admissionClass: AdmissionClass) -> Nanoseconds {
        var ahead = 1
        for line in 0...admissionClass.rawValue { ahead += lines[line].count }
        let (estimate, overflow) = averageHold.multipliedReportingOverflow(by: Int64(ahead))
        let time = overflow ? .max : estimate / Int64(configuration.inFlightMax)
        return min(max(time, configuration.retryAfterMin), configuration.retryAfterMax)
    }

    // MARK: - The lines

    private func queuedMax(_ admissionClass: AdmissionClass) -> Int {
        switch admissionClass {
        case .realtime: configuration.realtimeQueuedMax
        case .standard: configuration.standardQueuedMax
        case .batch: configuration.batchQueuedMax
        }
    }

    /// Whose turn it is: a class that has been passed over long enough, the lowest first, else the highest that waits.
    private func next() -> Int? {
        let (batch, standard) = (AdmissionClass.batch.rawValue, AdmissionClass.standard.rawValue)
        if isDue(batch, share: configuration.batchShare), let first = first(batch) { return first }
        if isDue(standard, share: configuration.standardShare), let first = first(standard) { return first }
        for line in 0..<3 { if let first = first(line) { return first } }
        return nil
    }

    private func isDue(_ line: Int, share: Int) -> Bool {
        share > 0 && lines[line].count > 0 && lines[line].passed >= share - 1
    }

    /// The first of a line who may have a place.
    private func first(_ line: Int) -> Int? {
        var index = lines[line].head
        while index >= 0, !mayHavePlace(slots[index].client) { index = slots[index].next }
        return index >= 0 ? index : nil
    }

    /// Whether a client may have one more place: one that holds up calls has three quarters of them, for all its calls.
    private func mayHavePlace(_ client: UInt64) -> Bool {
        guard !slow.isEmpty, let client = slow[client] else { return true }
        return client.inFlight < max(1, configuration.inFlightMax - max(1, configuration.inFlightMax / 4))
    }

    private mutating func noteHeldUp(_ index: Int, _ isHeldUp: Bool, _ now: MonotonicInstant) {
        slots[index].isHeldUp = isHeldUp
        let client = slots[index].client
        if client == 0 { return }
        if slow[client] == nil {
            let inFlight = slots.count { $0.state == .inFlight && $0.client == client }
            slow[client] = Slow(inFlight: inFlight, until: now)
        }
        slow[client]?.heldUp += isHeldUp ? 1 : -1
        slow[client]?.until = now + configuration.slowFor
    }

    /// Gives back a place.
    private mutating func endFlight(_ index: Int, _ now: MonotonicInstant) {
        inFlight -= 1
        if slots[index].isHeldUp { noteHeldUp(index, false, now) }
        slow[slots[index].client]?.inFlight -= 1
    }

    /// Who was slow a while ago may have every place again.
    private mutating func forgetSlow(now: MonotonicInstant) {
        if slow.isEmpty || !slow.values.contains(where: { $0.isOver(now) }) { return }
        slow = slow.filter { !$0.value.isOver(now) }
    }

    /// The round of a client's next waiter.
    private func nextRound(of client: UInt64, in line: Int) -> Int {
        var index = client == 0 ? -1 : lines[line].tail
        while index >= 0, slots[index].client != client { index = slots[index].previous }
        return max(lines[line].round, index >= 0 ? slots[index].round : 0) + 1
    }

    /// Gives up a waiter for another.
    private mutating func displace(_ index: Int) -> Ticket {
        let displaced = ticket(index)
        lines[slots[index].admissionClass.rawValue].totals.refused += 1
        unlink(index)
        deadlines.remove(index)
        release(index)
        return displaced
    }

    /// Behind all of its round and of earlier ones.
    private mutating func insert(_ index: Int, to line: Int) {
        var previous = lines[line].tail
        while previous >= 0, slots[previous].round > slots[index].round { previous = slots[previous].previous }
        let next = previous >= 0 ? slots[previous].next : lines[line].head
        slots[index].previous = previous
        slots[index].next = next
        if previous >= 0 { slots[previous].next = index } else { lines[line].head = index }
        if next >= 0 { slots[next].previous = index } else { lines[line].tail = index }
        lines[line].count += 1
    }

    private mutating func unlink(_ index: Int) {
        let line = slots[index].admissionClass.rawValue
        let (previous, next) = (slots[index].previous, slots[index].next)
        if previous >= 0 { slots[previous].next = next } else { lines[line].head = next }
        if next >= 0 { slots[next].previous = previous } else { lines[line].tail = previous }
        lines[line].count -= 1
        if lines[line].count == 0 { lines[line].passed = 0 }
    }

    // MARK: - The slots

    private mutating func take(
        _ state: State, _ admissionClass: AdmissionClass, _ client: UInt64, _ now: MonotonicInstant
    ) -> Ticket {
        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            index = slots.count
            slots.append(Slot())
        }
        slots[index].state = state
        slots[index].admissionClass = admissionClass
        slots[index].client = client
        slots[index].since = now
        return ticket(index)
    }

    private mutating func release(_ index: Int) {
        slots[index].isHeldUp = false
        slots[index].state = .free
        slots[index].generation &+= 1
        free.append(index)
    }

    private func ticket(_ index: Int) -> Ticket {
        Ticket(index: UInt32(index), generation: slots[index].generation)
    }

    private func index(of ticket: Ticket) -> Int? {
        let index = Int(ticket.index)
        guard index < slots.count, slots[index].generation == ticket.generation, slots[index].state != .free else {
            return nil
        }
        return index
    }
}
