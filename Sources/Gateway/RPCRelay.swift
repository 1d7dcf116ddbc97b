import Upstream

/// Who calls Odoo for a script: our own users, chosen by the caller's roles. What a script sends as its password is
/// never Odoo's.
struct RPCRelay: Sendable {
    let main: OdooCaller
    /// The one database that is served.
    let database: String
    private let accounts: [(roles: Set<String>, caller: OdooCaller)]

    init(main: OdooCaller, database: String, accounts: OdooAccounts) {
        self.main = main
        self.database = database
        self.accounts = accounts.accounts.map {
            ($0.roles, main.speaking(as: $0.login, key: $0.key, session: $0.session))
        }
    }

    /// The same with the accounts of a reload. Calls that are under way end under the account they began with.
    func with(_ accounts: OdooAccounts) -> RPCRelay { RPCRelay(main: main, database: database, accounts: accounts) }

    /// The first account that one of the roles has, else the gateway's own.
    func caller(for roles: [String]) -> OdooCaller {
        accounts.first { !$0.roles.isDisjoint(with: roles) }?.caller ?? main
    }
}
