/// A lexical element and where it stands.
struct Token {
    enum Kind: Equatable {
        case identifier(String)
        /// A field's name between backticks.
        case quotedSelector(String)
        /// Digits, `0x` and hexadecimal digits; without sign.
        case int(String)
        case uint(String)
        case double(String)
        case string(String)
        case bytes([UInt8])
        /// `+`, `&&`, `(`, …
        case symbol(String)
        case end
    }

    let kind: Kind
    /// Bytes of the source.
    let range: Range<Int>

    /// As messages name it.
    var description: String {
        switch kind {
        case .identifier(let name): "'\(name)'"
        case .quotedSelector(let name): "'`\(name)`'"
        case .int(let text), .double(let text): "'\(text)'"
        case .uint(let text): "'\(text)u'"
        case .string: "a text"
        case .bytes: "bytes"
        case .symbol(let text): "'\(text)'"
        case .end: "the end"
        }
    }
}
