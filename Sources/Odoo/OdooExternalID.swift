import Bytes
import JSON

/// An external id for `load`, `module.name`: what makes a create idempotent. Odoo does not ask for an installed module
/// of that name (recording 709).
package struct OdooExternalID: Hashable, Sendable, CustomStringConvertible {
    package let module: String
    package let name: String

    /// The module part of all that the gateway makes. It must never be the name of a module: whatever stands under that
    /// name and is not in the module's own data is deleted when Odoo installs or updates the module (`_process_end`, seen
    /// on 17 and 19 with orders and transfers), and when it is removed. Odoo's own `__import__` and `__export__` are
    /// written so.
    package static let gateway = "__millgate__"

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

// MARK: - Which record has it

/// An integration user may not read `ir.model.data` (recording 714). `get_metadata`, which Odoo's own client calls for
/// "View Metadata", says the external ids of records that the user may read (by reading: `models.py`, 16 to 19). So
/// the records that were made since are asked for theirs.
extension OdooExternalID {
    /// Records asked about in one call. Default 200.
    package static let candidatesMax = 200
    /// Most pages of them. Default 25: 5,000 records of one model since the operation was accepted
    /// and after the newest that was known when it was sent.
    package static let pagesMax = 25
    /// How far Odoo's clock may be behind ours. Default 1 hour.
    package static let clockSkewMax: Nanoseconds = .hours(1)

    package func candidates(_ model: String, since: WallInstant, after id: Int) -> OdooCall {
        .searchRead(
            model,
            domain: [["create_date", ">=", .string((since + -Self.clockSkewMax).odoo)], ["id", ">", JSONValue(id)]],
            fields: ["id"], limit: Self.candidatesMax, order: "id")
    }

    package static func metadata(_ model: String, _ ids: [Int]) -> OdooCall {
        .button(model, "get_metadata", ids: ids)
    }

    /// The record among the answers to `metadata` that has this id. A record may have several; `xmlid` is the newest.
    package func found(in metadata: JSONValue?) -> Int? {
        for record in metadata?.array ?? [] {
            let all = record["xmlids"]?.array?.compactMap { $0["xmlid"]?.string } ?? []
            if record["xmlid"]?.string == description || all.contains(description) { return record["id"]?.int }
        }
        return nil
    }
}
