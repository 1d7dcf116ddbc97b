/// "did you mean …?"
package enum Suggestion {
    /// `; did you mean 'x'?` with the nearest candidate, or nothing when none is near.
    package static func clause(for text: String, among candidates: some Sequence<String>) -> String {
        guard let nearest = nearest(to: text, among: candidates) else { return "" }
        return "; did you mean '\(nearest)'?"
    }

    /// The candidate with the fewest typing errors, when they are at most a third of the letters (at least one).
    /// The first in alphabetical order where several are as near.
    package static func nearest(to text: String, among candidates: some Sequence<String>) -> String? {
        let typed = Array(text.lowercased().unicodeScalars.prefix(64))
        var best: (distance: Int, candidate: String)?
        for candidate in candidates where candidate != text {
            let letters = Array(candidate.lowercased().unicodeScalars.prefix(64))
            let allowed = max(1, max(typed.count, letters.count) / 3)
            guard abs(typed.count - letters.count) <= allowed else { continue }
            let found = distance(typed, letters)
            guard found <= allowed else { continue }
            if let best, (best.distance, best.candidate) < (found, candidate) { continue }
            best = (found, candidate)
        }
        return best?.candidate
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
    static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var twoBack: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var least = min(last[j] + 1, row[j - 1] + 1, replaced)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { least = min(least, twoBack[j - 2] + 1) }
                row.append(least)
            }
            twoBack = last
            last = row
        }
        return last[b.count]
    }

    /// At most 60 characters of a text, on one line.
    package static func shortened(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(60) {
            result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar)
        }
        return text.unicodeScalars.count > 60 ? result + "…" : result
    }
}
