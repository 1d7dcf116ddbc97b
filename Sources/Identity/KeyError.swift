/// Why a key, a set of keys or an issuer's configuration is not usable. Made from the operator's own files; says which
/// file and which key, never any secret part of it.
package struct KeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, as the configuration names it; nil for a key that is not from a file.
    package var file: String?
    /// Which key of the file: `keys[2] (kid 'a')`; nil when the whole file is meant.
    package var key: String?
    /// What is wrong and what would be right.
    package var message: String

    package init(_ message: String, key: String? = nil, file: String? = nil) {
        self.message = message
        self.key = key
        self.file = file
    }

    package var description: String {
        [file, key, message].compactMap(\.self).joined(separator: ": ")
    }

    func at(file: String) -> KeyError {
        var copy = self
        copy.file = file
        return copy
    }

    func at(key: String) -> KeyError {
        var copy = self
        copy.key = key
        return copy
    }
}
