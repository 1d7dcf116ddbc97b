import Bytes
import Documents

extension ConfigurationReader {
    mutating func readOdoo(_ map: DocumentMapping) {
        section(map, "odoo") { odoo in
            odooMark = odoo.mark
            var odooConfiguration = result.odoo
            if let value = odoo.optional("sandbox"), let version = value.int() {
                if version == 17 || version == 19 {
                    odooConfiguration.sandboxVersion = version
                } else {
                    value.report("the sandbox speaks as Odoo 17 or 19, not \(version)")
                }
            }
            odooConfiguration.sandboxHasAddon = odoo.bool(
                "sandbox_addon", default: odooConfiguration.sandboxHasAddon)
            odooConfiguration.addon = odoo.choice("addon", default: odooConfiguration.addon)
            if let value = odoo.optional("url") {
                odooConfiguration.url = Self.url(value)
                if odoo.optional("sandbox") != nil {
                    value.report("either 'url' for a real Odoo or 'sandbox' for the built-in one, not both")
                }
                odooMark = value.mark
            }
            if let database = odoo.string("database") { odooConfiguration.database = database }
            if let login = odoo.string("login") { odooConfiguration.login = login }
            odooConfiguration.key = odoo.optional("key").flatMap(Self.secret)
            if odoo.optional("url") != nil {
                for (key, variable) in [("database", "ODOO_DB"), ("login", "ODOO_LOGIN"), ("key", "ODOO_KEY_FILE")]
                where odoo.optional(key) == nil && self.variable(variable) == nil {
                    reader.report("a real Odoo needs '\(key)' (or \(variable) in the environment)", at: odooMark)
                }
            }
            odooConfiguration.language = odoo.string("language", default: odooConfiguration.language)
            odooConfiguration.timeZone = odoo.string("time_zone", default: odooConfiguration.timeZone)
            if odoo.optional("companies") != nil {
                odooConfiguration.companies = odoo.list("companies", minCount: 1) { $0.int(in: 1...Int(Int32.max)) }
            }
            odooConfiguration.inFlightMax = odoo.int("in_flight", in: 1...1_024, default: odooConfiguration.inFlightMax)
            odooConfiguration.queueMax = odoo.int("queue", in: 0...65_536, default: odooConfiguration.queueMax)
            odooConfiguration.callTimeout = odoo.duration(
                "call_timeout", in: .seconds(1) ... .minutes(30), default: odooConfiguration.callTimeout)
            odooConfiguration.callRunsMax = odoo.duration(
                "call_runs_max", in: .seconds(1) ... .hours(6), default: odooConfiguration.callRunsMax)
            odooConfiguration.readCacheBytesMax = odoo.byteCount(
                "read_cache", in: 0...4_294_967_296, default: odooConfiguration.readCacheBytesMax)
            odooConfiguration.authoritiesFile = odoo.string("authorities")
            odooConfiguration.accounts = entries(odoo, "accounts", what: "account") { entry, name in
                let login = entry.requiredString("login")
                let roles = entry.list("roles", minCount: 1) { Self.name($0) }
                guard let key = entry.required("key").flatMap(Self.secret) else { return nil }
                return OdooAccount(name: name, login: login, key: key, roles: roles, mark: entry.mark)
            }
            result.odoo = odooConfiguration
        }
    }

    /// A variable that is set to something.
    private func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// What `ODOO_URL=… ODOO_DB=… ODOO_LOGIN=… ODOO_KEY_FILE=… make run` says goes before the file.
    mutating func overrideFromEnvironment() {
        func mark(_ variable: String) -> DocumentMark { DocumentMark(file: "$" + variable, line: 1, column: 1) }
        if let file = variable("ODOO_KEY_FILE") { result.odoo.key = .file(file) }
        if let database = variable("ODOO_DB") { result.odoo.database = database }
        if let login = variable("ODOO_LOGIN") { result.odoo.login = login }
        guard let url = variable("ODOO_URL") else { return }
        if let wrong = Self.complaint(ofURL: url) {
            reader.report(wrong, at: mark("ODOO_URL"))
        }
        let isComplete = result.odoo.url != nil
        result.odoo.url = url
        if variable("ODOO_DB") == nil, !isComplete {
            reader.report("missing: the database at ODOO_URL", at: mark("ODOO_DB"))
        }
        if variable("ODOO_LOGIN") == nil, !isComplete {
            reader.report("missing: the login at ODOO_URL", at: mark("ODOO_LOGIN"))
        }
        if result.odoo.key == nil {
            reader.report("missing: the file with the API key for ODOO_URL", at: mark("ODOO_KEY_FILE"))
        }
    }

    mutating func readSites(_ map: DocumentMapping) {
        var warehouses: [String: Int] = [:]
        result.sites = entries(map, "sites", what: "site") { entry, name in
            guard let value = entry.required("warehouse"), let code = value.string() else { return nil }
            if let line = warehouses[code] {
                value.report("warehouse '\(Suggestion.shortened(code))' is a site already, on line \(line)")
            } else {
                warehouses[code] = value.mark.line
            }
            return SiteConfiguration(
                name: name, warehouse: code, workCenters: entry.strings("work_centers"),
                holdLocation: entry.optional("hold_location")?.string())
        }
    }

    // MARK: - URLs

    /// `http://host`, `https://host:port`; reports anything more.
    static func url(_ value: DocumentValue) -> String? {
        guard let text = value.string() else { return nil }
        guard let wrong = complaint(ofURL: text) else { return text }
        value.report(wrong)
        return nil
    }

    /// What is wrong with the URL of a server. Never repeats it: somebody may have written a password into it.
    static func complaint(ofURL text: String) -> String? {
        let form = "expected a URL such as http://127.0.0.1:8069 or https://odoo.example"
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return form }
        var rest = text.dropFirst(scheme.count)
        if rest.contains("@") { return "no user and no password in a URL; secrets are named under their own keys" }
        if rest.last == "/" { rest.removeLast() }
        if rest.contains(where: { "/?#".contains($0) }) { return "the URL ends after host and port; it has no path" }
        var host = rest
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return form }
            host = rest[rest.startIndex...end]
        } else if let colon = rest.firstIndex(of: ":") {
            host = rest[..<colon]
        }
        let port = rest[host.endIndex...]
        if !port.isEmpty {
            guard port.first == ":", let number = UInt16(port.dropFirst()), number > 0 else {
                return "the port is not 1 to 65535"
            }
        }
        let isGood =
            !host.isEmpty && host.utf8.count <= 253
            && host.utf8.allSatisfy { $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || "-._:[]".utf8.contains($0) }
        return isGood ? nil : form
    }
}
