extension Base64URL {
    /// The bytes, or nil when the text is not canonical base64url.
    public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        let count = text.count / 4 * 3 + max(0, text.count % 4 - 1)
        var isRight = true
        // Room for the last whole word behind its six bytes.
        let out = [UInt8](unsafeUninitializedCapacity: count + 8) { buffer, length in
            var i = 0
            while i + 8 <= text.count {
                guard let bits = sixBytes(text.word(at: i)) else { break }
                UnsafeMutableRawBufferPointer(buffer).storeBytes(
                    of: (bits << 16).bigEndian, toByteOffset: length, as: UInt64.self)
                length += 6
                i += 8
            }
            var bits = 0
            var width = 0
            while i < text.count {
                guard let value = value(text[i]) else {
                    isRight = false
                    return
                }
                bits = bits << 6 | value
                width += 6
                if width >= 8 {
                    width -= 8
                    buffer[length] = UInt8(truncatingIfNeeded: bits >> width)
                    length += 1
                    bits &= (1 << width) - 1
                }
                i += 1
            }
            isRight = bits == 0
        }
        return isRight ? out : nil
    }

    /// The 48 bits of eight letters, the first letter highest; nil when one of them is no letter of the alphabet. All at
    /// once: 40 instructions where a loop takes 120.
    private static func sixBytes(_ letters: UInt64) -> UInt64? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Only ASCII can be compared by adding.
        if letters & (ones &* 0x80) != 0 { return nil }
        // One in each byte from this letter on.
        func from(_ least: UInt64) -> UInt64 { (letters &+ (128 &- least) &* ones) >> 7 & ones }
        let upper = from(65) &- from(91)
        let lower = from(97) &- from(123)
        let digit = from(48) &- from(58)
        let dash = from(45) &- from(46)
        let line = from(95) &- from(96)
        if upper | lower | digit | dash | line != ones { return nil }
        // No byte borrows from its neighbour: what is taken from a letter is never more than it.
        var x = letters &- upper &* 65 &- lower &* 71 &- line &* 32 &+ digit &* 4 &+ dash &* 17
        // Six bits of each byte together, by pairs.
        x = (x & 0x00ff_00ff_00ff_00ff) << 6 | (x >> 8 & 0x00ff_00ff_00ff_00ff)
        x = (x & 0x0000_ffff_0000_ffff) << 12 | (x >> 16 & 0x0000_ffff_0000_ffff)
        return (x & 0xffff_ffff) << 24 | x >> 32
    }

    private static func value(_ letter: UInt8) -> Int? {
        switch letter {
        case 65...90: Int(letter) - 65
        case 97...122: Int(letter) - 71
        case 48...57: Int(letter) + 4
        case 45: 62
        case 95: 63
        default: nil
        }
    }
}
