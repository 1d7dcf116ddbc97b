/// Reads an expression by recursive descent; operators of one level are read in a loop.
struct Parser {
    let source: SourceText
    private let tokens: [Token]
    private let limits: ExpressionLimits
    private var place = 0
    /// Levels of recursion, for brackets; operators are counted by the nodes' own depth.
    private var level = 0
    private var syntax = Syntax()

    static func parse(_ source: SourceText, limits: ExpressionLimits) throws(ExpressionError) -> Syntax {
        if source.bytes.count > limits.sourceBytesMax {
            throw source.error("the expression is longer than \(limits.sourceBytesMax) bytes", at: 0)
        }
        let tokens = try Lexer.tokens(of: source, max: limits.tokensMax)
        var parser = Parser(source, tokens, limits)
        parser.syntax.root = try parser.expression()
        let after = parser.token
        if after.kind != .end { throw parser.error("unexpected \(after.description)") }
        return parser.syntax
    }

    private init(_ source: SourceText, _ tokens: [Token], _ limits: ExpressionLimits) {
        self.source = source
        self.tokens = tokens
        self.limits = limits
    }

    // MARK: Tokens

    var token: Token { tokens[min(place, tokens.count - 1)] }

    private func error(_ message: String, at offset: Int? = nil) -> ExpressionError {
        source.error(message, at: offset ?? token.range.lowerBound)
    }

    private func isAt(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }

    private mutating func take(_ symbol: String) -> Bool {
        guard isAt(symbol) else { return false }
        place += 1
        return true
    }

    private mutating func need(_ symbol: String) throws(ExpressionError) {
        if !take(symbol) { throw error("expected '\(symbol)', not \(token.description)") }
    }

    /// The end of what was read last.
    private var end: Int { place == 0 ? 0 : tokens[place - 1].range.upperBound }

    // MARK: Nodes

    private mutating func add(
        _ kind: Syntax.Kind, from start: Int, at place: Int? = nil, over children: [Syntax.ID]
    ) throws(ExpressionError) -> Syntax.ID {
        var depth = 1
        for child in children { depth = max(depth, syntax[child].depth + 1) }
        if depth > limits.depthMax {
            throw error("the expression nests deeper than \(limits.depthMax) levels", at: place ?? start)
        }
        syntax.nodes.append(Syntax.Node(kind: kind, range: start..<end, place: place ?? start, depth: depth))
        return syntax.nodes.count - 1
    }

    private func start(of id: Syntax.ID) -> Int { syntax[id].range.lowerBound }

    // MARK: Grammar

    private mutating func expression() throws(ExpressionError) -> Syntax.ID {
        level += 1
        defer { level -= 1 }
        if level > limits.depthMax { throw error("the expression nests deeper than \(limits.depthMax) levels") }
        let first = try disjunction()
        let question = token.range.lowerBound
        guard take("?") else { return first }
        let second = try disjunction()
        try need(":")
        let third = try expression()
        return try add(
            .conditional(first, second, third), from: start(of: first), at: question, over: [first, second, third])
    }

    private mutating func disjunction() throws(ExpressionError) -> Syntax.ID {
        let first = try conjunction()
        guard isAt("||") else { return first }
        let operatorPlace = token.range.lowerBound
        var operands = [first]
        while take("||") { operands.append(try conjunction()) }
        return try add(.or(operands), from: start(of: first), at: operatorPlace, over: operands)
    }

    private mutating func conjunction() throws(ExpressionError) -> Syntax.ID {
        let first = try relation()
        guard isAt("&&") else { return first }
        let operatorPlace = token.range.lowerBound
        var operands = [first]
        while take("&&") { operands.append(try relation()) }
        return try add(.and(operands), from: start(of: first), at: operatorPlace, over: operands)
    }

    private static let relations: Set<String> = ["<", "<=", ">", ">=", "==", "!="]

    /// The operator of a level when the next token is one.
    private func binary(among symbols: Set<String>) -> Syntax.Binary? {
        switch token.kind {
        case .symbol(let symbol) where symbols.contains(symbol): Syntax.Binary(rawValue: symbol)
        case .identifier("in") where symbols == Self.relations: .isIn
        default: nil
        }
    }

