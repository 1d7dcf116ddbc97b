/// The members of a JSON object, in the order in which they were written, each name once.
///
/// Two objects are equal when they have the same members, in whatever order. Names are compared as Swift strings:
/// two spellings of one text that are canonically equivalent in Unicode count as one name, so that no reader behind
/// us can take them for two.
package struct JSONObject: Sendable {
    package private(set) var members: [(key: String, value: JSONValue)]
    /// Where each name stands; kept only for objects with more than `linearMax` members.
    private var index: [String: Int]?

    /// Up to this many members a look-up compares names one after the other.
    private static let linearMax = 16

    package init() { members = [] }

    /// Where a name occurs twice, the later value stands in the earlier place.
    package init(_ members: [(String, JSONValue)]) {
        self.init()
        self.members.reserveCapacity(members.count)
        for (key, value) in members { self[key] = value }
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    /// The value of the member; setting nil removes it.
    package subscript(key: String) -> JSONValue? {
        get {
            guard let place = place(of: key) else { return nil }
            return members[place].value
        }
        set {
            guard let newValue else {
                remove(key)
                return
            }
            if let place = place(of: key) {
                members[place].value = newValue
            } else {
                append(key, newValue)
            }
        }
    }

    package func contains(_ key: String) -> Bool { place(of: key) != nil }

    /// Appends a member whose name is not there yet.
    mutating func append(_ key: String, _ value: JSONValue) {
        if members.isEmpty { members.reserveCapacity(4) }
        if index != nil {
            index?[key] = members.count
        } else if members.count == Self.linearMax {
            var fresh: [String: Int] = [:]
            for (place, member) in members.enumerated() { fresh[member.key] = place }
            fresh[key] = members.count
            index = fresh
        }
        members.append((key, value))
    }

    private func place(of key: String) -> Int? {
        if let index { return index[key] }
        for i in members.indices where members[i].key == key { return i }
        return nil
    }

    private mutating func remove(_ key: String) {
        guard let place = place(of: key) else { return }
        members.remove(at: place)
        guard index != nil else { return }
        index?[key] = nil
        for i in place..<members.count { index?[members[i].key] = i }
    }
}

extension JSONObject: Hashable {
    package static func == (a: Self, b: Self) -> Bool {
        guard a.count == b.count else { return false }
        for i in a.members.indices {
            let (key, value) = a.members[i]
            if b.members[i].key == key {
                if b.members[i].value != value { return false }
            } else if b[key] != value {
                return false
            }
        }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        var sum = 0
        for (key, value) in members {
            var one = Hasher()
            one.combine(key)
            one.combine(value)
            sum ^= one.finalize()
        }
        hasher.combine(members.count)
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
