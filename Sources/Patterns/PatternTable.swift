/// A small pattern as a table: one look-up for each character.
///
/// Made when the pattern is read, so that matching allocates nothing and two matches take the same time.
struct PatternTable: Sendable {
    /// Most states, and most classes of characters. What needs more is matched by its program.
    static let statesMax = 128
    static let classesMax = 64

    /// Row `state`, column `class`: the next state. The first state is where a text begins.
    private var next: [UInt16] = []
    private var classCount = 0
    /// Class of each ASCII character.
    private var ascii: [UInt8] = []
    /// Where classes begin, ascending; class i reaches up to where i + 1 begins.
    private var starts: [UInt32] = []
    /// Nothing behind can change that the text matches.
    private var isMatch: [Bool] = []
    /// A match if the text ends here.
    private var isMatchAtEnd: [Bool] = []

    /// Nil when the pattern looks at words, lines or categories, or is too large.
    init?(_ program: PatternProgram) {
        let code = program.instructions
        var cuts: Set<UInt32> = [0]
        for instruction in code {
            switch instruction {
            case .one(let set):
                if set.categories != 0 { return nil }
                for range in set.ranges {
                    cuts.insert(range.lowerBound)
                    cuts.insert(range.upperBound + 1)
                }
            case .assertion(.beginText), .assertion(.endText), .split, .jump, .match: break
            case .assertion: return nil
            }
        }
        starts = cuts.sorted()
        classCount = starts.count
        guard classCount <= Self.classesMax else { return nil }
        ascii = (0..<128).map { value in UInt8(starts.lastIndex { $0 <= UInt32(value) } ?? 0) }

        var maker = Maker(code)
        let first = maker.closed([0], isBegin: true)
        var known: [[Int]: UInt16] = [:]
        // The beginning is a state of its own: only there `^` holds.
        var states = [first]
        add(first, maker.endsIn(first, isBegin: true))
        var place = 0
        while place < states.count {
            for column in 0..<classCount {
                let reached = maker.closed([0] + maker.step(states[place], starts[column]), isBegin: false)
                if let number = known[reached] {
                    next.append(number)
                    continue
                }
                guard states.count < Self.statesMax else { return nil }
                let number = UInt16(states.count)
                known[reached] = number
                states.append(reached)
                add(reached, maker.endsIn(reached, isBegin: false))
                next.append(number)
            }
            place += 1
        }
    }

    private mutating func add(_ state: [Int], _ ends: (now: Bool, atEnd: Bool)) {
        isMatch.append(ends.now)
        isMatchAtEnd.append(ends.atEnd)
    }

    func matches(_ text: String) -> Bool {
        var state = 0
        if isMatch[0] { return true }
        for scalar in text.unicodeScalars {
            let value = scalar.value
            let column = value < 128 ? Int(ascii[Int(value)]) : self.column(value)
            state = Int(next[state * classCount + column])
            if isMatch[state] { return true }
        }
        return isMatchAtEnd[state]
    }

    private func column(_ value: UInt32) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= value { low = middle } else { high = middle }
        }
        return low
    }

    /// Sets of the program's states.
    private struct Maker {
        let code: [PatternProgram.Instruction]
        var set: StateSet

        init(_ code: [PatternProgram.Instruction]) {
            self.code = code
            set = StateSet(code.count)
        }

        /// All reached without a character, sorted; `$` waits, `^` holds at the beginning.
        mutating func closed(_ from: [Int], isBegin: Bool, isEnd: Bool = false) -> [Int] {
            set.removeAll()
            var pending = from
            while let state = pending.popLast() {
                guard set.insert(state) else { continue }
                switch code[state] {
                case .split(let first, let second): pending += [second, first]
                case .jump(let target): pending.append(target)
                case .assertion(.beginText): if isBegin { pending.append(state + 1) }
                case .assertion: if isEnd { pending.append(state + 1) }
                case .one, .match: break
                }
            }
            return set.states.filter {
                switch code[$0] {
                case .one, .match, .assertion: true
                case .split, .jump: false
                }
            }.sorted()
        }

        func step(_ states: [Int], _ scalar: UInt32) -> [Int] {
            states.compactMap { state in
                guard case .one(let set) = code[state], set.contains(scalar) else { return nil }
                return state + 1
            }
        }

        mutating func endsIn(_ states: [Int], isBegin: Bool) -> (now: Bool, atEnd: Bool) {
            let now = states.contains { code[$0] == .match }
            return (now, now || closed(states, isBegin: isBegin, isEnd: true).contains { code[$0] == .match })
        }
    }
}
