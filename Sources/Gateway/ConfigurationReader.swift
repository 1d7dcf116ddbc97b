import Bytes
import Documents
import Identity
import Reactor
import Server

/// Reads the configuration file and reports everything that is wrong in it at once.
///
/// It opens no file: paths are taken as they are written, relative to the working directory of the process. What the
/// files hold is checked by those who load them (`millgate check` loads them all).
package struct ConfigurationReader {
    let reader = DocumentReader()
    var result = Configuration()
    /// Where `odoo` stands, for what is only wrong once the environment was looked at.
    var odooMark: DocumentMark
    let environment: [String: String]

    /// Environment variables that replace values of the file.
    package static let variables = ["ODOO_URL", "ODOO_DB", "ODOO_LOGIN", "ODOO_KEY_FILE"]

    /// - Parameters:
    ///   - file: the file's name, for errors.
    ///   - environment: the process's environment; `ODOO_URL`, `ODOO_DB`, `ODOO_LOGIN` and `ODOO_KEY_FILE` replace
    ///     what the file says of Odoo. Empty values count as not set.
    /// - Throws: all errors, sorted by place.
    package static func read(
        text: String, file: String, environment: [String: String] = [:]
    ) throws(DocumentErrors) -> Configuration {
        let (configuration, errors) = readWhatIsThere(text: text, file: file, environment: environment)
        if let errors { throw errors }
        return configuration
    }

    /// What could be read, and what is wrong, for `ConfigurationCheck`: the rest of a faulty file is looked at too.
    static func readWhatIsThere(
        text: String, file: String, environment: [String: String]
    ) -> (Configuration, DocumentErrors?) {
        var this = ConfigurationReader(file: file, environment: environment)
        let reader = this.reader
        reader.read(text, file: file) { this.read($0) }
        this.overrideFromEnvironment()
        return (this.result, reader.errors.isEmpty ? nil : DocumentErrors(reader.errors))
    }

    init(file: String, environment: [String: String]) {
        odooMark = DocumentMark(file: file, line: 1, column: 1)
        self.environment = environment
    }

    private mutating func read(_ map: DocumentMapping) {
        result.name = map.optional("name").flatMap(Self.name) ?? result.name
        result.reactors = map.int("reactors", in: 0...256, default: result.reactors)
        result.state = map.string("state", default: result.state)
        readPolicies(map)
        result.drainTimeout = map.duration("drain_timeout", in: 0 ... .minutes(10), default: result.drainTimeout)
        readListeners(map)
        readIdentity(map)
        readTokenService(map)
        readOdoo(map)
        readSites(map)
        readUpstreams(map)
        readRoutes(map)
        readLimits(map)
        readServer(map)
        readAudit(map)
        readLedger(map)
        readBatches(map)
        readEvents(map)
        readWebhooks(map)
        readLog(map)
    }

    // MARK: - Helpers

    /// Hands the mapping under `key`, when there is one, to `body`.
    func section(_ map: DocumentMapping, _ key: String, _ body: (DocumentMapping) -> Void) {
        map.optional(key)?.mapping(body)
    }

    /// Reads a list of mappings and refuses names that occur twice.
    func entries<T>(
        _ map: DocumentMapping, _ key: String, what: String, minCount: Int = 0, _ read: (DocumentMapping, String) -> T?
    ) -> [T] {
        var lines: [String: Int] = [:]
        return map.list(key, minCount: minCount) { value in
            value.mapping { entry -> T? in
                guard let given = entry.required("name") else { return read(entry, "") }
                let name = Self.name(given) ?? ""
                if let line = lines[name], !name.isEmpty {
                    given.report("a second \(what) '\(name)', first on line \(line)")
                } else {
                    lines[name] = given.mark.line
                }
                return read(entry, name)
            }
        }
    }

    /// A name as it stands in logs, metrics, policies and header fields.
    static func name(_ value: DocumentValue) -> String? {
        guard let text = value.string() else { return nil }
        let isGood =
            text.utf8.count <= 64 && text.utf8.first.map { $0 &- 97 < 26 } == true
            && text.utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 48 < 10 || "-._".utf8.contains($0) }
        if isGood { return text }
        value.report("a name is lower-case letters, digits, '-', '.' and '_', beginning with a letter, at most 64")
        return nil
    }

    /// A secret, which can only be named: `{file: PATH}` or `{env: NAME}`. Messages never repeat what stands there.
    static func secret(_ value: DocumentValue) -> SecretReference? {
        guard case .mapping = value.node.content else {
            value.report(
                "a secret is never written into this file; name where it is: {file: PATH} or {env: VARIABLE}")
            return nil
        }
        return value.mapping { map -> SecretReference? in
            switch (map.optional("file"), map.optional("env")) {
            case (let file?, nil): return file.string().map(SecretReference.file)
            case (nil, let variable?):
                guard let name = variable.string() else { return nil }
                if name.utf8.allSatisfy({ $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == 95 }) {
                    return .environment(name)
                }
                variable.report("'env' takes the name of an environment variable")
                return nil
            default:
                map.report("a secret is either {file: PATH} or {env: VARIABLE}")
                return nil
            }
        }
    }

    /// Durations of timeouts, from 10 ms on.
    func timeout(
        _ map: DocumentMapping, _ key: String, _ value: Nanoseconds, max: Nanoseconds = .minutes(60)
    ) -> Nanoseconds {
        map.duration(key, in: .milliseconds(10)...max, default: value)
    }
}
