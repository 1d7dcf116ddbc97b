/// What is known about the effect of a call.
package enum OdooOutcome: Hashable, Sendable {
    /// Odoo answered with a result: the transaction is committed. (Whether it did what was meant is the recipe's
    /// question: a result may be a wizard that waits for a decision.)
    case applied
    /// Odoo answered with an error and rolled back, or never ran the call.
    case rejected
    /// Nothing left this machine.
    case notSent
    /// Cannot be known from here. With `mayStillRun` Odoo may still be at work and commit later, up to its own time
    /// limit: a read that shows no effect proves nothing before that.
    case unknown(mayStillRun: Bool)
}

/// How an exchange broke off without an answer.
package enum OdooTransportFault: Hashable, Sendable {
    /// No connection, or not one byte of the request was sent.
    case connectFailed
    /// The connection ended with zero bytes of an answer: a worker over `limit_time_real` is killed so (recording
    /// 601), and after SIGTERM connections are accepted and closed (603).
    case closedWithoutAnswer
    /// The answer began and broke off, or was malformed HTTP.
    case tornResponse
    /// No whole answer in time.
    case timedOut

    package var outcome: OdooOutcome {
        switch self {
        case .connectFailed: .notSent
        case .closedWithoutAnswer, .tornResponse, .timedOut: .unknown(mayStillRun: true)
        }
    }

    package var description: String {
        switch self {
        case .connectFailed: "Odoo cannot be reached"
        case .closedWithoutAnswer: "Odoo closed the connection without an answer"
        case .tornResponse: "Odoo's answer broke off"
        case .timedOut: "Odoo did not answer in time"
        }
    }
}
