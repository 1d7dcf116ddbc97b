import Bytes

// Reactor: the epoll loop, its sockets, TLS streams, timers, mailbox and the executor for async code on the loop.
//
// It knows bytes and readiness, and must never know what the bytes mean: no HTTP, no policy, no Odoo.
//
// One reactor runs on one thread and shares nothing: a `Reactor`, its `Descriptor`s and all that hang on them are not
// Sendable and never leave their thread. What must cross (a finished commit, a new configuration) goes through the
// `ReactorHandle`'s mailbox.
//
// Theory of operation. Each descriptor is registered once, edge-triggered for reading and writing, and named in epoll's
// 64 bits by slot and generation, so that an event of a descriptor that was closed in the same batch finds nobody. A
// turn of the loop runs the mailbox, waits, hands out readiness, fires timers, and runs what was deferred to its end.

/// One event loop on one thread.
public final class Reactor {
    /// 0 for the first reactor.
    public let index: Int
    /// What other threads hold of this reactor.
    public let handle: ReactorHandle
    /// The monotonic clock, read once a turn.
    public private(set) final var now: MonotonicInstant
    /// The wall clock, read once a turn.
    public private(set) final var wall: WallInstant
    /// Buffers for connections that are at work.
    public let buffers: IOBufferPool
    /// Buffers for large bodies: a quarter of the system calls.
    private let wideBuffers = IOBufferPool(bufferBytes: 65_536, keptMax: 64)
    let splicer = Splicer()
    /// Stands in for the kernel's network in the simulation; nil everywhere else.
    package private(set) final var network: (any StandInNetwork)?

    private struct Slot {
        var descriptor: Descriptor?
        var generation: UInt32 = 0
    }

    private final var slots: [Slot] = []
    private final var freeSlots: [UInt32] = []
    private final var timers: TimerWheel
    /// Payloads of timers that are due, and how many of them have been told.
    private final var fired: [UInt64] = []
    private final var firedTold = 0
    private final var actions: [UInt32: (Reactor) -> Void] = [:]
    private final var nextAction: UInt32 = 0
    private final var deferred: [Descriptor] = []
    private final var deferring: [Descriptor] = []
    private final var running = true
    private let poll: Epoll
    private final var locals: [ObjectIdentifier: AnyObject] = [:]

    /// Descriptors now registered.
    public final var descriptorCount: Int { slots.count - freeSlots.count }

    /// - Parameter poll: the handle's own (`ReactorHandle.makePoll`).
    init(
        index: Int, handle: ReactorHandle, poll: Epoll, now: MonotonicInstant = Clock.monotonic(),
        wall: WallInstant = Clock.wall()
    ) {
        self.index = index
        self.handle = handle
        self.now = now
        self.wall = wall
        buffers = IOBufferPool()
        timers = TimerWheel(now: now)
        self.poll = poll
    }

    static let wakeData: UInt64 = .max
    private static let actionFlag: UInt64 = 1 << 63

    // MARK: The loop

    /// Runs until `stop`.
    final func run() {
        handle.loopStarts()
        while running {
            beginTurn()
            if !running { break }
            var timeout: Int32 = -1
            if handle.hasWork || !deferred.isEmpty || !fired.isEmpty {
                timeout = 0
            } else if let next = timers.next(after: now) {
                timeout = Int32(clamping: max(0, (next - now + 999_999) / 1_000_000))
            }
            let count = poll.wait(milliseconds: timeout)
            now = Clock.monotonic()
            wall = Clock.wall()
            for i in 0..<count {
                let (data, events) = poll.event(i)
                if data == Self.wakeData {
                    handle.drainWake()
                    continue
                }
                let slot = Int(truncatingIfNeeded: data & 0xffff_ffff)
                let generation = UInt32(truncatingIfNeeded: data >> 32)
                guard slot < slots.count, slots[slot].generation == generation,
                    let descriptor = slots[slot].descriptor
                else { continue }
                descriptor.ready(events)
            }
            endTurn()
        }
        locals = [:]
    }

