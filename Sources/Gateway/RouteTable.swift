import Bytes

/// Finds the route with the longest path prefix that ends at a segment, in one pass over the path, whatever the number
/// of routes: the hash of the path so far is looked up at each segment's end.
package struct RouteTable<Route>: Sendable where Route: Sendable {
    private struct Entry: Sendable {
        var hash: UInt64
        var prefix: [UInt8]
        var route: Route
    }

    private var buckets: [Int32]
    private var entries: [Entry] = []
    private var root: Route?

    private static var seed: UInt64 { 0xcbf2_9ce4_8422_2325 }
    private static var prime: UInt64 { 0x100_0000_01b3 }

    /// Prefixes as in `/web`; a trailing slash is ignored, `/` matches everything.
    package init(_ routes: [(prefix: String, route: Route)]) {
        var size = 16
        while size < routes.count * 4 { size *= 2 }
        buckets = Array(repeating: -1, count: size)
        for (text, route) in routes {
            var prefix = Array(text.utf8)
            while prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
            if prefix.isEmpty {
                root = route
                continue
            }
            var hash = Self.seed
            for byte in prefix { hash = (hash ^ UInt64(byte)) &* Self.prime }
            var slot = Int(truncatingIfNeeded: (hash ^ hash >> 32) & UInt64(size - 1))
            while buckets[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            buckets[slot] = Int32(entries.count)
            entries.append(Entry(hash: hash, prefix: prefix, route: route))
        }
    }

    /// The route of a path (without query), nil when none fits.
    package func match(_ path: Span<UInt8>) -> Route? {
        var best = -1
        var hash = Self.seed
        var i = 0
        while i < path.count {
            let byte = path[i]
            if byte == UInt8(ascii: "/") && i > 0 {
                if let found = find(hash, path, i) { best = found }
            }
            hash = (hash ^ UInt64(byte)) &* Self.prime
            i &+= 1
        }
        if let found = find(hash, path, path.count) { best = found }
        return best >= 0 ? entries[best].route : root
    }

    private func find(_ hash: UInt64, _ path: Span<UInt8>, _ length: Int) -> Int? {
        let mask = buckets.count - 1
        var slot = Int(truncatingIfNeeded: (hash ^ hash >> 32) & UInt64(mask))
        while buckets[slot] >= 0 {
            let index = Int(buckets[slot])
            if entries[index].hash == hash, entries[index].prefix.count == length {
                let prefix = entries[index].prefix
                if path.extracting(0..<length).equals(prefix.span) { return index }
            }
            slot = (slot + 1) & mask
        }
        return nil
    }
}
