import Bytes
import HTTP
import JSON
import Limits
import Odoo
import Reactor
import Synchronization

/// How the gateway presents itself to Odoo.
package struct OdooLogin: Sendable, CustomStringConvertible, CustomReflectable {
    package var database: String
    package var login: String
    /// Password or API key. Never printed.
    package var key: String
    package var context: OdooContext

    package init(database: String, login: String, key: String, context: OdooContext) {
        self.database = database
        self.login = login
        self.key = key
        self.context = context
    }

    package var description: String { "`\(login)` of `\(database)`" }
    package var customMirror: Mirror { Mirror(reflecting: description) }
}

/// Calls Odoo from async code: detects the version, logs in, and says of each call what is known of its effect.
///
/// Detection and login happen at the first call and again after Odoo said that the credentials or the session are not
/// valid. JSON-2 is spoken where it exists and the key is accepted there, else JSON-RPC.
package final class OdooCaller: Sendable {

    private let fetcher: Fetcher
    private let login: OdooLogin
    private let timeout: Nanoseconds
    let session: OdooSessionBox
    private let numbers = Atomic<Int>(1)

    /// `timeout` bounds one call, its wait for a turn included.
    package init(fetcher: Fetcher, login: OdooLogin, timeout: Nanoseconds, session: OdooSessionBox) {
        self.fetcher = fetcher
        self.login = login
        self.timeout = timeout
        self.session = session
    }

    /// The same server and time limit under another name. `session` is that name's own.
    package func speaking(as name: String, key: String, session: OdooSessionBox) -> OdooCaller {
        var other = login
        other.login = name
        other.key = key
        return OdooCaller(fetcher: fetcher, login: other, timeout: timeout, session: session)
    }

    func nextID() -> Int { numbers.add(1, ordering: .relaxed).newValue }

    /// The version of Odoo that answers, detected at the first use.
    package func version(deadline: MonotonicInstant? = nil) async throws(OdooError) -> OdooVersion {
        try await establish(admission: .standard, deadline: deadline).version
    }

    /// The call's result; nil is the success of a method that returns nothing.
    package func call(
        _ call: OdooCall, admission: AdmissionClass = .standard, deadline: MonotonicInstant? = nil
    ) async throws(OdooError) -> JSONValue? {
        let session = try await establish(admission: admission, deadline: deadline)
        let id = numbers.add(1, ordering: .relaxed).newValue
        let answer = try await exchange(
            session.endpoint.request(for: call, id: id), admission: admission, deadline: deadline)
        switch session.endpoint.result(of: answer, id: id) {
        case .success(let value): return value
        case .failure(let error):
            if error.kind == .accessDenied || error.kind == .session { self.session.forget() }
            throw error
        }
    }

    func establish(
        admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> OdooSessionBox.Session {
        if let known = session.current { return known }
        let id = numbers.add(1, ordering: .relaxed).newValue
        let versionAnswer = try await exchange(OdooJSONRPC.version(id: id), admission: admission, deadline: deadline)
        let version: OdooVersion
        switch OdooJSONRPC.result(of: versionAnswer, id: id) {
        case .success(let value):
            guard let value, let found = OdooVersion(value) else {
                throw OdooError(name: "", message: "Odoo does not say its version")
            }
            version = found
        case .failure(let error): throw error
        }
        let authenticate = OdooJSONRPC.authenticate(
            database: login.database, login: login.login, secret: login.key, id: id + 1)
        let userAnswer = try await exchange(authenticate, admission: admission, deadline: deadline)
        let endpoint: OdooEndpoint
        let user: Int
        switch OdooJSONRPC.result(of: userAnswer, id: id + 1) {
        case .success(let value):
            guard let uid = value?.int else {
                throw OdooError(name: "odoo.exceptions.AccessDenied", message: "Odoo refuses the login")
            }
            user = uid
            endpoint = OdooEndpoint(
                credentials: .jsonRPC(database: login.database, user: uid, secret: login.key),
                context: login.context)
        case .failure(let error): throw error
        }
        var made = OdooSessionBox.Session(version: version, endpoint: endpoint, positional: endpoint, user: user)
        if version.hasJSON2, let better = await json2(admission: admission, deadline: deadline) {
            made.endpoint = better
        }
        session.set(made)
        return made
    }

    /// An endpoint over JSON-2, if the key is an API key that is accepted there; a password is not (recording 322).
    private func json2(admission: AdmissionClass, deadline: MonotonicInstant?) async -> OdooEndpoint? {
        let endpoint = OdooEndpoint(
            credentials: .json2(database: login.database, key: login.key), context: login.context)
        // Asks for nothing: what counts is that the key is accepted (recording 304, against 322).
        let probe = OdooCall.searchCount("mrp.production", domain: [["id", "=", 0]])
        do throws(OdooError) {
            let answer = try await exchange(
                endpoint.request(for: probe, id: 0), admission: admission, deadline: deadline)
            if case .success = endpoint.result(of: answer, id: 0) { return endpoint }
        } catch {
            return nil
        }
        return nil
    }

    func exchange(
        _ request: OdooRequest, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> OdooResponse {
        let now = Clock.monotonic()
        let latest = now + timeout
        var fields = request.fields
        if let traceparent = CallTrace.traceparent { fields.append((name: "traceparent", value: traceparent)) }
        let fetch = FetchRequest(
            method: request.method == "GET" ? .get : .post, target: request.path, fields: fields,
            body: request.body,
            admission: admission, deadline: min(deadline ?? latest, latest))
        switch await fetcher.fetch(fetch) {
        case .success(let answer):
            return OdooResponse(status: answer.status, contentType: answer["content-type"], body: answer.body)
        case .failure(let failure):
            throw OdooError(failure.asOdooFault)
        }
    }
}

/// The trace that calls to Odoo belong to (W3C Trace Context), for as long as a business service runs.
package enum CallTrace {
    @TaskLocal package static var traceparent: String?
}

/// What is known of Odoo's version and our login, shared by the callers of all reactors.
package final class OdooSessionBox: Sendable {
    package struct Session: Sendable {
        package var version: OdooVersion
        /// The better protocol of those that the server speaks.
        package var endpoint: OdooEndpoint
        /// JSON-RPC, for what only that can carry.
        package var positional: OdooEndpoint
        /// Our user's id (`res.users`).
        package var user: Int
    }

    private let state = Mutex<Session?>(nil)

    package init() {}

    package var current: Session? { state.withLock { $0 } }
    func set(_ session: Session) { state.withLock { $0 = session } }
    package func forget() { state.withLock { $0 = nil } }
}

extension UpstreamFailure {
    /// What the failure says of a call to Odoo.
    var asOdooFault: OdooTransportFault {
        switch self {
        case .connect, .connectTimeout, .tls, .circuitOpen, .overloaded, .waitedTooLong: .connectFailed
        case .closedWithoutAnswer: .closedWithoutAnswer
        case .torn, .malformed, .heldUp, .tooLarge, .cancelled: .tornResponse
        case .timeout: .timedOut
        }
    }
}
