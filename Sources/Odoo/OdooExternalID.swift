/// An external id for `load`, `module.name`: what makes a create idempotent. Odoo does not ask for an installed module
/// of that name (recording 709).
package struct OdooExternalID: Hashable, Sendable, CustomStringConvertible {
    package let module: String
    package let name: String

    /// Longest name, in characters. Default 100.
    package static let nameCharactersMax = 100

    /// Nil unless both parts are made of ASCII letters, digits, `_` and `-`: a dot would cut the module in another
    /// place, and Odoo complains of blanks.
    package init?(module: String, name: String) {
        func isFit(_ text: String) -> Bool {
            !text.isEmpty && text.utf8.count <= Self.nameCharactersMax
                && text.utf8.allSatisfy { byte in
                    (byte | 0x20) &- 97 < 26 || byte &- 48 < 10 || byte == UInt8(ascii: "_")
                        || byte == UInt8(ascii: "-")
                }
        }
        guard isFit(module), isFit(name) else { return nil }
        self.module = module
        self.name = name
    }

    package var description: String { "\(module).\(name)" }
}
