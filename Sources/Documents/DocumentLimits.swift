/// How much one document may ask of us.
package enum DocumentLimits {
    /// Longest text, in bytes.
    package static let bytesMax = 1 << 20
    /// Deepest nesting of lists and mappings.
    package static let depthMax = 32
    /// Most errors reported for one file; the rest would only repeat them.
    package static let errorsMax = 100
}
