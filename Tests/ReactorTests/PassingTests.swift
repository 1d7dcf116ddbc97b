import Bytes
import Synchronization
import Testing

@testable import Reactor

/// Bytes that go from socket to socket without being read. (`SocketStream.pass`)
@Suite(.timeLimit(.minutes(1)))
struct PassingTests {
    /// Bytes that repeat only after 64 KiB.
    private static let pattern = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    /// Two connections on a reactor: what `peer` sends comes out of `source`, what `target` is sent comes out of `reader`.
    private struct Plumbing {
        let peer: SocketStream
        let source: SocketStream
        let target: SocketStream
        let reader: SocketStream
        let rest = IOBuffer(capacity: 1_024)

        init(_ reactor: Reactor) throws {
            let (a, b) = try SocketStream.pair()
            let (c, d) = try SocketStream.pair()
            peer = try SocketStream(fd: a, reactor: reactor)
            source = try SocketStream(fd: b, reactor: reactor)
            target = try SocketStream(fd: c, reactor: reactor)
            reader = try SocketStream(fd: d, reactor: reactor)
        }

        /// Sends the pattern from `offset` on, as much of it as the socket takes; returns up to where.
        func feed(from offset: Int, upTo end: Int) -> Int {
            let buffer = IOBuffer(capacity: 4_096)
            buffer.append(copying: PassingTests.pattern.span.extracting(offset..<end))
            _ = peer.send(buffer)
            return end - buffer.count
        }

        func read(_ into: IOBuffer) {
            while true {
                into.makeRoom(65_536)
                guard case .bytes = reader.receive(into: into) else { return }
            }
        }
    }

    /// What `body` says is wrong, with a reactor of its own.
    private func faults(_ body: @escaping @Sendable (Reactor) throws -> [String]) async throws -> [String] {
        let found = Mutex<[String]>(["did not run"])
        try await onReactor { reactor, done in
            do {
                let faults = try body(reactor)
                found.withLock { $0 = faults }
            } catch {
                found.withLock { $0 = ["\(error)"] }
            }
            done()
        }
        return found.withLock { $0 }
    }

    @Test func everyByteArrivesOnceInOrderThoughTheTargetIsOftenFull() async throws {
        let faults = try await faults { reactor in
            let plumbing = try Plumbing(reactor)
            let size = Self.pattern.count
            let got = IOBuffer(capacity: 65_536)
            var fed = 0
            var passed = 0
            var timesFull = 0
            var rounds = 0
            // Most at once: more for a target that takes all it gets, 64 KiB again for one that was full.
            var most = 65_536
            while got.count < size, rounds < 10_000 {
                rounds += 1
                fed = plumbing.feed(from: fed, upTo: min(size, fed + 100_000))
                plumbing.target.isWritable = true
                while plumbing.rest.isEmpty,
                    let moved = plumbing.source.pass(upTo: size - passed, to: plumbing.target, rest: plumbing.rest),
                    case .bytes(let n) = moved.received
                {
                    if n > most { return ["\(n) bytes at once, where \(most) are enough"] }
                    if !plumbing.rest.isEmpty {
                        most = 65_536
                    } else if n == min(most, size - passed) {
                        most = min(262_144, most * 2)
                    }
                    passed += n
                    guard let sent = moved.sent, sent + plumbing.rest.count == n else {
                        return ["\(n) bytes passed, \(moved.sent ?? -1) sent, \(plumbing.rest.count) left over"]
                    }
                }
                // Read only once the target is full.
                if plumbing.rest.isEmpty && passed < size { continue }
                if !plumbing.rest.isEmpty {
                    timesFull += 1
                    if plumbing.target.isWritable { return ["a full target is called writable"] }
                }
                plumbing.read(got)
                _ = plumbing.target.send(plumbing.rest)
            }
            var faults: [String] = []
            if got.readable.array != Self.pattern {
                faults.append("\(got.count) of \(size) bytes, not as they were sent")
            }
            if passed != size { faults.append("\(passed) of \(size) bytes were counted") }
            if timesFull == 0 { faults.append("the target was never full") }
            return faults
        }
        #expect(faults.isEmpty)
    }

    @Test func noMoreThanWasAskedForIsTakenAndTheEndIsTold() async throws {
        let faults = try await faults { reactor in
            let plumbing = try Plumbing(reactor)
            var faults: [String] = []
            func expect(_ wanted: SocketStream.Received, upTo count: Int, _ when: String) {
                let got = plumbing.source.pass(upTo: count, to: plumbing.target, rest: plumbing.rest)?.received
                if got != wanted { faults.append("\(when): \(String(describing: got))") }
            }
            plumbing.source.isReadable = true
            expect(.nothing, upTo: 10, "with nothing there")
            if plumbing.source.isReadable { faults.append("readable with nothing there") }
            _ = plumbing.feed(from: 0, upTo: 100)
            expect(.bytes(60), upTo: 60, "with more there than asked for")
            let left = IOBuffer(capacity: 100)
            if plumbing.source.receive(into: left) != .bytes(40) { faults.append("the rest is not there to be read") }
            plumbing.peer.finishSending()
            expect(.end, upTo: 10, "at the end")
            return faults
        }
        #expect(faults.isEmpty)
    }

    @Test func aBrokenTargetIsToldAndLeavesNothingForTheNext() async throws {
        let faults = try await faults { reactor in
            let first = try Plumbing(reactor)
            var faults: [String] = []
            first.reader.closeStream()
            _ = first.feed(from: 0, upTo: 50_000)
            let moved = first.source.pass(upTo: 50_000, to: first.target, rest: first.rest)
            if case .bytes? = moved?.received, moved?.sent == nil {
            } else {
                faults.append("\(String(describing: moved))")
            }
            let next = try Plumbing(reactor)
            _ = next.feed(from: 7, upTo: 107)
            if next.source.pass(upTo: 1_000, to: next.target, rest: next.rest)?.sent != 100 {
                faults.append("the next hundred bytes were not passed")
            }
            let got = IOBuffer(capacity: 256)
            next.read(got)
            if got.count != 100 || got.readable[0] != Self.pattern[7] {
                faults.append("the next got \(got.count) bytes")
            }
            return faults
        }
        #expect(faults.isEmpty)
    }
}
