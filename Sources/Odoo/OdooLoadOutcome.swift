import JSON

/// What the `load` of one row came to.
package enum OdooLoadOutcome: Hashable, Sendable {
    /// The record is there, now or since an earlier try.
    case created(id: Int)
    /// Contention with another load of the same id: the same call again, a few times.
    case again
    /// Odoo's reasons, by field. Nothing was created.
    case refused([OdooLoadAnswer.Message])

    /// What a result means; `lastTry` turns `again` into a refusal.
    package init(of result: JSONValue?, lastTry: Bool) throws(OdooShapeError) {
        guard let answer = OdooLoadAnswer(result) else {
            throw OdooShapeError(field: "ids", expected: "an answer of `load`")
        }
        switch answer {
        case .loaded(let ids):
            guard ids.count == 1 else { throw OdooShapeError(field: "ids", expected: "one id") }
            self = .created(id: ids[0])
        case .refused(let messages): self = answer.isWorthRetrying && !lastTry ? .again : .refused(messages)
        }
    }
}
