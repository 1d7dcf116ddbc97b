/// The variables an expression may name, each with its type and its slot.
package struct ExpressionEnvironment: Sendable {
    package struct Variable: Sendable {
        /// May have dots, `request.auth`: then it is found before a field is.
        package let name: String
        package let type: ExpressionType
        /// Most bytes or elements; nil takes the bounds' own.
        package let countMax: Int?

        package init(_ name: String, _ type: ExpressionType, countMax: Int? = nil) {
            self.name = name
            self.type = type
            self.countMax = countMax
        }
    }

    package let variables: [Variable]
    package let bounds: ExpressionBounds
    /// The name space in which names are looked up first, `com.example`; empty for none.
    package let container: String
    /// False defers all types to the evaluation, for expressions over data nobody described.
    package let isChecked: Bool
    private let slots: [String: Int]

    package init(
        _ variables: [Variable], bounds: ExpressionBounds = ExpressionBounds(), container: String = "",
        isChecked: Bool = true
    ) {
        self.variables = variables
        self.bounds = bounds
        self.container = container
        self.isChecked = isChecked
        slots = Dictionary(variables.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Where the variable's value stands in the bindings.
    package func slot(of name: String) -> Int? { slots[name] }
}

/// The values of an environment's variables, by slot.
package struct ExpressionBindings: Sendable {
    package var values: [ExpressionValue?]

    package init(_ values: [ExpressionValue?]) { self.values = values }

    /// All absent.
    package init(for environment: ExpressionEnvironment) {
        values = Array(repeating: nil, count: environment.variables.count)
    }
}
