/// An expression as it was written: nodes by number, children before their parents.
struct Syntax {
    typealias ID = Int

    enum Macro: String {
        case all, exists, existsOne = "exists_one", filter, map
    }

    enum Binary: String {
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case equal = "=="
        case notEqual = "!="
        case isIn = "in"
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case remainder = "%"

        var isRelation: Bool {
            switch self {
            case .less, .lessOrEqual, .greater, .greaterOrEqual, .equal, .notEqual, .isIn: true
            case .add, .subtract, .multiply, .divide, .remainder: false
            }
        }
    }

    enum Kind {
        case literal(ExpressionValue)
        /// `isRooted` for `.name`, which looks past local variables and the container.
        case name(String, isRooted: Bool)
        case select(ID, field: String)
        /// `has(operand.field)`
        case has(ID, field: String)
        case index(ID, ID)
        case call(String, receiver: ID?, arguments: [ID])
        case not(ID)
        case negate(ID)
        case binary(Binary, ID, ID)
        /// All operands of one `a && b && …`.
        case and([ID])
        case or([ID])
        case conditional(ID, ID, ID)
        case list([ID])
        case map([(key: ID, value: ID)])
        /// `range.macro(variable, steps…)`
        case comprehension(Macro, range: ID, variable: String, steps: [ID])
    }

    struct Node {
        let kind: Kind
        /// Bytes of the source.
        var range: Range<Int>
        /// Where errors about the node itself point: the operator, the field's name.
        let place: Int
        /// Levels below, 1 for a leaf.
        let depth: Int
    }

    var nodes: [Node] = []
    var root: ID = 0

    subscript(id: ID) -> Node { nodes[id] }

    /// The names of `a.b.c` when it is only names, and whether it began with a dot.
    func dottedName(_ id: ID) -> (names: [String], isRooted: Bool)? {
        var names: [String] = []
        var at = id
        while true {
            switch nodes[at].kind {
            case .select(let operand, let field):
                names.append(field)
                at = operand
            case .name(let name, let isRooted):
                names.append(name)
                return (names.reversed(), isRooted)
            default: return nil
            }
        }
    }
}
