/// Why a call has no result: a closed set of kinds, and what it says about the effect.
///
/// Odoo's `debug` (a traceback with server paths) is never kept. Messages are translated and partly confidential:
/// `userMessage` alone may be shown to callers, `message` is for our own log.
package struct OdooError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        // What Odoo answered, by the class of the exception.
        /// The credentials are wrong.
        case accessDenied
        /// The user lacks the right, the method is private, or the company is foreign.
        case access
        /// A record is gone. (`read` of a gone record is no error but an empty list.)
        case missing
        /// A business refusal. On `/jsonrpc` also an unknown model (recording 166).
        case user
        /// A constraint: required, unique, foreign key, check.
        case validation
        /// No such method; over JSON-2 also no such model or path.
        case unknownMethod
        /// Too few, too many or misnamed arguments.
        case arguments
        /// Unknown field, bad domain, bad selection, bad date: the caller's fault, though JSON-2 says 500.
        case value
        /// The row was contended through all of Odoo's own tries (recordings 355, 356). May be tried again.
        case serialization
        /// The web session is over; RPC calls have none.
        case session
        /// PostgreSQL could not be reached or went away: an unknown database (recording 007), or a connection lost in
        /// the middle, perhaps at COMMIT.
        case database
        /// Any other exception in Odoo.
        case server
        // What came instead of an answer of Odoo's RPC.
        /// No such database, or no JSON-2 at this address (recording 350).
        case unknownDatabase
        /// The request was refused before it ran: no JSON, wrong Content-Type, wrong path, or a proxy's 4xx.
        case request
        /// A page with 5xx: Odoo's front, or a proxy before it.
        case gateway
        /// A success that cannot be read: no JSON, another request's, or of a shape a recipe does not know.
        case unreadable
        /// No answer at all.
        case transport
    }

    package let kind: Kind
    /// The class of the exception, `odoo.exceptions.UserError`; empty when there was none.
    package let name: String
    /// Odoo's message as it came, at most `messageCharactersMax`. May hold paths and names of hosts.
    package let message: String
    package let outcome: OdooOutcome

    /// Longest message kept, in characters. Default 1,000: a constraint's text with a dozen records.
    package static let messageCharactersMax = 1_000

    init(_ kind: Kind, name: String, message: String, outcome: OdooOutcome = .rejected) {
        self.kind = kind
        self.name = String(name.prefix(200))
        self.message = String(message.prefix(Self.messageCharactersMax))
        self.outcome = outcome
    }

    package init(_ fault: OdooTransportFault) {
        self.init(.transport, name: "", message: fault.description, outcome: fault.outcome)
    }

    static func unreadable(_ why: String) -> OdooError {
        OdooError(.unreadable, name: "", message: why, outcome: .unknown(mayStillRun: false))
    }

    package var description: String {
        name.isEmpty ? "\(kind.rawValue): \(message)" : "\(kind.rawValue) (\(name)): \(message)"
    }

    /// Another try of the same call is worth it and does no harm, whatever the call.
    package var isRetryable: Bool { kind == .serialization || outcome == .notSent }

    /// What may be shown to the caller: Odoo's words to the user where they are meant for one, or nil.
    ///
    /// Business refusals and constraints whole (they list the products concerned on further lines, recording 112);
    /// of rights and gone records the first line, because the rest names groups, tables and user ids (170, 172).
    package var userMessage: String? {
        switch kind {
        case .user, .validation: message.isEmpty ? nil : Self.trimmed(message[...])
        case .access, .missing: message.split(whereSeparator: \.isNewline).first.map { Self.trimmed($0) }
        case .accessDenied, .unknownMethod, .arguments, .value, .serialization, .session, .database, .server,
            .unknownDatabase, .request, .gateway, .unreadable, .transport:
            nil
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isWhitespace == true { text.removeFirst() }
        return String(text)
    }
}

// MARK: - Classification

extension OdooError {
    /// By the class of the exception.
    package init(name: String, message: String) {
        let kind = Self.kind(ofException: name)
        self.init(kind, name: name, message: message, outcome: Self.outcome(kind, exception: name))
    }

    static func kind(ofException name: String) -> Kind {
        switch name {
        case "odoo.exceptions.AccessDenied", "werkzeug.exceptions.Unauthorized": .accessDenied
        case "odoo.exceptions.AccessError", "werkzeug.exceptions.Forbidden": .access
        case "odoo.exceptions.MissingError": .missing
        case "odoo.exceptions.UserError", "odoo.exceptions.RedirectWarning", "odoo.exceptions.Warning": .user
        case "odoo.exceptions.ValidationError": .validation
        case "builtins.AttributeError", "builtins.NameError", "werkzeug.exceptions.NotFound": .unknownMethod
        case "builtins.TypeError", "builtins.IndexError", "werkzeug.exceptions.UnprocessableEntity": .arguments
        case "builtins.ValueError": .value
        case "werkzeug.exceptions.BadRequest", "werkzeug.exceptions.UnsupportedMediaType",
            "werkzeug.exceptions.MethodNotAllowed", "werkzeug.exceptions.RequestEntityTooLarge":
            .request
        case "odoo.http.SessionExpiredException": .session
        case "psycopg2.errors.SerializationFailure", "psycopg2.errors.DeadlockDetected",
            "psycopg2.errors.LockNotAvailable", "odoo.exceptions.ConcurrencyError":
            .serialization
        case "psycopg2.errors.NotNullViolation", "psycopg2.errors.UniqueViolation",
            "psycopg2.errors.ForeignKeyViolation", "psycopg2.errors.CheckViolation":
            .validation
        case "psycopg2.OperationalError", "psycopg2.InterfaceError", "psycopg2.DatabaseError",
            "psycopg2.errors.AdminShutdown", "psycopg2.errors.CrashShutdown", "psycopg2.errors.CannotConnectNow",
            "psycopg2.errors.TooManyConnections", "psycopg2.errors.IdleInTransactionSessionTimeout":
            .database
        // Its exceptions are business refusals: everything is taken back.
        case _ where name.hasPrefix(OdooAddon.Refusal.prefix): .user
        default: .server
        }
    }

    /// An error answer proves a rollback, but for two cases: PostgreSQL went away, perhaps in COMMIT; and an exception
    /// that belongs neither to Odoo nor to Python nor to a statement, which may come from a hook that runs after
    /// COMMIT (mail, webhooks). In both the call is over, so that a read tells.
    private static func outcome(_ kind: Kind, exception name: String) -> OdooOutcome {
        switch kind {
        case .database: return .unknown(mayStillRun: false)
        case .server:
            for prefix in ["builtins.", "odoo.", "werkzeug.", "psycopg2.errors."] where name.hasPrefix(prefix) {
                return .rejected
            }
            return .unknown(mayStillRun: false)
        default: return .rejected
        }
    }

    enum Wire { case jsonRPC, json2 }

    /// By the status, when the body is not what Odoo's RPC writes.
    static func notOdoo(status: Int, protocol wire: Wire) -> OdooError {
        let what = "status \(status) with a body that is no answer of Odoo"
        switch status {
        case 404 where wire == .json2: return OdooError(.unknownDatabase, name: "", message: what)
        case 300..<500: return OdooError(.request, name: "", message: what)
        // A proxy that gave up waiting says 5xx while Odoo goes on.
        case 500..<600:
            return OdooError(.gateway, name: "", message: what, outcome: .unknown(mayStillRun: true))
        default: return .unreadable(what)
        }
    }
}