    private mutating func relation() throws(ExpressionError) -> Syntax.ID {
        var left = try sum()
        while let operation = binary(among: Self.relations) {
            let operatorPlace = token.range.lowerBound
            place += 1
            let right = try sum()
            left = try add(
                .binary(operation, left, right), from: start(of: left), at: operatorPlace, over: [left, right])
        }
        return left
    }

    private mutating func sum() throws(ExpressionError) -> Syntax.ID {
        var left = try product()
        while let operation = binary(among: ["+", "-"]) {
            let operatorPlace = token.range.lowerBound
            place += 1
            let right = try product()
            left = try add(
                .binary(operation, left, right), from: start(of: left), at: operatorPlace, over: [left, right])
        }
        return left
    }

    private mutating func product() throws(ExpressionError) -> Syntax.ID {
        var left = try unary()
        while let operation = binary(among: ["*", "/", "%"]) {
            let operatorPlace = token.range.lowerBound
            place += 1
            let right = try unary()
            left = try add(
                .binary(operation, left, right), from: start(of: left), at: operatorPlace, over: [left, right])
        }
        return left
    }

    private mutating func unary() throws(ExpressionError) -> Syntax.ID {
        var places: [Int] = []
        let isNot = isAt("!")
        while isAt(isNot ? "!" : "-") {
            places.append(token.range.lowerBound)
            place += 1
        }
        var operand: Syntax.ID
        // The sign belongs to the number: the least integer has no positive counterpart.
        if !isNot, let last = places.last, let literal = try number(negative: true) {
            places.removeLast()
            operand = try add(.literal(literal), from: last, over: [])
            operand = try member(operand)
        } else {
            operand = try member(try primary())
        }
        for place in places.reversed() {
            operand = try add(isNot ? .not(operand) : .negate(operand), from: place, over: [operand])
        }
        return operand
    }

    private mutating func member(_ operand: Syntax.ID) throws(ExpressionError) -> Syntax.ID {
        var result = operand
        while true {
            let at = token.range.lowerBound
            if take(".") {
                result = try selection(from: result)
            } else if take("[") {
                let index = try expression()
                try need("]")
                result = try add(.index(result, index), from: start(of: result), at: at, over: [result, index])
            } else {
                return result
            }
        }
    }

    private mutating func selection(from operand: Syntax.ID) throws(ExpressionError) -> Syntax.ID {
        let at = token.range.lowerBound
        let name: String
        switch token.kind {
        case .identifier(let word):
            if Self.keywords.contains(word) { throw error("'\(word)' is a keyword, not a field") }
            name = word
        case .quotedSelector(let word): name = word
        default: throw error("expected a field after '.', not \(token.description)")
        }
        place += 1
        guard isAt("(") else {
            return try add(.select(operand, field: name), from: start(of: operand), at: at, over: [operand])
        }
        place += 1
        let arguments = try list(until: ")")
        if let macro = Syntax.Macro(rawValue: name), arguments.count == 2 || (macro == .map && arguments.count == 3) {
            return try comprehension(macro, operand, arguments, at)
        }
        return try add(
            .call(name, receiver: operand, arguments: arguments), from: start(of: operand), at: at,
            over: [operand] + arguments)
    }

    private mutating func comprehension(
        _ macro: Syntax.Macro, _ range: Syntax.ID, _ arguments: [Syntax.ID], _ at: Int
    ) throws(ExpressionError) -> Syntax.ID {
        guard case .name(let variable, isRooted: false) = syntax[arguments[0]].kind else {
            throw error(
                "the first argument of '\(macro.rawValue)' is the name of a new variable", at: start(of: arguments[0]))
        }
        let steps = Array(arguments.dropFirst())
        return try add(
            .comprehension(macro, range: range, variable: variable, steps: steps), from: start(of: range), at: at,
            over: [range] + steps)
    }

    /// Expressions between commas; with a comma at the end where a list may have one.
    private mutating func list(until close: String, trailingComma: Bool = false) throws(ExpressionError) -> [Syntax.ID]
    {
        var elements: [Syntax.ID] = []
        if take(close) { return elements }
        while true {
            elements.append(try expression())
            if take(close) { return elements }
            if !isAt(",") { throw error("expected ',' or '\(close)', not \(token.description)") }
            place += 1
            if trailingComma, take(close) { return elements }
        }
    }

