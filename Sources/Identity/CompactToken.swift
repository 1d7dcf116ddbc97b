import Bytes

/// Where the three parts of a JWS in compact serialisation are, as offsets into its bytes. (RFC 7515 §7.1)
struct CompactToken {
    let header: Range<Int>
    let payload: Range<Int>
    let signature: Range<Int>

    /// What is signed: the first two parts with the dot between them.
    var signed: Range<Int> { 0..<payload.upperBound }

    /// Finds exactly three parts that are not empty. Two (an unsigned token without its last dot), five (an encrypted
    /// token) and an empty signature (`alg: none`) are refused here already.
    init(_ token: Span<UInt8>) throws(TokenError) {
        let dot = UInt8(ascii: ".")
        guard let first = token.firstIndex(of: dot), let second = token.firstIndex(of: dot, from: first + 1),
            token.firstIndex(of: dot, from: second + 1) == nil,
            first > 0, second > first + 1, second + 1 < token.count
        else { throw .malformed }
        header = 0..<first
        payload = first + 1..<second
        signature = second + 1..<token.count
    }
}
