/// A pattern as instructions for a machine that is in many states at once. (Thompson 1968; Pike)
struct PatternProgram: Sendable {
    enum Instruction: Sendable, Hashable {
        case one(ScalarSet)
        case split(Int, Int)
        case jump(Int)
        case assertion(PatternAssertion)
        case match
    }

    private(set) var instructions: [Instruction] = []
    private let instructionsMax: Int
    /// Nodes visited while counted repetitions are unrolled: bounds the work even where nothing is emitted.
    private var visits = 0

    init(_ text: String, instructionsMax: Int) throws(PatternError) {
        self.instructionsMax = instructionsMax
        try emit(PatternParser.parse(text))
        try append(.match)
    }

    private mutating func append(_ instruction: Instruction) throws(PatternError) {
        if instructions.count >= instructionsMax {
            throw PatternError(message: "the pattern unrolls to more than \(instructionsMax) steps")
        }
        instructions.append(instruction)
    }

    private mutating func emit(_ node: PatternNode) throws(PatternError) {
        visits += 1
        if visits > 4 * instructionsMax {
            throw PatternError(message: "the pattern unrolls to more than \(instructionsMax) steps")
        }
        switch node {
        case .empty: break
        case .set(let set): try append(.one(set))
        case .assertion(let assertion): try append(.assertion(assertion))
        case .sequence(let parts):
            for part in parts { try emit(part) }
        case .alternatives(let parts):
            var ends: [Int] = []
            for part in parts.dropLast() {
                let split = instructions.count
                try append(.split(split + 1, 0))
                try emit(part)
                ends.append(instructions.count)
                try append(.jump(0))
                instructions[split] = .split(split + 1, instructions.count)
            }
            if let last = parts.last { try emit(last) }
            for end in ends { instructions[end] = .jump(instructions.count) }
        case .repeated(let part, let least, let most):
            for _ in 0..<least { try emit(part) }
            guard let most else {
                let split = instructions.count
                try append(.split(split + 1, 0))
                try emit(part)
                try append(.jump(split))
                instructions[split] = .split(split + 1, instructions.count)
                return
            }
            var splits: [Int] = []
            for _ in least..<most {
                splits.append(instructions.count)
                try append(.split(instructions.count + 1, 0))
                try emit(part)
            }
            for split in splits { instructions[split] = .split(split + 1, instructions.count) }
        }
    }

    // MARK: Matching

    /// What lies on both sides of a place; nil at the text's ends.
    struct Place {
        let before: UInt32?
        let after: UInt32?

        func holds(_ assertion: PatternAssertion) -> Bool {
            switch assertion {
            case .beginText: before == nil
            case .endText: after == nil
            case .beginLine: before == nil || before == 0x0A
            case .endLine: after == nil || after == 0x0A
            case .wordBoundary: isBoundary
            case .noWordBoundary: !isBoundary
            }
        }

        private var isBoundary: Bool {
            (before.map(PatternParser.isWord) ?? false) != (after.map(PatternParser.isWord) ?? false)
        }
    }

    func matches(_ text: String) -> Bool {
        var current = StateSet(instructions.count)
        var next = StateSet(instructions.count)
        var pending: [Int] = []
        var scalars = text.unicodeScalars.makeIterator()
        var before: UInt32?
        var after = scalars.next()?.value
        while true {
            let place = Place(before: before, after: after)
            // The states that came over from the last character wait for what is known of this place only now.
            next.removeAll()
            for state in current.states where close(state, at: place, in: &next, &pending) { return true }
            if close(0, at: place, in: &next, &pending) { return true }
            guard let scalar = after else { return false }
            current.removeAll()
            for state in next.states {
                if case .one(let set) = instructions[state], set.contains(scalar) { _ = current.insert(state + 1) }
            }
            before = scalar
            after = scalars.next()?.value
        }
    }

    /// Adds what is reached without a character; whether that is a match.
    private func close(_ start: Int, at place: Place, in set: inout StateSet, _ pending: inout [Int]) -> Bool {
        pending.append(start)
        var isMatch = false
        while let state = pending.popLast() {
            guard set.insert(state) else { continue }
            switch instructions[state] {
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .jump(let target): pending.append(target)
            case .assertion(let assertion):
                if place.holds(assertion) { pending.append(state + 1) }
            case .one: break
            case .match: isMatch = true
            }
        }
        return isMatch
    }
}

/// States, each once, in the order in which they were added.
struct StateSet {
    private(set) var states: [Int] = []
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
