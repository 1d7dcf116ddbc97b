// Any bytes through the small readers of the ground floor: never a crash, and what is read writes back and reads as
// the same; and a buffer that does what the bytes say agrees with an array.
#if !FUZZ
    import Bytes
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBytes(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    if let decimal = ExactDecimal(text) {
        guard ExactDecimal(decimal.description) == decimal else { fatalError("decimal") }
        _ = decimal * decimal
        _ = decimal + decimal
    }
    if let instant = WallInstant(text) {
        guard
            CivilTime(instant).instant == instant || CivilTime(instant).year < 1_700 || CivilTime(instant).year > 2_200
        else { fatalError("instant") }
    }
    if let decoded = Base64URL.decode(bytes.span) {
        guard Array(Base64URL.encode(decoded).utf8) == bytes else { fatalError("base64url is not canonical") }
    }
    if let decoded = Hex.decode(text) {
        guard Hex.encode(decoded) == text.lowercased() else { fatalError("hexadecimal") }
    }
    if let first = bytes.first {
        let rest = Array(bytes.dropFirst())
        guard rest.span.firstIndex(of: first) == rest.firstIndex(of: first) else { fatalError("search") }
    }
    if let number = bytes.span.decimal {
        guard Int(text) == number else { fatalError("number") }
    }

    let buffer = IOBuffer(capacity: 4)
    var model: [UInt8] = []
    for byte in bytes {
        switch byte & 3 {
        case 0:
            buffer.append(byte)
            model.append(byte)
        case 1:
            let piece = [UInt8](repeating: byte, count: Int(byte >> 2))
            buffer.append(copying: piece.span)
            model += piece
        case 2:
            let n = min(Int(byte >> 2), model.count)
            buffer.consume(n)
            model.removeFirst(n)
        default:
            if model.count < 4_096 {
                buffer.append(copying: buffer.readable)
                model += model
            }
        }
    }
    guard buffer.readable.array == model else { fatalError("buffer") }
    return 0
}