    private final func beginTurn() {
        if handle.hasWork {
            for work in handle.takeWork() { work(self) }
            handle.runJobs()
            runDeferred()
        }
    }

    private final func endTurn() {
        fireTimers()
        runDeferred()
    }

    // MARK: In the simulation

    /// A reactor that never waits: its clocks and its readiness are given to it, turn by turn, on the caller's thread.
    package convenience init(
        standIn network: any StandInNetwork, now: MonotonicInstant, wall: WallInstant
    ) throws(ReactorError) {
        let handle = try ReactorHandle(index: 0)
        self.init(index: 0, handle: handle, poll: try handle.makePoll(), now: now, wall: wall)
        self.network = network
    }

    /// One turn as in `run`; `readiness` stands for the wait and calls `ready` of who is ready.
    package final func simulateTurn(now: MonotonicInstant, wall: WallInstant, readiness: () -> Void) {
        handle.loopStarts()
        beginTurn()
        self.now = now
        self.wall = wall
        readiness()
        endTurn()
    }

    /// When the next timer may fire.
    package final var nextTimer: MonotonicInstant? { timers.next(after: now) }

    /// Ends the loop after this turn.
    public final func stop() { running = false }

    /// How long the timers of one turn may keep the loop. A hundred connections may be due to be cut off in one tick, each
    /// with megabytes that the kernel has to free: who waits for an answer must not wait for all of them.
    private static let timersPerTurnMax = Nanoseconds.microseconds(200)

    private final func fireTimers() {
        if fired.isEmpty {
            timers.advance(to: now, fired: &fired)
            if fired.isEmpty { return }
        }
        // Simulated time does not pass within a turn.
        let end = network == nil ? Clock.monotonic() + Self.timersPerTurnMax : MonotonicInstant(nanoseconds: .max)
        while firedTold < fired.count {
            let payload = fired[firedTold]
            firedTold += 1
            fire(payload)
            if network == nil, Clock.monotonic() >= end { break }
        }
        if firedTold == fired.count {
            fired.removeAll(keepingCapacity: true)
            firedTold = 0
        }
    }

    private final func fire(_ payload: UInt64) {
        if payload & Self.actionFlag != 0 {
            if let action = actions.removeValue(forKey: UInt32(truncatingIfNeeded: payload)) { action(self) }
            return
        }
        let slot = Int(truncatingIfNeeded: payload & 0xffff_ffff)
        let generation = UInt32(truncatingIfNeeded: payload >> 32)
        guard slot < slots.count, slots[slot].generation & 0x7fff_ffff == generation,
            let descriptor = slots[slot].descriptor
        else { return }
        descriptor.timerFired()
    }

    /// Who asks again meanwhile has its turn after the next look at the sockets, so that nobody keeps the loop.
    private final func runDeferred() {
        if deferred.isEmpty { return }
        swap(&deferred, &deferring)
        for descriptor in deferring {
            descriptor.isDeferred = false
            if descriptor.isOpen { descriptor.endOfTurn() }
        }
        deferring.removeAll(keepingCapacity: true)
    }

    // MARK: What descriptors ask

