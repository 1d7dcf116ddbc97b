/// base64url without padding, as in JOSE (RFC 7515 §2, RFC 4648 §5). Strict: no padding, no white space, no line
/// breaks, no trailing bits that are not zero, so that each byte string has exactly one text.
public enum Base64URL {
    @usableFromInline static let alphabet: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    @inlinable
    public static func append<Sink: ByteSink>(_ bytes: Span<UInt8>, to sink: inout Sink) {
        let letters = alphabet.bytes
        var i = 0
        // Six bytes become eight letters and one word.
        while i + 8 <= bytes.count {
            sink.append(word: eightLetters(bytes.word(at: i).byteSwapped >> 16))
            i += 6
        }
        while i + 2 < bytes.count {
            let n = Int(bytes[i]) << 16 | Int(bytes[i + 1]) << 8 | Int(bytes[i + 2])
            sink.append(letters[n >> 18])
            sink.append(letters[n >> 12 & 63])
            sink.append(letters[n >> 6 & 63])
            sink.append(letters[n & 63])
            i += 3
        }
        if i + 1 == bytes.count {
            let n = Int(bytes[i]) << 16
            sink.append(letters[n >> 18])
            sink.append(letters[n >> 12 & 63])
        } else if i + 2 == bytes.count {
            let n = Int(bytes[i]) << 16 | Int(bytes[i + 1]) << 8
            sink.append(letters[n >> 18])
            sink.append(letters[n >> 12 & 63])
            sink.append(letters[n >> 6 & 63])
        }
    }

    /// The letters of 48 bits, the highest first, as a little-endian word, all at once: 40 instructions where a loop takes 100.
    @inlinable
    static func eightLetters(_ bits: UInt64) -> UInt64 {
        // Six bits to a byte: by halves of 24, of 12, of 6.
        var x = bits >> 24 | (bits & 0xff_ffff) << 32
        x = (x >> 12 & 0x0000_0fff_0000_0fff) | (x & 0x0000_0fff_0000_0fff) << 16
        x = (x >> 6 & 0x003f_003f_003f_003f) | (x & 0x003f_003f_003f_003f) << 8
        // One in each byte from this value on. Values are below 64, so that nothing is carried into the next byte.
        func from(_ least: UInt64) -> UInt64 {
            (x &+ (128 &- least) &* 0x0101_0101_0101_0101) >> 7 & 0x0101_0101_0101_0101
        }
        // `A` to `Z`, then `a` is 6 further than the next, `0` 75 less than that would be, `-` 13 less, `_` 49 more.
        let text = x &+ 65 &* 0x0101_0101_0101_0101 &+ from(26) &* 6 &- from(52) &* 75
        return text &- from(62) &* 13 &+ from(63) &* 49
    }

    public static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        append(bytes.span, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    public static func decode(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        return decode(bytes.span)
    }
}

/// Lower-case hexadecimal.
public enum Hex {
    /// The eight digits of `value` as a little-endian word, all at once: 20 instructions where a loop takes 100.
    @inlinable
    public static func digits(_ value: UInt32) -> UInt64 {
        var x = UInt64(value.byteSwapped)
        x = (x | x << 16) & 0x0000_ffff_0000_ffff
        x = (x | x << 8) & 0x00ff_00ff_00ff_00ff
        x = (x >> 4 & 0x000f_000f_000f_000f) | (x & 0x000f_000f_000f_000f) << 8
        // Ten and more become letters: 39 is the way from the character behind `9` to `a`.
        let letters = (x &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return x &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }

    public static func encode(_ bytes: [UInt8]) -> String {
        let letters = Array("0123456789abcdef".utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            out.append(letters[Int(byte >> 4)])
            out.append(letters[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes, or nil for an odd number of digits or anything that is not a hexadecimal digit.
    public static func decode(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var out: [UInt8] = []
        for i in stride(from: 0, to: digits.count, by: 2) {
            guard let high = nibble(digits[i]), let low = nibble(digits[i + 1]) else { return nil }
            out.append(high << 4 | low)
        }
        return out
    }

    private static func nibble(_ c: UInt8) -> UInt8? {
        switch c {
        case 48...57: c - 48
        case 97...102: c - 87
        case 65...70: c - 55
        default: nil
        }
    }
}
