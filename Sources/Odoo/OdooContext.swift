import JSON

/// What every call says about the language, time zone and companies it works in.
///
/// Messages are translated into `language`; one that is not installed is a `UserError` on 19, so it is configured, and
/// `en_US` always exists. Without `companies` Odoo takes all the user may see; a foreign one is an `AccessError`
/// (recordings 031, 347).
package struct OdooContext: Hashable, Sendable {
    package var language: String
    /// Name of a time zone; concerns what Odoo prints, not datetimes of fields, which are always UTC.
    package var timeZone: String
    /// `allowed_company_ids`; left out when empty.
    package var companies: [Int]

    package init(language: String = "en_US", timeZone: String = "UTC", companies: [Int]) {
        self.language = language
        self.timeZone = timeZone
        self.companies = companies
    }

    /// The members for one call, with the call's own added; these win.
    func json(adding own: JSONObject) -> JSONValue {
        var members: JSONObject = ["lang": .string(language), "tz": .string(timeZone)]
        if !companies.isEmpty { members["allowed_company_ids"] = .array(companies.map { JSONValue($0) }) }
        for (key, value) in own.members { members[key] = value }
        return .object(members)
    }
}
