import Bytes
import Foundation
import HTTP
import Seeded
import Simulation
import Testing

/// The codecs under a stream that is cut anywhere: what they make of it must not depend on where.
@Suite struct CodecSimulationTests {
    /// Reads messages one after the other from bytes that come in pieces, and writes down all that it learns.
    private struct Listener {
        private let isRequest: Bool
        private let buffer = IOBuffer(capacity: 64)
        private let head = MessageHead()
        private var requests = RequestHeadReader(limits: limits)
        private var responses = ResponseHeadReader(limits: limits)
        private var body: BodyReader?
        private var inBody = 0
        var log: [String] = []
        var steps = 0
        private var isOver = false

        static let limits = HTTPLimits(
            headBytesMax: 2_000, fieldCountMax: 30, trailerBytesMax: 200, bodyBytesMax: 20_000)

        init(isRequest: Bool) { self.isRequest = isRequest }

        mutating func feed(_ piece: ArraySlice<UInt8>) {
            if isOver { return }
            let bytes = Array(piece)
            buffer.append(copying: bytes.span)
            do throws(HTTPError) {
                while try step() {}
            } catch {
                log.append("refused \(error)")
                isOver = true
            }
        }

        private mutating func step() throws(HTTPError) -> Bool {
            if body != nil { return try stepBody() }
            let (buffer, head) = (buffer, head)
            if buffer.isEmpty { return false }
            steps += 1
            let complete =
                if isRequest {
                    try requests.read(buffer.readable, into: head) == .complete
                } else {
                    try responses.read(
                        buffer.readable, requestMethod: .get, upgradeRequested: false, into: head) == .complete
                }
            guard complete else { return false }
            let bytes = buffer.readable
            log.append(bytes.extracting(0..<head.headBytes).text + "\(head.framing) \(head.keepAlive)")
            body = BodyReader(framing: head.framing, limits: Self.limits)
            buffer.consume(head.headBytes)
            requests = RequestHeadReader(limits: Self.limits)
            responses = ResponseHeadReader(limits: Self.limits)
            log.append("")
            inBody = log.count - 1
            return true
        }

        private mutating func stepBody() throws(HTTPError) -> Bool {
            guard var reader = body else { return false }
            steps += 1
            let buffer = buffer
            let step = try reader.read(buffer.readable)
            body = reader
            switch step {
            case .needMore(let consumed):
                buffer.consume(consumed)
                return consumed > 0
            case .data(let range, let consumed):
                log[inBody] += buffer.readable.extracting(range).text
                buffer.consume(consumed)
            case .end(let consumed):
                buffer.consume(consumed)
                body = nil
                log.append("end")
            }
            return true
        }
    }

    private static func stream(_ isRequest: Bool, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in 0..<(1 + random.below(6)) {
            let script = Script(number, &random)
            if isRequest {
                bytes += script.request(
                    chunked: random.oneIn(2), expects: random.oneIn(5), closes: random.oneIn(9), &random)
            } else if random.oneIn(2) {
                bytes += Array("HTTP/1.1 200 OK\r\nContent-Length: \(script.size)\r\n\r\n".utf8)
                bytes += Script.pattern(number, script.size)
            } else {
                bytes += Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
                bytes += Script.chunks(Script.pattern(number, script.size), &random)
            }
        }
        // Half of the streams carry a fault or two.
        if random.oneIn(2) {
            for _ in 0..<(1 + random.below(3)) {
                let at = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: at)
                case 2: bytes.insert([10, 13, 32, 0, 58, 44].randomElement(using: &random) ?? 0, at: at)
                default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 20)], at: at)
                }
            }
        }
        return bytes
    }

    @Test(arguments: [true, false])
    func whereAStreamIsCutChangesNothingOfWhatIsRead(ofRequests isRequest: Bool) {
        let given = ProcessInfo.processInfo.environment["SIMULATION_SEED"].flatMap { UInt64($0) }
        var steps = 0
        var streams = 0
        var seed: UInt64 = given ?? (isRequest ? 1_000_000 : 2_000_000)
        while steps < 250_000 {
            var random = SeededGenerator(seed: seed)
            let bytes = Self.stream(isRequest, &random)
            var whole = Listener(isRequest: isRequest)
            whole.feed(bytes[...])
            var cut = Listener(isRequest: isRequest)
            var at = 0
            let single = random.oneIn(3)
            while at < bytes.count {
                let n = min(bytes.count - at, single ? 1 : 1 + random.below(random.oneIn(2) ? 4 : 300))
                cut.feed(bytes[at..<at + n])
                at += n
            }
            steps += whole.steps + cut.steps
            streams += 1
            guard whole.log == cut.log else {
                Issue.record("SIMULATION_SEED=\(seed): read whole \(whole.log), in pieces \(cut.log)")
                return
            }
            if given != nil { return }
            seed += 1
        }
        print("simulated \(steps) steps of the \(isRequest ? "request" : "response") codec in \(streams) streams")
    }
}
