import Seeded
import Simulation

/// What one request asks of the scripted server, and what its client must therefore see. It travels in the path, so that
/// both sides know it from the bytes alone.
struct Script {
    enum Plan: String, CaseIterable {
        /// An answer with a length, with chunks, until the connection ends, after interim answers.
        case length, chunked, untilEnd, interim
        /// A whole answer, and the connection closes behind it without a word.
        case closing
        /// An answer before the request has ended.
        case early
        /// What is no whole answer.
        case torn, tornChunks, garbage, silence, reset
    }

    let id: Int
    let plan: Plan
    let size: Int
    let method: String
    let bodySize: Int

    /// Bytes that say whose they are: an answer that reaches somebody else is seen at once.
    static func pattern(_ id: Int, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var word = UInt32(truncatingIfNeeded: id) &* 2_654_435_761 | 1
        for _ in 0..<count {
            word = word &* 1_664_525 &+ 1_013_904_223
            bytes.append(97 + UInt8(word >> 24) % 26)
        }
        return bytes
    }

    var path: String { "/open/\(id)/\(plan.rawValue)/\(size)/\(method)/\(bodySize)" }

    init(_ id: Int, _ random: inout SeededGenerator) {
        self.id = id
        plan =
            random.oneIn(9)
            ? Plan.allCases[random.below(Plan.allCases.count)] : random.oneIn(2) ? .length : .chunked
        size = random.oneIn(6) ? random.below(9_000) : random.below(200)
        switch random.below(8) {
        case 0: method = "HEAD"
        case 1, 2, 3: method = "POST"
        default: method = "GET"
        }
        bodySize = method == "POST" ? (random.oneIn(6) ? random.below(30_000) : random.below(300)) : 0
    }

    init?(requestLine: String) {
        let parts = requestLine.split(separator: " ")
        guard parts.count == 3, parts[2] == "HTTP/1.1" else { return nil }
        let path = parts[1].split(separator: "/")
        guard path.count == 6, path[0] == "open", let id = Int(path[1]), let plan = Plan(rawValue: String(path[2])),
            let size = Int(path[3]), let bodySize = Int(path[5]), path[4] == parts[0]
        else { return nil }
        self.id = id
        self.plan = plan
        self.size = size
        method = String(path[4])
        self.bodySize = bodySize
    }

    /// The request's bytes; `chunked` puts the body into chunks.
    func request(chunked: Bool, expects: Bool, closes: Bool, _ random: inout SeededGenerator) -> [UInt8] {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: plant\r\n"
        if closes { head += "Connection: close\r\n" }
        guard method == "POST" else { return Array((head + "\r\n").utf8) }
        if expects { head += "Expect: 100-continue\r\n" }
        let body = Self.pattern(id, bodySize)
        if !chunked { return Array((head + "Content-Length: \(bodySize)\r\n\r\n").utf8) + body }
        return Array((head + "Transfer-Encoding: chunked\r\n\r\n").utf8) + Self.chunks(body, &random)
    }

    static func chunks(_ body: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var out: [UInt8] = []
        var at = 0
        while at < body.count {
            let n = min(body.count - at, 1 + random.below(700))
            out += Array("\(String(n, radix: 16))\r\n".utf8) + body[at..<at + n] + [13, 10]
            at += n
        }
        return out + Array("0\r\n\r\n".utf8)
    }
}
