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

/// A flat byte buffer with a readable window: bytes are appended at its end and consumed from its start.
///
/// One is shared by a connection and its driver on one reactor, so it is a class and not Sendable. It is taken from
/// an `IOBufferPool` and given back when the connection is idle.
public final class IOBuffer: ByteSink {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    /// Bytes of memory behind the buffer.
    public private(set) final var capacity: Int
    /// Offset of the first byte that is not consumed.
    @usableFromInline final var start = 0
    /// Offset after the last byte.
    @usableFromInline final var end = 0

    public init(capacity: Int) {
        precondition(capacity > 0)
        base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    /// Number of readable bytes.
    @inlinable public final var count: Int { end &- start }
    @inlinable public final var isEmpty: Bool { start == end }
    /// Bytes that can be appended without growing or moving.
    public final var freeAtEnd: Int { capacity - end }

    /// The readable bytes.
    @inlinable
    public final var readable: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let span = Span(_unsafeStart: UnsafePointer(base + start), count: end &- start)
            return _overrideLifetime(span, borrowing: self)
        }
    }

    /// Drops `n` readable bytes.
    @inlinable
    public final func consume(_ n: Int) {
        precondition(n >= 0 && n <= end &- start)
        start &+= n
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Drops all bytes.
    @inlinable
    public final func clear() {
        start = 0
        end = 0
    }

    /// Drops bytes from the end, back to `count` readable bytes.
    public final func truncate(to count: Int) {
        precondition(count >= 0 && count <= end - start)
        end = start + count
    }

    @inlinable
    public final func append(_ byte: UInt8) {
        if end == capacity { makeRoom(1) }
        base[end] = byte
        end &+= 1
    }

    @inlinable
    public final func append(copying bytes: Span<UInt8>) {
        let n = bytes.count
        if n == 0 { return }
        if capacity &- end < n { makeRoom(n) }
        bytes.withUnsafeBufferPointer { source in
            guard let from = source.baseAddress else { return }
            memcpy(base + end, from, n)
        }
        end &+= n
    }

    /// Appends `count` bytes of `source` beginning at `offset` of its readable bytes.
    public final func append(from source: IOBuffer, offset: Int, count: Int) {
        precondition(offset >= 0 && count >= 0 && offset + count <= source.count && source !== self)
        if count == 0 { return }
        if capacity - end < count { makeRoom(count) }
        memcpy(base + end, source.base + source.start + offset, count)
        end += count
    }

    /// Makes at least `n` free bytes at the end: first by moving the readable bytes to the front, then by growing.
    public final func makeRoom(_ n: Int) {
        if capacity - end >= n { return }
        let used = end - start
        if capacity - used >= n && start > 0 {
            memmove(base, base + start, used)
        } else {
            var grown = capacity * 2
            while grown - used < n { grown *= 2 }
            let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
            memcpy(fresh, base + start, used)
            base.deallocate()
            base = fresh
            capacity = grown
        }
        start = 0
        end = used
    }

    /// Lets `body` fill the free memory at the end; `body` returns how many bytes it wrote, or a negative number.
    @inlinable
    public final func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let n = body(UnsafeMutableRawBufferPointer(start: base + end, count: capacity &- end))
        if n > 0 {
            precondition(n <= capacity &- end)
            end &+= n
        }
        return n
    }

    /// Lets `body` read the readable bytes, for system calls.
    @inlinable
    public final func withReadable<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        body(UnsafeRawBufferPointer(start: base + start, count: end &- start))
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
        precondition(offset >= 0 && offset &+ 8 <= count)
        return withUnsafeBufferPointer { buffer in
            UInt64(littleEndian: UnsafeRawPointer(buffer.baseAddress.unsafelyUnwrapped + offset)
                .loadUnaligned(as: UInt64.self))
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
