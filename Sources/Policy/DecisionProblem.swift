import Bytes
import Contracts
import JSON

extension Decision {
    /// The refusal as its caller sees it: the operation always, the rule and what would help as far as the policy says
    /// that callers may know.
    package func problem(operation: String) -> Problem {
        var problem = Problem(type, told, members: ["operation": .string(operation)])
        if disclosure != .operation { problem.members["rule"] = rule.map { .string($0) } ?? .null }
        if disclosure == .help { addHelp(&problem) }
        if case .need(.freshToken(let most)) = cause {
            let seconds = most / 1_000_000_000
            problem.members["max_age"] = JSONValue(Int(seconds))
            // RFC 9470 §3: the caller is to sign in again.
            problem.challenge =
                "Bearer error=\"insufficient_user_authentication\", "
                + "error_description=\"a more recent authentication is required\", max_age=\(seconds)"
        }
        return problem
    }

    private var type: ProblemType {
        switch cause {
        case .need(.clientCertificate): .clientCertificateRequired
        case .need(.freshToken): .freshTokenRequired
        case .need(.secondPerson): .approvalRequired
        case .rule, .noRule, .otherResources, .condition, .unknownOperation, .staleRoles: .forbidden
        }
    }

    private var told: String {
        switch (cause, disclosure) {
        // What the request lacks must be said, or it could never be brought.
        case (.need(.clientCertificate), _): "connect with a client certificate"
        case (.need(.freshToken(let most)), _):
            "sign in again and send a token that is not older than \(most / 1_000_000_000) s"
        case (.need(.secondPerson), _): "a second person must approve this; then send the same request again"
        case (_, .operation): "this is not allowed to you"
        case (_, .rule), (_, .help): reason
        }
    }

    private func addHelp(_ problem: inout Problem) {
        if let help { problem.members["help"] = .string(help) }
        let failed = clauses.filter { $0.held != true }
        if cause == .condition, !failed.isEmpty {
            problem.members["unmet"] = .array(failed.map { .string($0.text) })
        }
        if cause == .noRule, !rolesThatMay.isEmpty {
            problem.members["roles"] = .array(rolesThatMay.map { .string($0) })
        }
    }
}
