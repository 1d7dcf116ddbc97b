/// TLS handshakes under way, the oldest first, so that it can be cut off where there are too many.
///
/// What is over stays in the list until it is tidied. A connection is known by its address and a number, because the next
/// one very often gets the address of the one before: by the address alone, whatever is over would seem to be under way
/// again as long as handshakes go on, and the list would grow for ever.
struct HandshakeQueue {
    struct Entry: Equatable {
        let connection: ObjectIdentifier
        let number: UInt32
    }

    private var entries: [Entry] = []
    /// The first that was not cut off.
    private var first = 0
    private var lastNumber: UInt32 = 0
    private(set) var underWay = 0
    /// Entries over that are borne before the list is tidied, besides as many again as are under way.
    static let slack = 64

    /// How many entries are held, over or not.
    var count: Int { entries.count }

    /// Notes a handshake that begins, and returns its number. `isUnderWay` tells of each that began before; it is asked
    /// about two of them for each that begins, over time.
    mutating func begin(_ connection: ObjectIdentifier, isUnderWay: (Entry) -> Bool) -> UInt32 {
        if entries.count > 2 * underWay + Self.slack {
            entries = entries[first...].filter(isUnderWay)
            first = 0
        }
        lastNumber &+= 1
        underWay += 1
        entries.append(Entry(connection: connection, number: lastNumber))
        return lastNumber
    }

    /// A handshake is over, well or not.
    mutating func end() { underWay -= 1 }

    /// Takes out the oldest entry that is not yet known to be over; nil when there is none.
    mutating func popOldest() -> Entry? {
        guard first < entries.count else { return nil }
        first += 1
        return entries[first - 1]
    }
}
