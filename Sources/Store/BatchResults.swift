/// A page of results, as lines.
package struct BatchResults: Sendable {
    package var bytes: [UInt8] = []
    package var count = 0
    /// Number of the last line in it.
    package var last: Int
    package var hasMore = false

    init(last: Int) { self.last = last }

    /// Each result begins `{"line":12,"outcome":"applied"`, so that it can be found without reading all of it.
    static func number(of line: ArraySlice<UInt8>) -> Int? {
        let opening = Array(#"{"line":"#.utf8)
        guard line.starts(with: opening) else { return nil }
        return Int(String(decoding: line.dropFirst(opening.count).prefix { $0 &- 48 < 10 }, as: UTF8.self))
    }

    static func outcome(of line: ArraySlice<UInt8>) -> String {
        let parts = line.prefix(96).split(separator: UInt8(ascii: "\""), maxSplits: 6)
        return parts.count > 5 ? String(decoding: parts[5], as: UTF8.self) : ""
    }

    /// The beginning of a result.
    package static func head(_ line: Int, _ outcome: String) -> String { #"{"line":\#(line),"outcome":"\#(outcome)""# }
}

/// Where every so many results begin, so that a page is found without reading those before it.
struct ResultIndex: Sendable {
    private static let step = 256
    private var places: [(line: Int, offset: Int)] = []
    private var count = 0

    mutating func note(_ line: Int, at offset: Int) {
        if count % Self.step == 0 { places.append((line, offset)) }
        count += 1
    }

    /// A place at or before the first result behind `line`.
    func place(before line: Int) -> Int {
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if places[middle].line <= line { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : places[low - 1].offset
    }
}