    private mutating func primary() throws(ExpressionError) -> Syntax.ID {
        let begin = token.range.lowerBound
        if let literal = try number(negative: false) { return try add(.literal(literal), from: begin, over: []) }
        switch token.kind {
        case .string(let text):
            place += 1
            return try add(.literal(.string(text)), from: begin, over: [])
        case .bytes(let bytes):
            place += 1
            return try add(.literal(.bytes(bytes)), from: begin, over: [])
        case .identifier: return try name(isRooted: false)
        case .symbol("."):
            place += 1
            return try name(isRooted: true)
        case .symbol("("):
            place += 1
            let inner = try expression()
            try need(")")
            syntax.nodes[inner].range = begin..<end
            return inner
        case .symbol("["):
            place += 1
            if isAt(","), tokens[min(place + 1, tokens.count - 1)].kind == .symbol("]") { place += 1 }
            let elements = try list(until: "]", trailingComma: true)
            return try add(.list(elements), from: begin, over: elements)
        case .symbol("{"):
            place += 1
            return try map(from: begin)
        default: throw error("expected an expression, not \(token.description)")
        }
    }

    private mutating func map(from begin: Int) throws(ExpressionError) -> Syntax.ID {
        var entries: [(key: Syntax.ID, value: Syntax.ID)] = []
        if isAt(",") { place += 1 }
        while !take("}") {
            let key = try expression()
            try need(":")
            entries.append((key, try expression()))
            if take("}") { break }
            if !isAt(",") { throw error("expected ',' or '}', not \(token.description)") }
            place += 1
        }
        return try add(.map(entries), from: begin, over: entries.flatMap { [$0.key, $0.value] })
    }

    private static let keywords: Set<String> = ["false", "in", "null", "true"]
    private static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ]

    private mutating func name(isRooted: Bool) throws(ExpressionError) -> Syntax.ID {
        let begin = token.range.lowerBound
        guard case .identifier(let word) = token.kind else {
            throw error("expected a name, not \(token.description)")
        }
        if !isRooted, let literal = Self.constants[word] {
            place += 1
            return try add(.literal(literal), from: begin, over: [])
        }
        if Self.keywords.contains(word) || Self.reserved.contains(word) {
            throw error("'\(word)' is reserved and can be no name")
        }
        place += 1
        if isAt("{") { throw error("messages can't be made in this dialect; write a map: {'field': value}") }
        guard take("(") else { return try add(.name(word, isRooted: isRooted), from: begin, over: []) }
        let arguments = try list(until: ")")
        if word == "has", !isRooted {
            guard arguments.count == 1, case .select(let operand, let field) = syntax[arguments[0]].kind else {
                throw error("'has' takes one field: has(a.b)", at: begin)
            }
            return try add(
                .has(operand, field: field), from: begin, at: syntax[arguments[0]].place, over: [operand])
        }
        return try add(.call(word, receiver: nil, arguments: arguments), from: begin, over: arguments)
    }

    private static let constants: [String: ExpressionValue] = [
        "true": .bool(true), "false": .bool(false), "null": .null,
    ]

    // MARK: Numbers

    /// The number that stands here, with the sign that was read before it; nil when there is none.
    private mutating func number(negative: Bool) throws(ExpressionError) -> ExpressionValue? {
        let value: ExpressionValue
        switch token.kind {
        case .int(let text):
            guard let number = Self.magnitude(text).flatMap({ Int64(exactly: negative ? -Int128($0) : Int128($0)) })
            else { throw error("the integer does not fit in 64 bits") }
            value = .int(number)
        case .uint(let text):
            if negative { throw error("an unsigned number has no sign") }
            guard let number = Self.magnitude(text) else { throw error("the integer does not fit in 64 bits") }
            value = .uint(number)
        case .double(let text):
            guard let number = Double(text), number.isFinite else { throw error("the number does not fit a double") }
            value = .double(negative ? -number : number)
        default: return nil
        }
        place += 1
        return value
    }

    private static func magnitude(_ text: String) -> UInt64? {
        text.hasPrefix("0x") || text.hasPrefix("0X") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    }
}
