import Documents
import Upstream

/// The users of `odoo.accounts` with their keys, each with a session that all reactors share. Read at the start and at each
/// reload; an account whose login and key are what they were keeps its session.
struct OdooAccounts: Sendable {
    struct Account: Sendable {
        /// Callers with one of these roles.
        let roles: Set<String>
        let login: String
        /// Password or API key. Never printed.
        let key: String
        let session: OdooSessionBox
    }

    private let byName: [(name: String, account: Account)]

    var accounts: [Account] { byName.map(\.account) }

    /// - Throws: which keys are not to be had, where the configuration names them.
    init(
        _ odoo: OdooConfiguration, earlier: OdooAccounts? = nil, warn: (String) -> Void
    ) throws(DocumentErrors) {
        var errors: [DocumentError] = []
        var read: [(name: String, account: Account)] = []
        for entry in odoo.accounts {
            do throws(SecretError) {
                let key = String(decoding: try entry.key.resolve(warn: warn), as: UTF8.self)
                let known = earlier?.byName.first {
                    $0.name == entry.name && $0.account.login == entry.login && $0.account.key == key
                }
                read.append(
                    (
                        entry.name,
                        Account(
                            roles: Set(entry.roles), login: entry.login, key: key,
                            session: known?.account.session ?? OdooSessionBox())
                    ))
            } catch {
                errors.append(
                    DocumentError(
                        file: entry.mark.file, line: entry.mark.line, column: entry.mark.column,
                        message: "the key of account '\(entry.name)': \(error)"))
            }
        }
        guard errors.isEmpty else { throw DocumentErrors(errors) }
        byName = read
    }
}
