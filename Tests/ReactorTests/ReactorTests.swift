import Bytes
import CSystem
import Foundation
import Synchronization
import Testing

@testable import Reactor

/// Runs `body` on a fresh reactor's thread and waits until it says that it is done.
func onReactor(_ body: @escaping @Sendable (Reactor, @escaping @Sendable () -> Void) -> Void) async throws {
    let handle = try ReactorHandle.start(index: 0) { _ in }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let once = Mutex(false)
        handle.post { reactor in
            body(reactor) {
                let first = once.withLock { done in
                    defer { done = true }
                    return !done
                }
                if first { continuation.resume() }
            }
        }
    }
    handle.stop()
}

final class Tally: Sendable {
    private let count = Mutex(0)
    func add() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
}

@Suite(.timeLimit(.minutes(1)))
struct ReactorTests {
    @Test func workPostedFromAnotherThreadRunsOnTheLoop() async throws {
        let handle = try ReactorHandle.start(index: 3) { _ in }
        let index = await withCheckedContinuation { continuation in
            handle.post { continuation.resume(returning: ($0.index, handle.isCurrent)) }
        }
        #expect(index == (3, true))
        #expect(!handle.isCurrent)
        handle.stop()
    }

    @Test func tasksChildTasksAndActorsStayOnTheLoop() async throws {
        actor Counter {
            var seen: [Bool] = []
            func note(_ handle: ReactorHandle) { seen.append(handle.isCurrent) }
        }
        let handle = try ReactorHandle.start(index: 0) { _ in }
        let seen: [Bool] = await withCheckedContinuation { continuation in
            handle.spawn {
                let counter = Counter()
                var here = [handle.isCurrent]
                await counter.note(handle)
                here.append(handle.isCurrent)
                async let child = handle.isCurrent
                here.append(await child)
                await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<3 { group.addTask { handle.isCurrent } }
                    for await value in group { here.append(value) }
                }
                await handle.sleep(.milliseconds(12))
                here.append(handle.isCurrent)
                here += await counter.seen
                continuation.resume(returning: here)
            }
        }
        #expect(seen.count == 8)
        #expect(seen.allSatisfy { $0 })
        handle.stop()
    }

    @Test func timersFireInOrderAndNeverEarly() async throws {
        let order = Mutex<[Int]>([])
        let early = Mutex(0)
        try await onReactor { reactor, done in
            let start = reactor.now
            for delay in [70, 20, 45] {
                reactor.schedule(at: start + .milliseconds(Int64(delay))) { reactor in
                    order.withLock { $0.append(delay) }
                    if reactor.now < start + .milliseconds(Int64(delay)) { early.withLock { $0 += 1 } }
                    if delay == 70 { done() }
                }
            }
        }
        #expect(order.withLock { $0 } == [20, 45, 70])
        #expect(early.withLock { $0 } == 0)
    }

    @Test func aCancelledActionNeverRuns() async throws {
        let ran = Mutex(false)
        try await onReactor { reactor, done in
            let action = reactor.schedule(at: reactor.now + .milliseconds(10)) { _ in ran.withLock { $0 = true } }
            reactor.cancel(action)
            reactor.schedule(at: reactor.now + .milliseconds(60)) { _ in done() }
        }
        #expect(!ran.withLock { $0 })
    }

    @Test func manyTimersThatAreDueAtOnceKeepTheLoopFromNobody() async throws {
        let before = Mutex<Int?>(nil)
        let fired = Tally()
        let count = 100
        try await onReactor { reactor, done in
            let due = reactor.now + .milliseconds(20)
            for _ in 0..<count {
                reactor.schedule(at: due) { reactor in
                    // What it takes to close a connection of which much has not been read.
                    let end = Clock.monotonic() + .milliseconds(1)
                    while Clock.monotonic() < end {}
                    fired.add()
                    if fired.value == 1 {
                        reactor.handle.post { _ in before.withLock { $0 = fired.value } }
                    }
                    if fired.value == count { done() }
                }
            }
        }
        #expect(fired.value == count, "all of them fire")
        let told = try #require(before.withLock { $0 })
        #expect(told < count / 2, "others had to wait for \(told) of \(count) timers")
    }

    @Test func tenThousandPostsFromFourThreadsAllArrive() async throws {
        let handle = try ReactorHandle.start(index: 0) { _ in }
        let count = Tally()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<2_500 { handle.post { _ in count.add() } } }
            }
        }
        await withCheckedContinuation { continuation in handle.post { _ in continuation.resume() } }
        #expect(count.value == 10_000)
        handle.stop()
    }
}

