import Bytes

extension JSONValue {
    /// Appends the value as compact text, members in their order, numbers as they were written.
    @_specialize(where S == [UInt8])
    @_specialize(where S == IOBuffer)
    package func append<S: ByteSink>(to sink: inout S) {
        switch self {
        case .null: sink.append("null")
        case .bool(let value): JSONText.append(value, to: &sink)
        case .number(let number): sink.append(copying: number.text.utf8.span)
        case .string(let text): JSONText.appendString(text, to: &sink)
        case .array(let elements):
            sink.append(UInt8(ascii: "["))
            for i in elements.indices {
                if i > 0 { sink.append(UInt8(ascii: ",")) }
                elements[i].append(to: &sink)
            }
            sink.append(UInt8(ascii: "]"))
        case .object(let object):
            sink.append(UInt8(ascii: "{"))
            for i in object.members.indices {
                if i > 0 { sink.append(UInt8(ascii: ",")) }
                JSONText.appendString(object.members[i].key, to: &sink)
                sink.append(UInt8(ascii: ":"))
                object.members[i].value.append(to: &sink)
            }
            sink.append(UInt8(ascii: "}"))
        }
    }

    /// The value as compact text.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        append(to: &out)
        return out
    }

    /// The value as compact text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// One text for all texts of the same meaning, for digests of bodies: compact, members sorted by the UTF-8 bytes
    /// of their names, numbers as `JSONNumber.canonicalText`, strings with the fewest escapes and no Unicode
    /// normalisation.
    ///
    /// This is not RFC 8785, which rounds numbers through `Double`.
    package var canonicalBytes: [UInt8] {
        var out: [UInt8] = []
        appendCanonical(to: &out)
        return out
    }

    private func appendCanonical(to out: inout [UInt8]) {
        switch self {
        case .null, .bool, .string: append(to: &out)
        case .number(let number): out.append(text: number.canonicalText)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            for i in elements.indices {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                elements[i].appendCanonical(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let object):
            out.append(UInt8(ascii: "{"))
            let sorted = object.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for i in sorted.indices {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                JSONText.appendString(sorted[i].key, to: &out)
                out.append(UInt8(ascii: ":"))
                sorted[i].value.appendCanonical(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONValue: CustomStringConvertible {
    package var description: String { text }
}
