/// Where one field line stands in the bytes of its head.
///
/// Offsets count from the first byte of the message that was handed to the reader, so they stay right when the buffer
/// grows, and are valid as long as those bytes are not consumed.
public struct FieldLine: Sendable {
    public var name: FieldName
    /// Whether the field is meant for the next recipient only and must not be passed on. (RFC 9110 §7.6.1)
    public var isHopByHop: Bool
    public var nameStart: UInt32
    public var nameEnd: UInt32
    /// The value without the white space around it. (RFC 9110 §5.5)
    public var valueStart: UInt32
    public var valueEnd: UInt32

    @inlinable
    public init(
        name: FieldName, isHopByHop: Bool = false, nameStart: UInt32, nameEnd: UInt32, valueStart: UInt32,
        valueEnd: UInt32
    ) {
        self.name = name
        self.isHopByHop = isHopByHop
        self.nameStart = nameStart
        self.nameEnd = nameEnd
        self.valueStart = valueStart
        self.valueEnd = valueEnd
    }

    @inlinable public var nameRange: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    @inlinable public var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }
}
