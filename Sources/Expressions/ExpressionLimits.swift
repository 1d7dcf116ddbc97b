/// What an expression may be at most. All are checked when it is compiled.
package struct ExpressionLimits: Sendable {
    /// Longest text, in bytes. Default 8,192.
    package var sourceBytesMax = 8_192
    /// Most tokens. Default 4,096.
    package var tokensMax = 4_096
    /// Deepest nesting of brackets, operators and calls. Default 96: each costs stack while it is evaluated.
    package var depthMax = 96
    /// Highest bound on the cost of one evaluation, in steps. Default 100,000.
    package var costMax: UInt64 = 100_000
    /// Most instructions of one pattern of `matches`. Default 2,000.
    package var patternInstructionsMax = 2_000

    package init() {}
}

/// How large values may be: what the cost of an evaluation is computed with.
package struct ExpressionBounds: Sendable {
    /// Longest text, in bytes. Default 1,024.
    package var textBytesMax = 1_024
    /// Most elements of a list or entries of a map. Default 128.
    package var countMax = 128
    /// Weight of a `dyn` value: one for each value within, one for each 16 bytes of text. Default 4,096.
    package var dynWeightMax = 4_096

    package init() {}
}
