import Bytes

// The head of a message, kept behind pointers that never change: a stored property of a class that other targets read
// is checked for exclusive access at run time, which would cost more than the parse. Every access by index is checked.

/// What is known of a message before its body: the request line or status line, the fields, and what follows from them.
///
/// One per connection driver and reused for each message; nothing is allocated after the first. It holds offsets into
/// the bytes given to the reader, counted from the first byte of the message, so those must stay until they are no
/// longer needed. Not Sendable: it lives on one reactor.
public final class MessageHead {
    /// Everything of fixed size.
    @usableFromInline let state: UnsafeMutablePointer<HeadState>
    @usableFromInline let lines: UnsafeMutablePointer<FieldLine>
    /// Index of the first line of each known name; valid where the bit of the name is set in `present`.
    @usableFromInline let firsts: UnsafeMutablePointer<UInt16>
    /// Most field lines this head can hold.
    public let capacity: Int

    /// - Parameter capacity: most field lines; a reader whose limit is higher is held to this.
    public init(capacity: Int = 200) {
        precondition(capacity >= 0 && capacity <= 32_767)
        self.capacity = capacity
        state = .allocate(capacity: 1)
        state.initialize(to: HeadState())
        lines = .allocate(capacity: capacity)
        lines.initialize(repeating: FieldLine.empty, count: capacity)
        firsts = .allocate(capacity: 64)
        firsts.initialize(repeating: 0, count: 64)
    }

    deinit {
        state.deallocate()
        lines.deallocate()
        firsts.deallocate()
    }

    // MARK: Fields

    /// Number of field lines.
    @inlinable public var count: Int { state.pointee.count }

    @inlinable
    public subscript(index: Int) -> FieldLine {
        precondition(index >= 0 && index < state.pointee.count)
        return lines[index]
    }

    /// The set of known names that are present, as a sum of `FieldName.bit`.
    @inlinable public var present: UInt64 { state.pointee.present }

    /// The first line of a known name.
    @inlinable
    public func first(_ name: FieldName) -> FieldLine? {
        if state.pointee.present & name.bit == 0 { return nil }
        return lines[Int(firsts[Int(name.rawValue)])]
    }

    /// How many lines have this known name.
    public func count(of name: FieldName) -> Int {
        if state.pointee.present & name.bit == 0 { return 0 }
        if state.pointee.repeated & name.bit == 0 { return 1 }
        var n = 0
        for i in 0..<count where lines[i].name == name { n += 1 }
        return n
    }

    /// Whether a line is meant for the next recipient only: `Connection` and all it names, `Keep-Alive`, `Proxy-…`,
    /// `TE`, `Trailer`, `Transfer-Encoding`, `Upgrade`. Decided when the head was complete. (RFC 9110 §7.6.1)
    @inlinable public func isHopByHop(_ index: Int) -> Bool { self[index].isHopByHop }

    // MARK: Filling (the readers here, and HTTP/2 later)

    /// Forgets the last message.
    @inlinable public func begin() { state.pointee = HeadState() }

    /// Adds a line. False where `capacity` is reached.
    @inlinable
    public func addField(_ line: FieldLine) -> Bool {
        let index = state.pointee.count
        if index >= capacity { return false }
        lines[index] = line
        state.pointee.count = index &+ 1
        let bit = line.name.bit
        if state.pointee.present & bit == 0 {
            state.pointee.present |= bit
            firsts[Int(line.name.rawValue)] = UInt16(truncatingIfNeeded: index)
        } else {
            state.pointee.repeated |= bit
        }
        return true
    }

    /// Puts one line in the place of all lines with a known name.
    package func replaceAll(_ name: FieldName, by line: FieldLine) {
        var kept = 0
        var isPlaced = false
        for i in 0..<state.pointee.count {
            if lines[i].name == name {
                if isPlaced { continue }
                isPlaced = true
                lines[kept] = line
            } else {
                lines[kept] = lines[i]
            }
            // The first line of each other name may have moved.
            if lines[kept].name != name, Int(firsts[Int(lines[kept].name.rawValue)]) == i {
                firsts[Int(lines[kept].name.rawValue)] = UInt16(truncatingIfNeeded: kept)
            }
            kept += 1
        }
        state.pointee.count = kept
        state.pointee.repeated &= ~name.bit
    }

    /// Marks a line as meant for the next recipient only.
    package func markHopByHop(_ index: Int) {
        precondition(index >= 0 && index < state.pointee.count)
        lines[index].isHopByHop = true
    }
}
