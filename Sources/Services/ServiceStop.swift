import Contracts
import Odoo
import Policy
import Store

/// Why a service ended without doing what it was asked.
package struct ServiceStop: Error, Sendable {
    package enum Meaning: Sendable, Hashable {
        /// For good: nothing was changed, and the answer is the same the next time.
        case refused
        /// The policy said no. Asked again, with the same key too, it is decided again.
        case forbidden
        /// Nothing was changed, for reasons that pass. The same request may be sent again with the same key.
        case away
        /// It may have happened. With `canSettle` a later read may tell; otherwise a person must look.
        case unknown(canSettle: Bool)
    }

    package let meaning: Meaning
    package var problem: Problem
    /// For our own log and the operation's journal; never shown to callers. Without secrets.
    package var cause: String?
    /// A read of the record proved it, in contrast to a read that failed.
    var isVerdict = false

    package init(_ meaning: Meaning, _ problem: Problem, cause: String? = nil) {
        self.meaning = meaning
        self.problem = problem
        self.cause = cause
    }

    static func notFound(_ what: String) -> ServiceStop {
        ServiceStop(.refused, Problem(.notFound, "there is no \(what)"))
    }

    static func invalid(_ violation: Violation) -> ServiceStop { ServiceStop(.refused, .invalidInput([violation])) }

    static func forbidden(_ operation: String, _ decision: Decision) -> ServiceStop {
        ServiceStop(.forbidden, decision.problem(operation: operation))
    }

    /// The record is busy with another call for longer than this one can wait.
    static let recordBusy = ServiceStop(
        .away,
        Problem(
            .overloaded, "other calls work on this record; nothing was done, try again with the same key",
            retryAfter: 5))
}

// MARK: - From Odoo

extension ServiceStop {
    /// Seconds after which a caller tries again when Odoo is away. Default 5: a restart of Odoo takes about that.
    static let retryAfterSeconds = 5

    /// What an error of Odoo means to the caller of a read, or of a write before its effect was sent.
    init(_ error: OdooError) {
        let cause = error.description
        switch error.kind {
        case .user, .validation, .access:
            self.init(.refused, .odooRefused(message: error.userMessage, error: error.name), cause: cause)
        case .missing: self.init(.refused, Problem(.notFound, "the record is gone"), cause: cause)
        case .unknownMethod, .arguments, .value, .request, .unreadable:
            self.init(
                .refused, Problem(.badGateway, "Odoo does not understand this gateway, or the other way round"),
                cause: cause)
        case .server: self.init(.refused, Problem(.badGateway, "Odoo failed while it worked on this"), cause: cause)
        case .serialization:
            self.init(
                .away,
                Problem(
                    .odooUnavailable, "others work on the same records in Odoo; nothing was done",
                    retryAfter: Self.retryAfterSeconds), cause: cause)
        case .accessDenied, .session, .unknownDatabase, .database, .gateway:
            self.init(
                .away,
                Problem(
                    .odooUnavailable, "Odoo cannot be used at the moment", retryAfter: Self.retryAfterSeconds),
                cause: cause)
        case .transport:
            self.init(
                .away,
                Problem(.odooUnavailable, "Odoo cannot be reached", retryAfter: Self.retryAfterSeconds),
                cause: cause)
        }
    }

    init(_ error: OdooShapeError) { self.init(error.asOdooError) }

    /// A recipe's refusal; the state is that of the order.
    init(_ refusal: RecipeRefusal, state: ProductionState) {
        let problem: Problem
        switch refusal {
        case .unsupportedVersion: problem = Problem(.notImplemented, refusal.description)
        case .quantityNotPositive, .quantityNotKept:
            problem = .invalidInput([Violation(pointer: "/quantity", refusal.description)])
        case .orderNotReleased, .orderDone, .orderCancelled, .orderInUnknownState, .orderChanged, .nothingRemains,
            .quantityExceedsRemaining, .componentsNotConsumed, .byproductShareInexact:
            var conflict = Problem.conflictState(
                refusal.description, state: ProductionOrderView.state(state),
                allowed: ["released", "in_progress", "to_close"])
            conflict.members["reason"] = .string(refusal.code)
            problem = conflict
        }
        self.init(.refused, problem, cause: refusal.code)
    }
}

// MARK: - From the ledger

extension ServiceStop {
    /// The ledger cannot take an entry, or cannot be read: what cannot be recorded is not done.
    static func ledger(_ error: StoreError) -> ServiceStop {
        ServiceStop(
            .away,
            Problem(
                .auditUnavailable, "the ledger cannot take an entry; nothing was done", retryAfter: retryAfterSeconds),
            cause: error.description)
    }

    static let auditRefused = ServiceStop(
        .away,
        Problem(
            .auditUnavailable, "the audit log cannot take an entry; nothing was done", retryAfter: retryAfterSeconds))

    /// The effect was sent, and nobody can say whether it happened.
    static func unknown(_ id: String, canSettle: Bool, cause: String) -> ServiceStop {
        var problem = Problem.outcomeUnknown(operation: ServiceAnswer.address(ofOperation: id))
        if !canSettle {
            problem.retryAfter = nil
            problem.detail =
                "somebody else changed the record meanwhile: \(cause); look at it in Odoo, and at `operation`"
        }
        return ServiceStop(.unknown(canSettle: canSettle), problem, cause: cause)
    }
}