/// Sends back what it receives.
final class Echo: SocketStream {
    private let buffer = IOBuffer(capacity: 65_536)
    let ended: (Echo) -> Void

    init(fd: Int32, reactor: Reactor, tls: TLSSession? = nil, ended: @escaping (Echo) -> Void = { _ in }) throws {
        self.ended = ended
        try super.init(fd: fd, reactor: reactor, tls: tls)
    }

    override func ready(_ events: ReadyEvents) {
        note(events)
        while true {
            if !buffer.isEmpty, isWritable, send(buffer) == .failed { return end() }
            guard buffer.isEmpty, isReadable else { return }
            switch receive(into: buffer) {
            case .bytes: continue
            case .nothing: return
            case .end, .failed: return end()
            }
        }
    }

    private func end() {
        ended(self)
        closeStream()
    }
}

/// Sends bytes and collects what comes back.
final class Caller: SocketStream {
    private let out: IOBuffer
    private let back = IOBuffer(capacity: 65_536)
    private let expected: Int
    private let done: ([UInt8]?) -> Void
    private var isDone = false

    init(fd: Int32, reactor: Reactor, tls: TLSSession?, message: [UInt8], done: @escaping ([UInt8]?) -> Void) throws {
        out = IOBuffer(capacity: max(1, message.count))
        out.append(copying: message.span)
        expected = message.count
        self.done = done
        try super.init(fd: fd, reactor: reactor, tls: tls)
        setDeadline(reactor.now + .seconds(10))
    }

    override func timedOut() { finish(nil) }

    override func ready(_ events: ReadyEvents) {
        note(events)
        if !out.isEmpty, isWritable, send(out) == .failed { return finish(nil) }
        while isReadable {
            if back.freeAtEnd == 0 { back.makeRoom(65_536) }
            switch receive(into: back) {
            case .bytes:
                if back.count >= expected {
                    let buffer = back
                    let bytes = buffer.readable.array
                    return finish(bytes)
                }
            case .nothing:
                if !out.isEmpty, isWritable, send(out) == .failed { return finish(nil) }
                return
            case .end, .failed: return finish(nil)
            }
        }
    }

    private func finish(_ bytes: [UInt8]?) {
        guard !isDone else { return }
        isDone = true
        done(bytes)
        closeStream()
    }
}

@Suite(.timeLimit(.minutes(1)))
struct SocketTests {
    static func loopback(_ port: UInt16 = 0) throws -> SocketAddress {
        try SocketAddress.resolve(host: "127.0.0.1", port: port)[0]
    }

    @Test func aListenerOnPortZeroSaysWhichPortItGot() async throws {
        let port = Mutex<UInt16>(0)
        try await onReactor { reactor, done in
            let listener = try? Listener(Self.loopback(), reactor: reactor) { fd, _ in Descriptor.discard(fd) }
            port.withLock { $0 = listener?.address.port ?? 0 }
            listener?.close()
            done()
        }
        #expect(port.withLock { $0 } > 0)
    }

    @Test func theKernelHoldsLittleForAClientThatDoesNotRead() async throws {
        let taken = Mutex(0)
        let client = Mutex<Int32>(-1)
        try await onReactor { reactor, done in
            let handle = reactor.handle
            let listener = try? Listener(Self.loopback(), reactor: reactor) { fd, _ in
                // As much as it takes, in pieces with a pause between them, so that the kernel could make more room.
                let piece = [UInt8](repeating: 120, count: 65_536)
                handle.spawn {
                    var pauses = 0
                    while pauses < 20 {
                        let n = piece.withUnsafeBytes { SocketCalls.send(fd, $0) }
                        if n > 0 {
                            taken.withLock { $0 += n }
                        } else {
                            pauses += 1
                            await handle.sleep(.milliseconds(5))
                        }
                    }
                    SocketCalls.close(fd)
                    done()
                }
            }
            guard let listener else { return done() }
            reactor.setLocal(listener)
            if let fd = try? SocketCalls.connect(listener.address) { client.withLock { $0 = fd } }
        }
        SocketCalls.close(client.withLock { $0 })
        let bytes = taken.withLock { $0 }
        #expect(bytes > 0)
        // The client's own buffer, what was sent on its way, and `unsentBytesMax`.
        #expect(bytes < 1_500_000, "\(bytes) bytes in the kernel for one client")
    }

