import Upstream

/// Who calls Odoo for a script: our own users, chosen by the caller's roles. What a script sends as its password is
/// never Odoo's.
struct RPCRelay: Sendable {
    let main: OdooCaller
    /// The one database that is served.
    let database: String
    let accounts: [(roles: Set<String>, caller: OdooCaller)]

    /// The first account that one of the roles has, else the gateway's own.
    func caller(for roles: [String]) -> OdooCaller {
        accounts.first { !$0.roles.isDisjoint(with: roles) }?.caller ?? main
    }
}
