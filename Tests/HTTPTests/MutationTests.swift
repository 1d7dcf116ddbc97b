import Bytes
import Seeded
import Testing

@testable import HTTP

/// Seeded mutations of good and bad messages. A failure prints its seed and its bytes.
@Suite struct MutationTests {
    private static let heads: [[UInt8]] = [
        "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /x/y HTTP/1.1\r\nHost: h:80\r\nContent-Length: 12\r\nContent-Type: application/json\r\n\r\n",
        "PUT /x HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
        "GET http://h/p HTTP/1.0\r\nHost: h\r\nConnection: keep-alive, x-y\r\nX-Y: \t z \r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost:h\r\nAuthorization: Bearer a.b.c\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ].map { Array($0.utf8) }
    private static let bodies: [[UInt8]] = [
        "5\r\nhello\r\n0\r\n\r\n", "a\r\n0123456789\r\n3\r\nxyz\r\n0\r\nX-Sum: 9\r\nY: z\r\n\r\nGET / HTTP/1.1\r\n",
        "1\r\na\r\n01\r\nb\r\n1\r\nc\r\n000\r\n\r\n",
    ].map { Array($0.utf8) }
    private static let pieces: [[UInt8]] = [
        "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", ",", ";", "\0", "\u{7f}", "0", "5", "-", "_", "%", "#", "?",
        "//",
        "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Host: h\r\n", "chunked", "HTTP/1.1", "\r\n ",
        "Connection: close\r\n", "\u{e9}", "A", "z", "ffffffffffffffff", "7FFFFFFF",
    ].map { Array($0.utf8) }

    private func mutate(_ seed: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, at + Int.random(in: 1...6, using: &random))
            let piece = Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
            switch UInt8.random(in: 0..<7, using: &random) {
            case 0: bytes.insert(contentsOf: piece, at: at)
            case 1: bytes.removeSubrange(at..<end)
            case 2: bytes.replaceSubrange(at..<end, with: piece)
            case 3 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 4 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 5: bytes.insert(contentsOf: bytes[at..<end], at: at)
            default: bytes.removeLast(min(bytes.count, Int.random(in: 0...3, using: &random)))
            }
        }
        return bytes
    }

    /// Whatever the bytes, the reader agrees with the plain one on lines, and with itself wherever they are cut.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func mutatedHeadIsReadAsTheGrammarSays(_ part: UInt64) {
        var accepted = 0
        for seed in part * 3_000..<(part + 1) * 3_000 {
            var random = SeededGenerator(seed: seed)
            let bytes = mutate(Self.heads[Int(seed % UInt64(Self.heads.count))], &random)
            let outcome = readRequest(bytes)
            let reference = ReferenceParser.parse(bytes)
            switch outcome {
            case .head(let head):
                accepted += 1
                let fields = head.fields.map {
                    $0.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().prefix(2)
                        .joined(separator: "=")
                }
                #expect(reference?.length == head.headBytes, "seed \(seed) \(bytes.span.text)")
                #expect(reference?.method == head.line[0] && reference?.target == head.line[1], "seed \(seed)")
                #expect(reference?.fields == fields, "seed \(seed) \(bytes.span.text)")
            case .needMore:
                #expect(reference == nil, "seed \(seed) \(bytes.span.text)")
            case .refused(let error):
                // Lines that are well-formed are refused for what they mean only.
                if reference != nil {
                    #expect(Self.aboutMeaning.contains(error), "seed \(seed) \(error) \(bytes.span.text)")
                }
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let again = readRequest(bytes, cuts: [cut])
            // What is refused before a line ends may have to wait for its end when it comes in pieces.
            if outcome != again {
                let ended = readRequest(bytes + [13, 10, 13, 10], cuts: [cut, bytes.count])
                #expect(again == .needMore && ended == outcome, "seed \(seed) cut \(cut) \(bytes.span.text)")
            }
        }
        #expect(accepted > 200)
    }

    private static let aboutMeaning: Set<HTTPError> = [
        .methodTooLong, .targetFormInvalid, .fieldNameAmbiguous, .connectionOptionForbidden, .fieldRepeated,
        .hostMissing,
        .hostRepeated, .hostInvalid, .hostDisagrees, .contentLengthRepeated, .contentLengthInvalid,
        .lengthAndTransferEncoding, .transferEncodingRepeated, .transferEncodingObfuscated,
        .transferEncodingUnsupported, .transferEncodingInOldVersion, .expectationUnknown, .bodyTooLarge,
    ]

    /// Whatever the bytes, a chunked body is the same wherever it is cut, and never reads beyond what it was given.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func mutatedBodyIsTheSameWhereverItIsCut(_ part: UInt64) {
        var complete = 0
        for seed in part * 4_000..<(part + 1) * 4_000 {
            var random = SeededGenerator(seed: seed)
            let bytes = mutate(Self.bodies[Int(seed % UInt64(Self.bodies.count))], &random)
            let whole = readBody(bytes, .chunked)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let again = readBody(bytes, .chunked, cuts: [cut])
            #expect(again.error == whole.error, "seed \(seed) cut \(cut) \(bytes.span.text)")
            #expect(again.isComplete == whole.isComplete && again.payload == whole.payload, "seed \(seed) cut \(cut)")
            #expect(again.trailers == whole.trailers, "seed \(seed) cut \(cut)")
            if whole.isComplete { complete += 1 }
        }
        #expect(complete > 200)
    }

    /// Noise, most of it of bytes that matter to the grammar.
    @Test func noiseIsNeverAcceptedAndNeverHurts() {
        var random = SeededGenerator(seed: 42)
        for _ in 0..<5_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...24, using: &random) {
                bytes += Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
            }
            if case .head = readRequest(bytes) { Issue.record("accepted \(bytes.span.text)") }
            _ = readBody(bytes, .chunked, eof: true)
        }
    }

    @Test func mutatedResponseIsTheSameWhereverItIsCut() {
        let seeds = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\n",
            "HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        ].map { Array($0.utf8) }
        for seed in 0..<4_000 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let bytes = mutate(seeds[Int(seed % 2)], &random)
            let text = String(decoding: bytes, as: UTF8.self)
            guard Array(text.utf8) == bytes else { continue }
            let whole = readResponse(text)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let again = readResponse(text, cuts: [cut])
            if whole != again {
                let ended = readResponse(text + "\r\n\r\n", cuts: [cut, bytes.count])
                #expect(again == .needMore && ended == whole, "seed \(seed) cut \(cut) \(text)")
            }
        }
    }
}
