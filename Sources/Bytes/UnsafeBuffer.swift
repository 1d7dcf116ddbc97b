#if canImport(Glibc)
    import Glibc
#endif

// The one file of this room that touches unsafe memory. Everything it hands out is a bounds-checked `Span`.

extension StaticString {
    /// The literal's UTF-8 bytes.
    @inlinable
    public var bytes: Span<UInt8> {
        @_lifetime(immortal)
        get {
            // A StaticString with pointer representation lives as long as the program.
            let span = Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount)
            return _overrideLifetime(span, borrowing: ())
        }
    }
}

extension Array: ByteSink where Element == UInt8 {
    @inlinable
    public mutating func append(copying bytes: Span<UInt8>) {
        // No `reserveCapacity` here: it allocates exactly, and many small appends would then copy quadratically.
        bytes.withUnsafeBufferPointer { append(contentsOf: $0) }
    }
}

/// A flat byte buffer with a readable window: bytes are appended at its end and consumed from its start.
///
/// One is shared by a connection and its driver on one reactor, so it is a class and not Sendable. It is taken from
/// an `IOBufferPool` and given back when the connection is idle.
///
/// A `Span` got from `readable` is good until the next call that appends to, makes room in or gives back this
/// buffer; the compiler doesn't see that, because a class may be changed through any reference.
public final class IOBuffer: ByteSink {
    /// The moving parts. They live behind a pointer that never changes, because Swift checks each access to a stored
    /// property of a class for exclusivity at run time (`swift_beginAccess`), four calls for one appended byte.
    @usableFromInline struct State {
        @usableFromInline var base: UnsafeMutablePointer<UInt8>
        @usableFromInline var capacity: Int
        /// Offset of the first byte that is not consumed.
        @usableFromInline var start: Int
        /// Offset after the last byte.
        @usableFromInline var end: Int
        @usableFromInline init(base: UnsafeMutablePointer<UInt8>, capacity: Int) {
            self.base = base
            self.capacity = capacity
            start = 0
            end = 0
        }
    }

    @usableFromInline let state: UnsafeMutablePointer<State>

    public init(capacity: Int) {
        precondition(capacity > 0)
        state = .allocate(capacity: 1)
        state.initialize(to: State(base: .allocate(capacity: capacity), capacity: capacity))
    }

    deinit {
        state.pointee.base.deallocate()
        state.deallocate()
    }

    /// Bytes of memory behind the buffer.
    @inlinable public final var capacity: Int { state.pointee.capacity }
    /// Number of readable bytes.
    @inlinable public final var count: Int { state.pointee.end &- state.pointee.start }
    @inlinable public final var isEmpty: Bool { state.pointee.start == state.pointee.end }
    /// Bytes that can be appended without growing or moving.
    @inlinable public final var freeAtEnd: Int { state.pointee.capacity &- state.pointee.end }

