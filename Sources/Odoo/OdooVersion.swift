import JSON

/// Which Odoo answers, and what differs from version to version.
package struct OdooVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// 17 for `17.0`, 18 for `saas~18.2`.
    package let major: Int
    package let minor: Int

    package init(major: Int, minor: Int = 0) {
        self.major = major
        self.minor = minor
    }

    /// Reads the answer of `common.version`, of `GET /web/version` or of `/web/session/authenticate`; nil when it
    /// names no version (recordings 001, 215, 210).
    package init?(_ answer: JSONValue) {
        let info = answer["server_version_info"] ?? answer["version_info"]
        if let info, let major = Self.number(info[0]), let minor = info[1]?.int, (0..<100).contains(minor) {
            self.init(major: major, minor: minor)
            return
        }
        guard let text = answer["server_version"]?.string ?? answer["version"]?.string else { return nil }
        self.init(text: text)
    }

    /// Reads `17.0`, `19.0+e` or `saas~18.2`.
    package init?(text: String) {
        var rest = text[...]
        if rest.hasPrefix("saas~") { rest = rest.dropFirst(5) }
        let parts = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            .split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, let major = Int(first), Self.plausible.contains(major) else { return nil }
        self.init(major: major, minor: parts.count > 1 ? min(Int(parts[1]) ?? 0, 99) : 0)
    }

    private static let plausible = 8..<100

    /// `19`, or `"saas~18"` on the hosted versions between two releases.
    private static func number(_ value: JSONValue?) -> Int? {
        if let major = value?.int { return plausible.contains(major) ? major : nil }
        guard let text = value?.string else { return nil }
        return OdooVersion(text: text)?.major
    }

    package static func < (a: Self, b: Self) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

    package var description: String { "\(major).\(minor)" }
}

// MARK: - What differs

extension OdooVersion {
    /// `/jsonrpc` is there. 19 says in its log that 20 removes it.
    package var hasJSONRPC: Bool { major <= 19 }

    /// `/json/2` is there.
    package var hasJSON2: Bool { major >= 19 }

    /// `mrp.production.set_qty_producing` may be called from outside (recordings 19/074, 093). On 17 it is private
    /// (recording 17/168), and the component moves are written one by one. 18 by reading.
    package var hasSetQuantityProducing: Bool { major >= 18 }

    /// The field of `stock.move` that holds the done quantity.
    package var doneQuantityField: String { major >= 17 ? "quantity" : "quantity_done" }

    /// `stock.move.picked` is there, and a quantity counts only when it is set.
    package var hasPicked: Bool { major >= 17 }

    /// The field of `mrp.production` for the lots or serial numbers produced; a list on 19.
    package var lotProducingField: String { major >= 19 ? "lot_producing_ids" : "lot_producing_id" }

    /// The condition that keeps products whose stock is counted (recordings 015, 033).
    package var storableCondition: JSONValue {
        major >= 18 ? ["is_storable", "=", true] : ["type", "=", "product"]
    }

    /// `mrp.workorder.button_pending` and `button_start` return nothing: no `result` key (recordings 053, 057).
    package var buttonPendingReturnsNothing: Bool { major >= 18 }

    /// `error.code` of an ordinary error; says nothing more.
    package var errorCode: Int { major >= 19 ? 0 : 200 }

    /// Our recipes that write were proved on recordings of 17 and 19, and read for 18. Elsewhere they refuse.
    package var hasWritingRecipes: Bool { (17...19).contains(major) }
}
