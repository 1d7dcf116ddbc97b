import HTTP
import Wire

/// RFC 7541: header blocks that cannot be decoded end the connection, because what follows could not be either.
/// (RFC 9113 §4.3)
enum CompressionCases {
    private static let whole = Frames.endStream | Frames.endHeaders
    private static func block(_ bytes: [UInt8]) -> [UInt8] {
        Frames.frame(.headers, flags: whole, stream: 1, bytes)
    }
    private static let request = Frames.block(Frames.request())
    private static let bad = Case.Expectation.connection(.compressionError)

    static let all: [Case] = [
        Case("7541 §2.3.3", "an index beyond both tables", bad, block([0xff, 0x00])),
        Case("7541 §6.1", "the index 0", bad, block([0x80])),
        Case("7541 §6.2.1", "a name's index beyond both tables", bad, block(request + [0x7f, 0x10, 1, 120])),
        Case("7541 §4.2", "a table larger than the setting", bad, block([0x3f, 0xe2, 0x1f] + request)),
        Case("7541 §4.2", "a smaller table", .answered(1), block([0x20] + request)),
        Case("7541 §4.2", "a change of the table behind a field", bad, block(request + [0x20])),
        Case(
            "7541 §5.1", "an integer that does not end", bad,
            block([0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01])),
        Case("7541 §5.2", "a string longer than the block", bad, block([0x00, 0x7f, 0x00, 120])),
        Case("7541 §5.2", "a block that ends within a field", bad, block([0x00, 1, 120])),
        Case(
            "7541 §5.2", "Huffman: EOS within a string", bad,
            block(request + [0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x84, 0xff, 0xff, 0xff, 0xff])),
        Case(
            "7541 §5.2", "Huffman: padding of more than seven bits", bad,
            block(request + [0x00, 0x01, 120, 0x84, 0xf2, 0xb2, 0x4a, 0xff, 0xff])),
        Case("7541 §5.2", "Huffman: padding of zeros", bad, block(request + [0x00, 0x01, 120, 0x81, 0x1c << 3])),
        Case(
            "7541 §C.4.1", "Huffman-coded fields and indices", .answered(1),
            block([
                0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
            ])),
        Case(
            "7541 §6.2.1", "a field of the dynamic table is found again", .answered(3),
            block([0x82, 0x86, 0x84, 0x41] + Frames.string("plant.example")),
            Frames.frame(.headers, flags: whole, stream: 3, [0x82, 0x86, 0x84, 0xbe])),
        Case(
            "7541 §4.4", "a field larger than the table empties it", bad,
            block(request + [0x40] + Frames.string("x") + Frames.string(String(repeating: "y", count: 4_200)) + [0xbe])),
    ]
}
