import Bytes

/// Which Odoo is played.
package enum SandboxVersion: Int, Sendable, CaseIterable {
    case v17 = 17
    case v19 = 19

    /// Answers of 19 differ in many small places.
    var is19: Bool { self == .v19 }
}

/// Somebody who may log in.
package struct SandboxUser: Sendable, Hashable {
    /// What a user may do; a coarse picture of Odoo's groups.
    package enum Rights: Sendable, Hashable {
        case administrator
        /// Manufacturing and stock user, as the recordings' `mes`.
        case manufacturing
        /// Internal user without any application.
        case limited
    }

    package var id: Int
    package var login: String
    package var name: String
    package var password: String
    /// Accepted as password on `/jsonrpc` and as bearer on `/json/2`.
    package var apiKey: String?
    /// On 17 a user without one cannot post to the chatter (recording 17/032).
    package var email: String?
    package var rights: Rights

    package init(
        id: Int, login: String, name: String, password: String, apiKey: String? = nil, email: String? = nil,
        rights: Rights
    ) {
        self.id = id
        self.login = login
        self.name = name
        self.password = password
        self.apiKey = apiKey
        self.email = email
        self.rights = rights
    }
}

/// How long answers take; the glue waits, nothing here does. Zero by default.
package struct SandboxLatencies: Sendable, Hashable {
    /// Health, login page, static files.
    package var page: Nanoseconds = 0
    /// Reads and searches.
    package var read: Nanoseconds = 0
    package var create: Nanoseconds = 0
    package var write: Nanoseconds = 0
    package var confirm: Nanoseconds = 0
    package var markDone: Nanoseconds = 0
    package var scrap: Nanoseconds = 0
    package var startWork: Nanoseconds = 0
    /// Every other method.
    package var other: Nanoseconds = 0

    package init() {}

    /// The p50 figures of one prefork worker.
    package static func measured(_ version: SandboxVersion) -> SandboxLatencies {
        var latencies = SandboxLatencies()
        let is19 = version.is19
        latencies.page = .milliseconds(is19 ? 6 : 8)
        latencies.read = .milliseconds(is19 ? 11 : 16)
        latencies.create = .milliseconds(is19 ? 58 : 80)
        latencies.write = .milliseconds(is19 ? 16 : 16)
        latencies.confirm = .milliseconds(is19 ? 78 : 114)
        latencies.markDone = .milliseconds(is19 ? 163 : 118)
        latencies.scrap = .milliseconds(is19 ? 84 : 151)
        latencies.startWork = .milliseconds(is19 ? 114 : 79)
        latencies.other = .milliseconds(is19 ? 36 : 47)
        return latencies
    }

    func latency(model: String, method: String) -> Nanoseconds {
        switch method {
        case "read", "search", "search_read", "search_count", "fields_get", "read_group", "formatted_read_group",
            "name_search", "get_metadata", "version", "authenticate", "login":
            read
        case "create", "load", "copy": create
        case "write", "unlink": write
        case "action_confirm": confirm
        case "button_mark_done": markDone
        case "action_validate" where model == Model.scrap: scrap
        case "button_start": startWork
        default: other
        }
    }
}

/// What of Odoo is not in every installation.
package enum SandboxApp: String, Sendable, CaseIterable {
    /// Enterprise's quality application, in the fields that services use.
    case quality
    /// The gateway's own addon, `deploy/odoo-addon/millgate`.
    case addon
}

package struct SandboxConfiguration: Sendable {
    package var apps: Set<SandboxApp> = []
    package var version: SandboxVersion
    package var database: String
    package var users: [SandboxUser]
    package var seed: SandboxSeed
    package var latencies: SandboxLatencies
    /// False plays the prefork server, whose HTTP port answers 500 to an upgrade (recording 221).
    package var upgradesWebSockets: Bool
    /// Bytes of `/web/static/big`.
    package var bigFileSize: Int
    /// Calls at once, each for as long as `latencies` say; more wait in the order in which they came. 0 for any number.
    package var workersMax = 0
    /// A file keeps what happens.
    var keepsState = false

    /// Users are `admin` (password `admin`), `mes` (password `mes-pw`, API key `sandbox-key`) and `limited`.
    package init(
        version: SandboxVersion, database: String = "sandbox", apiKey: String = "sandbox-key",
        users: [SandboxUser]? = nil, seed: SandboxSeed = .demo, latencies: SandboxLatencies = SandboxLatencies()
    ) {
        self.version = version
        self.database = database
        self.users = users ?? Self.users(version, apiKey: apiKey)
        self.seed = seed
        self.latencies = latencies
        upgradesWebSockets = true
        bigFileSize = 4 << 20
    }

    /// With the ids of the recordings.
    static func users(_ version: SandboxVersion, apiKey: String) -> [SandboxUser] {
        let first = version.is19 ? 7 : 8
        return [
            SandboxUser(
                id: 2, login: "admin", name: "Mitchell Admin", password: "admin", email: "admin@example.com",
                rights: .administrator),
            SandboxUser(
                id: first, login: "mes", name: "MES Integration", password: "mes-pw", apiKey: apiKey,
                email: "mes@example.com", rights: .manufacturing),
            SandboxUser(
                id: first + 1, login: "limited", name: "Limited", password: "limited-pw",
                apiKey: apiKey + "-limited", email: "limited@example.com", rights: .limited),
        ]
    }
}
