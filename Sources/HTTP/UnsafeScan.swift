import Bytes
import CSystem

// The one inner loop that costs something on every byte of a head. It reads through a pointer, after one check of its
// bounds, because the check per word that `Span` makes was a third of its time.

extension Span where Element == UInt8 {
    /// Offset of the first byte of `from` to `to` that is not a member of `set`, or `to`.
    @inline(__always)
    func firstStranger(to set: ByteClass, from: Int, to: Int) -> Int {
        precondition(from >= 0 && to <= count)
        return withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return from }
            var i = from
            while i < to, set.contains(UnsafeScan.byte(UnsafeRawPointer(start), i)) { i &+= 1 }
            return i
        }
    }

    /// Offset of the first control byte (0x00 to 0x1F without HTAB, and 0x7F) at or after `from`, or `count`.
    ///
    /// Where it is not CR, the field value is illegal. (RFC 9110 §5.5)
    @inline(__always)
    func firstControl(from: Int) -> Int {
        precondition(from >= 0 && from <= count)
        return withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            return UnsafeScan.firstControl(UnsafeRawPointer(start), from, buffer.count)
        }
    }
}

/// Reads through a pointer. For all of these the caller has checked that the bytes are there.
enum UnsafeScan {
    @inline(__always)
    static func byte(_ base: UnsafeRawPointer, _ at: Int) -> UInt8 { (base + at).load(as: UInt8.self) }

    /// Two bytes, little-endian.
    @inline(__always)
    static func half(_ base: UnsafeRawPointer, _ at: Int) -> UInt16 {
        UInt16(littleEndian: (base + at).loadUnaligned(as: UInt16.self))
    }

    /// Eight bytes, little-endian.
    @inline(__always)
    static func word(_ base: UnsafeRawPointer, _ at: Int) -> UInt64 {
        UInt64(littleEndian: (base + at).loadUnaligned(as: UInt64.self))
    }

    /// As `Span.firstControl(from:)`.
    @inline(__always)
    static func firstControl(_ base: UnsafeRawPointer, _ from: Int, _ count: Int) -> Int {
        var i = from
        while i &+ 16 <= count {
            var found = csystem_controls(base + i)
            while found != 0 {
                let at = i &+ found.trailingZeroBitCount
                if byte(base, at) != 0x09 { return at }
                found &= found &- 1
            }
            i &+= 16
        }
        while i < count {
            let byte = byte(base, i)
            if byte < 0x20 && byte != 0x09 || byte == 0x7f { return i }
            i &+= 1
        }
        return count
    }
}
