/// Why a pattern is refused.
package struct PatternError: Error, Sendable, Hashable {
    /// What is wrong, with the place in characters from 1.
    package let message: String
}

/// A regular expression. Immutable, shared between threads.
package struct Pattern: Sendable {
    /// The syntax of RE2 (https://github.com/google/re2/wiki/Syntax) without scripts (`\p{Greek}`) and `\C`.
    package let text: String
    let program: PatternProgram
    let table: PatternTable?

    /// `instructionsMax`: most instructions; counted repetitions are unrolled. `withTable: false` saves the work of
    /// making a table, for patterns that are used once.
    package init(_ text: String, instructionsMax: Int = 2_000, withTable: Bool = true) throws(PatternError) {
        self.text = text
        program = try PatternProgram(text, instructionsMax: instructionsMax)
        table = withTable ? PatternTable(program) : nil
    }

    /// Most steps a match takes for each character.
    package var stepsPerCharacter: Int { table == nil ? program.instructions.count : 1 }

    /// Whether some part of the text matches: anchor with `^` and `$` for the whole.
    package func matches(_ text: String) -> Bool {
        if let table { return table.matches(text) }
        return program.matches(text)
    }
}