    @Test func aPortThatSomebodyListensOnIsNotFree() async throws {
        let verdicts = Mutex<(taken: Bool, free: Bool)>((true, false))
        try await onReactor { reactor, done in
            // A freed port may be another test's the moment after: one of several is enough.
            for _ in 0..<20 {
                guard
                    let listener = try? Listener(
                        Self.loopback(), reactor: reactor, accepted: { fd, _ in Descriptor.discard(fd) })
                else { continue }
                let address = listener.address
                let taken = (try? Listener.expectFree(address)) == nil
                listener.close()
                let free = (try? Listener.expectFree(address)) != nil
                verdicts.withLock { $0 = ($0.taken && taken, $0.free || free) }
            }
            done()
        }
        #expect(verdicts.withLock { $0 } == (true, true))
    }

    @Test(arguments: [1, 100, 70_000, 3_000_000])
    func whatIsSentComesBackWhole(size: Int) async throws {
        let same = Mutex(false)
        let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await onReactor { reactor, done in
            guard
                let listener = try? Listener(
                    Self.loopback(), reactor: reactor, accepted: { fd, _ in _ = try? Echo(fd: fd, reactor: reactor) }),
                let fd = try? SocketStream.beginConnect(listener.address)
            else { return done() }
            _ = try? Caller(fd: fd, reactor: reactor, tls: nil, message: message) { back in
                same.withLock { $0 = back == message }
                listener.close()
                done()
            }
        }
        #expect(same.withLock { $0 })
    }

    @Test func aRefusedConnectionIsToldByItsError() async throws {
        final class Probe: SocketStream {
            var result: (Int32?) -> Void = { _ in }
            override func ready(_ events: ReadyEvents) {
                result(connectError)
                closeStream()
            }
        }
        let code = Mutex<Int32?>(0)
        try await onReactor { reactor, done in
            guard let listener = try? Listener(Self.loopback(), reactor: reactor, accepted: { _, _ in }) else {
                return done()
            }
            let address = listener.address
            listener.close()
            guard let fd = try? SocketStream.beginConnect(address), let probe = try? Probe(fd: fd, reactor: reactor)
            else {
                code.withLock { $0 = ECONNREFUSED }
                return done()
            }
            probe.result = { error in
                code.withLock { $0 = error }
                done()
            }
        }
        #expect(code.withLock { $0 } == ECONNREFUSED)
    }

    @Test func aDeadlineThatMovesLaterFiresOnceAndNotEarly() async throws {
        final class Sleeper: Descriptor {
            var fired: [MonotonicInstant] = []
            override func timedOut() { fired.append(reactor.now) }
        }
        let early = Mutex<(Int, Bool)>((0, true))
        try await onReactor { reactor, done in
            guard let sleeper = try? Sleeper(fd: eventfd(0, 0), reactor: reactor) else { return done() }
            let start = reactor.now
            sleeper.setDeadline(start + .milliseconds(20))
            sleeper.setDeadline(start + .milliseconds(80))
            reactor.schedule(at: start + .milliseconds(200)) { _ in
                early.withLock { $0 = (sleeper.fired.count, sleeper.fired.contains { $0 < start + .milliseconds(80) }) }
                sleeper.closeDescriptor()
                done()
            }
        }
        #expect(early.withLock { $0 } == (1, false))
    }

    @Test func anEventOfAClosedDescriptorFindsNobody() async throws {
        final class Victim: SocketStream {
            var other: Victim?
            var wasCalled = false
            override func ready(_ events: ReadyEvents) {
                wasCalled = true
                other?.closeStream()
                other?.other = nil
            }
        }
        let calls = Mutex(0)
        try await onReactor { reactor, done in
            // Both become ready in one batch; whoever is first closes the other, which must then not be called.
            var pairs: [Int32] = [0, 0]
            var more: [Int32] = [0, 0]
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pairs) == 0,
                socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &more) == 0,
                let one = try? Victim(fd: pairs[0], reactor: reactor),
                let two = try? Victim(fd: more[0], reactor: reactor)
            else { return done() }
            one.other = two
            two.other = one
            _ = write(pairs[1], "x", 1)
            _ = write(more[1], "x", 1)
            reactor.schedule(at: reactor.now + .milliseconds(50)) { _ in
                calls.withLock { $0 = (one.wasCalled ? 1 : 0) + (two.wasCalled ? 1 : 0) }
                one.other = nil
                two.other = nil
                done()
            }
        }
        #expect(calls.withLock { $0 } == 1)
    }
}
