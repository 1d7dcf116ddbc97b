import Bytes

// The fast lane of `HeadScanner`: lines of the plainest kind, read through one pointer whose bounds are checked once. It
// never refuses anything: a line that is not obviously right is left to the scanner, which judges it byte by byte.

extension MessageHead {
    /// Reads field lines from `from` on, as long as they are complete, of the usual form and with known names, and adds them.
    ///
    /// - Parameter lineMax: longest line, in bytes without its CRLF.
    /// - Parameter end: no line may reach beyond this offset.
    /// - Returns: where the first line that was not read begins.
    @inline(__always)
    func addPlainLines(_ bytes: Span<UInt8>, from: Int, lineMax: Int, end: Int, countMax: Int) -> Int {
        precondition(from >= 0 && from <= bytes.count)
        return bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return from }
            return addPlainLines(
                UnsafeRawPointer(start), from: from, count: min(buffer.count, end), lineMax: lineMax,
                countMax: min(countMax, capacity))
        }
    }

    /// The caller has checked that `from` to `count` lies in memory behind `base`, and `countMax` against `capacity`.
    @inline(__always)
    private func addPlainLines(
        _ base: UnsafeRawPointer, from: Int, count: Int, lineMax: Int, countMax: Int
    ) -> Int {
        var at = from
        var index = state.pointee.count
        var present = state.pointee.present
        var repeated = state.pointee.repeated
        // The shortest line with its CRLF is `a:`; 26 bytes leave room for the three words of a name and its value's start.
        while at &+ 26 <= count, index < countMax {
            let (name, length) = FieldName.scan(
                UnsafeScan.word(base, at), UnsafeScan.word(base, at &+ 8), UnsafeScan.word(base, at &+ 16))
            if name == .other { break }
            // One space, as everybody writes it, then the value; or no value.
            var valueStart = at &+ length &+ 1
            if UnsafeScan.byte(base, valueStart) == 0x20 { valueStart &+= 1 }
            let valueEnd = UnsafeScan.firstControl(base, valueStart, count)
            // CR LF within the bytes, no other white space around the value, and not too long.
            if valueEnd &+ 2 > count || UnsafeScan.half(base, valueEnd) != 0x0a0d || valueEnd &- at > lineMax { break }
            let first = UnsafeScan.byte(base, valueStart)
            let last = UnsafeScan.byte(base, valueEnd &- 1)
            if first == 0x20 || first == 0x09 || last == 0x09 || (last == 0x20 && valueEnd > valueStart) { break }
            let bit = name.bit
            lines[index] = FieldLine(
                name: name, isHopByHop: FieldName.hopByHop & bit != 0, nameStart: UInt32(truncatingIfNeeded: at),
                nameEnd: UInt32(truncatingIfNeeded: at &+ length), valueStart: UInt32(truncatingIfNeeded: valueStart),
                valueEnd: UInt32(truncatingIfNeeded: valueEnd))
            if present & bit == 0 {
                present |= bit
                firsts[Int(name.rawValue)] = UInt16(truncatingIfNeeded: index)
            } else {
                repeated |= bit
            }
            index &+= 1
            at = valueEnd &+ 2
        }
        state.pointee.count = index
        state.pointee.present = present
        state.pointee.repeated = repeated
        return at
    }
}