    final func register(_ descriptor: Descriptor, events: Epoll.Interest) throws(ReactorError) {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot())
        }
        let generation = slots[Int(slot)].generation
        do throws(ReactorError) {
            try poll.add(descriptor.fd, data: UInt64(slot) | UInt64(generation) << 32, interest: events)
        } catch {
            freeSlots.append(slot)
            throw error
        }
        slots[Int(slot)].descriptor = descriptor
        descriptor.slot = slot
    }

    /// Forgets a descriptor; its number in epoll's data never matches again.
    final func unregister(_ descriptor: Descriptor) {
        let slot = Int(descriptor.slot)
        slots[slot].descriptor = nil
        slots[slot].generation &+= 1
        freeSlots.append(UInt32(slot))
    }

    final func pausePolling(_ descriptor: Descriptor) { poll.remove(descriptor.fd) }

    final func resumePolling(_ descriptor: Descriptor, events: Epoll.Interest) throws(ReactorError) {
        let slot = descriptor.slot
        try poll.add(
            descriptor.fd, data: UInt64(slot) | UInt64(slots[Int(slot)].generation) << 32, interest: events)
    }

    final func addTimer(_ descriptor: Descriptor, at deadline: MonotonicInstant) -> TimerWheel.TimerID {
        let generation = slots[Int(descriptor.slot)].generation & 0x7fff_ffff
        return timers.add(at: deadline, payload: UInt64(descriptor.slot) | UInt64(generation) << 32)
    }

    final func cancelTimer(_ id: TimerWheel.TimerID) { timers.cancel(id) }

    /// Calls `endOfTurn` of the descriptor once, at the end of this turn.
    final func deferToEndOfTurn(_ descriptor: Descriptor) {
        if descriptor.isDeferred { return }
        descriptor.isDeferred = true
        deferred.append(descriptor)
    }

    // MARK: What rooms above ask

    /// Runs `action` once at or after `deadline`. Off the hot path; connections have deadlines of their own.
    @discardableResult
    public final func schedule(at deadline: MonotonicInstant, _ action: @escaping (Reactor) -> Void) -> ScheduledAction
    {
        nextAction &+= 1
        actions[nextAction] = action
        let timer = timers.add(at: deadline, payload: UInt64(nextAction) | Self.actionFlag)
        return ScheduledAction(id: nextAction, timer: timer)
    }

    public final func cancel(_ scheduled: ScheduledAction) {
        actions[scheduled.id] = nil
        timers.cancel(scheduled.timer)
    }

    public struct ScheduledAction {
        let id: UInt32
        let timer: TimerWheel.TimerID
    }

    /// Keeps one object per type for work that arrives through the mailbox.
    public final func setLocal<T: AnyObject>(_ object: T) { locals[ObjectIdentifier(T.self)] = object }

    public final func local<T: AnyObject>(_ type: T.Type) -> T? { locals[ObjectIdentifier(T.self)] as? T }

    /// Begins a connection; the stream becomes writable when it stands or has failed.
    public final func beginConnect(_ address: SocketAddress) throws(ReactorError) -> Int32 {
        if let network { return try network.connect(address) }
        return try SocketStream.beginConnect(address)
    }

    /// Puts a larger buffer in the place of an empty one, for a body of which a whole buffer came at once.
    public final func widen(_ buffer: IOBuffer) {
        guard buffer.isEmpty, buffer.capacity < wideBuffers.bufferBytes else { return }
        let other = wideBuffers.take()
        buffer.swapContents(with: other)
        buffers.give(other)
    }

    /// The way back, when the body is over.
    public final func narrow(_ buffer: IOBuffer) {
        guard buffer.isEmpty, buffer.capacity > buffers.bufferBytes else { return }
        let other = buffers.take()
        buffer.swapContents(with: other)
        wideBuffers.give(other)
    }

    /// Takes what is in a buffer that stays where it is.
    public final func takeContents(of buffer: IOBuffer) -> IOBuffer {
        let other = buffers.take()
        buffer.swapContents(with: other)
        return other
    }

    /// Starts async work on this loop.
    public final func spawn(_ body: @escaping @Sendable () async -> Void) { handle.spawn(body) }
}

/// What the kernel refused to the reactor.
public enum ReactorError: Error, Equatable {
    /// A system call failed; `code` is errno.
    case system(call: String, code: Int32)
    /// An address could not be resolved or bound.
    case address(String, code: Int32)
    /// A TLS context could not be made.
    case tls(String)
}

extension ReactorError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let call, let code): "\(call): \(SystemError.text(code))"
        case .address(let address, let code): "`\(address)`: \(SystemError.text(code))"
        case .tls(let message): message
        }
    }
}
