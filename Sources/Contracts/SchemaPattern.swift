/// A regular expression that is matched in time linear in the text: a set of states is carried along, nothing is
/// tried twice. (Thompson 1968)
///
/// The syntax is a part of ECMA-262 that means the same everywhere: literals, `.`, classes, `\d` `\w` `\s` and escaped
/// punctuation, groups, `|`, `?` `*` `+` `{n}` `{n,}` `{n,m}`; the whole between `^` and `$`. Look-around, references,
/// lazy quantifiers and unanchored patterns are refused when a contract is loaded.
struct SchemaPattern: Sendable {
    enum Instruction: Sendable {
        case one(ScalarSet)
        case split(Int, Int)
        case jump(Int)
        case match
    }

    struct ScalarSet: Sendable {
        var ranges: [ClosedRange<UInt32>]
        var isNegated = false

        func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }
    }

    /// Why a pattern is refused.
    struct Refusal: Error {
        let message: String
    }

    /// Most instructions of one pattern: counted repetitions are unrolled. Default 1,000.
    static let instructionsMax = 1_000

    let text: String
    let program: [Instruction]

    init(_ text: String) throws(Refusal) {
        self.text = text
        var parser = SchemaPatternParser(text)
        program = try parser.program()
    }

    func matches(_ text: String) -> Bool {
        var current = StateSet(program.count)
        var next = StateSet(program.count)
        add(0, to: &current)
        for scalar in text.unicodeScalars {
            next.removeAll()
            for state in current.states {
                if case .one(let set) = program[state], set.contains(scalar.value) { add(state + 1, to: &next) }
            }
            if next.states.isEmpty { return false }
            swap(&current, &next)
        }
        return current.states.contains { if case .match = program[$0] { true } else { false } }
    }

    private func add(_ start: Int, to set: inout StateSet) {
        var pending = [start]
        while let state = pending.popLast() {
            guard set.insert(state) else { continue }
            switch program[state] {
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .jump(let target): pending.append(target)
            case .one, .match: break
            }
        }
    }

    private struct StateSet {
        var states: [Int] = []
        private var isIn: [Bool]

        init(_ count: Int) { isIn = Array(repeating: false, count: count) }

        /// False when it was in already.
        mutating func insert(_ state: Int) -> Bool {
            if isIn[state] { return false }
            isIn[state] = true
            states.append(state)
            return true
        }

        mutating func removeAll() {
            for state in states { isIn[state] = false }
            states.removeAll(keepingCapacity: true)
        }
    }
}
