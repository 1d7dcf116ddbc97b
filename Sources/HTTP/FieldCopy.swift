import Bytes

extension MessageHead {
    /// Appends the fields that are passed on: all but the hop-by-hop ones and those whose names are in `except`.
    ///
    /// Neighbours that came as everybody writes them, `name: value CRLF`, are copied as one stretch: 15 appended fields
    /// become two or three copies. Others are written anew.
    ///
    /// - Parameter bytes: what the head was read from.
    /// - Parameter except: a sum of `FieldName.bit`; unknown names are never in it.
    package func appendFields(of bytes: Span<UInt8>, except: UInt64, to out: IOBuffer) {
        let except = except & ~FieldName.other.bit
        var start = 0
        var end = 0
        for i in 0..<count {
            let field = self[i]
            if field.isHopByHop || except & field.name.bit != 0 { continue }
            let lineEnd = Self.plainEnd(of: field, bytes)
            if lineEnd > 0, Int(field.nameStart) == end {
                end = lineEnd
                continue
            }
            out.append(copying: bytes.extracting(start..<end))
            start = lineEnd > 0 ? Int(field.nameStart) : 0
            end = lineEnd
            if lineEnd > 0 { continue }
            out.append(copying: bytes.extracting(field.nameRange))
            out.append(": ")
            out.append(copying: bytes.extracting(field.valueRange))
            out.append("\r\n")
        }
        out.append(copying: bytes.extracting(start..<end))
    }

    /// Where a line of the plain form ends behind its CRLF; 0 when it has another form.
    @inline(__always)
    private static func plainEnd(of field: FieldLine, _ bytes: Span<UInt8>) -> Int {
        let colon = Int(field.nameEnd)
        let end = Int(field.valueEnd)
        guard Int(field.valueStart) == colon &+ 2, end &+ 1 < bytes.count, bytes[colon] == UInt8(ascii: ":"),
            bytes[colon &+ 1] == 0x20, bytes[end] == 0x0d, bytes[end &+ 1] == 0x0a
        else { return 0 }
        return end &+ 2
    }
}