    /// The readable bytes.
    @inlinable
    public final var readable: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let from = UnsafePointer(state.pointee.base + state.pointee.start)
            let span = Span(_unsafeStart: from, count: state.pointee.end &- state.pointee.start)
            return _overrideLifetime(span, borrowing: self)
        }
    }

    /// Drops `n` readable bytes.
    @inlinable
    public final func consume(_ n: Int) {
        precondition(n >= 0 && n <= count)
        state.pointee.start &+= n
        if isEmpty { clear() }
    }

    /// Drops all bytes.
    @inlinable
    public final func clear() {
        state.pointee.start = 0
        state.pointee.end = 0
    }

    /// Drops bytes from the end, back to `count` readable bytes.
    public final func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        state.pointee.end = state.pointee.start + count
    }

    @inlinable
    public final func append(_ byte: UInt8) {
        if state.pointee.end == state.pointee.capacity { makeRoom(1) }
        state.pointee.base[state.pointee.end] = byte
        state.pointee.end &+= 1
    }

    /// Appends eight bytes, the lowest first.
    @inlinable
    public final func append(word: UInt64) { append(word: word, count: 8) }

    /// Appends the `count` lowest bytes of a word, at most eight, the lowest first.
    @inlinable
    final func append(word: UInt64, count: Int) {
        if freeAtEnd < 8 { makeRoom(8) }
        UnsafeMutableRawPointer(state.pointee.base + state.pointee.end)
            .storeBytes(of: word.littleEndian, as: UInt64.self)
        state.pointee.end &+= min(count, 8)
    }

    /// Appends the UTF-8 bytes of a literal. Its length is known where it stands, so the copy becomes a few moves.
    @inlinable @inline(__always)
    public final func append(_ literal: StaticString) {
        let length = literal.utf8CodeUnitCount
        if freeAtEnd < length { makeRoom(length) }
        memcpy(state.pointee.base + state.pointee.end, literal.utf8Start, length)
        state.pointee.end &+= length
    }

    /// Appends a decimal integer.
    @inlinable
    public final func append(decimal value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(digits: value.magnitude)
    }

    /// Eight digits at a time, packed into a word from the last to the first.
    @usableFromInline
    final func append(digits magnitude: UInt) {
        var rest = magnitude
        var width = 1
        if rest >= 100_000_000 {
            append(digits: rest / 100_000_000)
            rest %= 100_000_000
            width = 8
        }
        var packed = UInt64(rest % 10 &+ 48)
        rest /= 10
        var count = 1
        while rest != 0 || count < width {
            packed = packed << 8 | UInt64(rest % 10 &+ 48)
            rest /= 10
            count &+= 1
        }
        append(word: packed, count: count)
    }

    /// Appends lower-case hexadecimal digits of `value`, 16 of them.
    @inlinable
    public final func append(hex value: UInt64) {
        append(word: Hex.digits(UInt32(truncatingIfNeeded: value >> 32)))
        append(word: Hex.digits(UInt32(truncatingIfNeeded: value)))
    }

    /// Appends `name: value CRLF`.
    @inlinable
    public final func append(field name: Span<UInt8>, _ value: Span<UInt8>) {
        guard freeAtEnd >= name.count &+ value.count &+ 4 else {
            append(copying: name)
            append(": ")
            append(copying: value)
            append("\r\n")
            return
        }
        let start = UnsafeMutableRawPointer(state.pointee.base + state.pointee.end)
        name.withUnsafeBytes { if let from = $0.baseAddress { memcpy(start, from, $0.count) } }
        (start + name.count).storeBytes(of: UInt16(0x203a).littleEndian, as: UInt16.self)
        let middle = start + name.count + 2
        value.withUnsafeBytes { if let from = $0.baseAddress { memcpy(middle, from, $0.count) } }
        (middle + value.count).storeBytes(of: UInt16(0x0a0d).littleEndian, as: UInt16.self)
        state.pointee.end &+= name.count &+ value.count &+ 4
    }

    @inlinable
    public final func append(copying bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { source in
            guard let from = source.baseAddress, source.count > 0 else { return }
            if freeAtEnd >= source.count {
                memcpy(state.pointee.base + state.pointee.end, from, source.count)
                state.pointee.end &+= source.count
            } else {
                appendGrowing(from, source.count)
            }
        }
    }

    /// The slow path of `append(copying:)`. The bytes may be this buffer's own, which move when room is made.
    @usableFromInline
    final func appendGrowing(_ from: UnsafePointer<UInt8>, _ n: Int) {
        let first = UnsafePointer(state.pointee.base + state.pointee.start)
        let own = from >= first && from < first + count ? from - first : nil
        makeRoom(n)
        let source = own.map { UnsafePointer(state.pointee.base + state.pointee.start + $0) } ?? from
        memcpy(state.pointee.base + state.pointee.end, source, n)
        state.pointee.end += n
    }

    /// Appends `count` bytes of `source` beginning at `offset` of its readable bytes.
    public final func append(from source: IOBuffer, offset: Int, count: Int) {
        precondition(offset >= 0 && count >= 0 && offset <= source.count - count && source !== self)
        if count == 0 { return }
        makeRoom(count)
        memcpy(
            state.pointee.base + state.pointee.end, source.state.pointee.base + source.state.pointee.start + offset,
            count)
        state.pointee.end += count
    }

    /// Gives this buffer's bytes and memory to `other` and takes those of `other`: so a buffer can stay in its place while
    /// what is in it goes elsewhere.
    public final func swapContents(with other: IOBuffer) { swap(&state.pointee, &other.state.pointee) }

    /// Makes at least `n` free bytes at the end: first by moving the readable bytes to the front, then by growing.
    public final func makeRoom(_ n: Int) {
        if freeAtEnd >= n { return }
        let used = count
        let base = state.pointee.base
        if capacity - used >= n {
            memmove(base, base + state.pointee.start, used)
        } else {
            var grown = capacity * 2
            while grown - used < n { grown *= 2 }
            let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
            memcpy(fresh, base + state.pointee.start, used)
            base.deallocate()
            state.pointee.base = fresh
            state.pointee.capacity = grown
        }
        state.pointee.start = 0
        state.pointee.end = used
    }

    /// Lets `body` fill the free memory at the end; `body` returns how many bytes it wrote, or a negative number.
    ///
    /// The caller has made room: with none free, `recv` would answer 0, which reads like the end of the stream.
    @inlinable
    public final func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let free = freeAtEnd
        let n = body(UnsafeMutableRawBufferPointer(start: state.pointee.base + state.pointee.end, count: free))
        if n > 0 {
            precondition(n <= free)
            state.pointee.end &+= n
        }
        return n
    }

    /// Lets `body` read the readable bytes, for system calls.
    @inlinable
    public final func withReadable<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        body(UnsafeRawBufferPointer(start: state.pointee.base + state.pointee.start, count: count))
    }
}

