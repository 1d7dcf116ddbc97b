import Bytes

/// What a read of the record says about the effect of a recipe, after its call or after an interruption.
package enum RecipeVerdict: Hashable, Sendable {
    /// The effect is there, as it was meant.
    case applied
    /// The effect is not there. Proof only when the call cannot run any more: Odoo answered, or `callRunsMax` passed
    /// (or what is configured) since it was sent.
    case notApplied
    /// The record is in a state that neither the call nor its absence explains: somebody else was there. A person
    /// must look.
    case conflict(String)

    /// Longest time a call can still run in Odoo after nobody listens any more: `limit_time_real`, 120 s by default,
    /// and a margin. (Contended rows were given up after 17 s, recordings 355, 356.)
    package static let callRunsMax: Nanoseconds = .seconds(150)
}
