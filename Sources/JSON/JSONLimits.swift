/// How much one JSON text may ask of us.
package struct JSONLimits: Sendable, Equatable {
    /// Deepest nesting of arrays and objects; `[]` is 1. Default 64. More than 512 counts as 512, because comparing,
    /// writing and freeing a value walk it recursively.
    package var depthMax: Int
    /// Longest text, in bytes. Default 16 MiB.
    package var bytesMax: Int
    /// Most values in one text, containers included, so that `[0,0,0…` cannot cost many times its own size.
    /// Default 1,000,000.
    package var valuesMax: Int
    /// Longest number, in bytes. Default 128.
    package var numberBytesMax: Int

    package init(
        depthMax: Int = 64, bytesMax: Int = 16 << 20, valuesMax: Int = 1_000_000, numberBytesMax: Int = 128
    ) {
        self.depthMax = min(depthMax, 512)
        self.bytesMax = bytesMax
        self.valuesMax = valuesMax
        self.numberBytesMax = numberBytesMax
    }
}