/// Buffers of one size that wait for their next connection, so that an idle connection holds none.
public final class IOBufferPool {
    /// Capacity of each buffer, in bytes.
    public let bufferBytes: Int
    /// Most buffers kept; more are freed.
    public let keptMax: Int
    private var free: [IOBuffer] = []

    public init(bufferBytes: Int = 16_384, keptMax: Int = 1_024) {
        self.bufferBytes = bufferBytes
        self.keptMax = keptMax
    }

    public func take() -> IOBuffer {
        free.popLast() ?? IOBuffer(capacity: bufferBytes)
    }

    /// Takes a buffer back. One that has grown is freed, so that a rare large message does not stay resident.
    public func give(_ buffer: IOBuffer) {
        guard buffer.capacity == bufferBytes, free.count < keptMax else { return }
        buffer.clear()
        free.append(buffer)
    }
}

extension Span where Element == UInt8 {
    /// Eight bytes at `offset` as a little-endian word. The caller has checked that they are there.
    @inlinable
    public func word(at offset: Int) -> UInt64 {
        // Not `offset + 8 <= count`: that wraps for a huge offset.
        precondition(offset >= 0 && offset <= count &- 8)
        return withUnsafeBufferPointer { buffer in
            UInt64(
                littleEndian: UnsafeRawPointer(buffer.baseAddress.unsafelyUnwrapped + offset)
                    .loadUnaligned(as: UInt64.self))
        }
    }

    /// Offset of the first line feed at or after `from`; nil when there is none. The C library looks at 32 bytes at a time,
    /// which is worth the call where lines are long.
    public func firstLineFeed(from: Int) -> Int? {
        precondition(from >= 0 && from <= count)
        return withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, let found = memchr(base + from, 10, buffer.count - from) else {
                return nil
            }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// The bytes as text; invalid UTF-8 becomes U+FFFD.
    public var text: String {
        withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// A copy of the bytes.
    public var array: [UInt8] {
        withUnsafeBufferPointer { Array($0) }
    }
}
