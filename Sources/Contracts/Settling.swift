import Documents

/// How it is found out what became of a write whose answer was lost, and what follows: the part of a contract that
/// somebody reads who must know what `unknown` means there.
///
/// Where the effect is found the operation completes. Where it is certain that it is not there `absent` says what is done.
/// Where neither can be told within the settle limit, a person gets the operation with its journal, and in it
/// `handedOver`.
package struct Settling: Sendable, Hashable {
    /// By what one sees the effect in Odoo.
    package enum Evidence: String, CaseIterable, Sendable {
        /// A record with an external id made of the operation's id.
        case externalID = "external-id"
        /// The state of the record it is about.
        case state
        /// A figure that is what was asked for.
        case quantity
        /// The operation's id in a text.
        case mark
    }

    package enum Absence: String, CaseIterable, Sendable {
        /// It is sent again: it cannot be at work any more, or does nothing the second time.
        case repeats
        /// What was prepared is put back, and the caller is told that nothing was done.
        case compensates
    }

    package let evidence: Evidence
    /// What is looked at, in a sentence.
    package let look: String
    package let absence: Absence
    /// The facts that a person finds in the operation's journal.
    package let handedOver: [String]

    /// For documents and pages.
    package var text: String {
        let next =
            switch absence {
            case .repeats: "it is sent again"
            case .compensates: "what was prepared is put back and the caller is told that nothing was done"
            }
        return
            "\(look) Found, the operation completes. Certainly absent, \(next). Where neither can be told within the "
            + "settle limit, a person gets it with \(handedOver.joined(separator: ", "))."
    }
}

extension Settling {
    /// Of a site's own service: what its recipe does.
    init(_ recipe: SiteRecipe) {
        switch recipe.strategy {
        case .create:
            evidence = .externalID
            look = "The \(recipe.model) with the operation's external id, among those made since."
        case .absolute:
            evidence = .state
            look = "The fields of the \(recipe.model): they are what the request says."
        case .call:
            evidence = .state
            look = "The field `\(recipe.done?.field ?? "")` of the \(recipe.model)."
        }
        absence = .repeats
        handedOver = ["the record", "when it was sent"]
    }
}

/// Reads `settling` of a contract.
enum SettlingReader {
    static func settling(_ mapping: DocumentMapping) -> Settling {
        Settling(
            evidence: mapping.required("found_by")?.choice(Settling.Evidence.self, what: "evidence") ?? .state,
            look: mapping.requiredString("look"),
            absence: mapping.required("absent")?.choice(Settling.Absence.self, what: "consequence") ?? .repeats,
            handedOver: mapping.required("handed_over")?.list(minCount: 1) { $0.string() } ?? [])
    }

    /// Of a write; a site's own service needs none, because its recipe says it.
    static func settling(
        _ mapping: DocumentMapping, _ kind: Contract.Kind, _ recipe: SiteRecipe?
    ) -> Settling? {
        guard let value = mapping.optional("settling") else {
            if let recipe { return Settling(recipe) }
            if kind == .write {
                mapping.report("missing key 'settling': how it is found out what became of a lost answer")
            }
            return nil
        }
        if kind != .write { value.report("only a write has an outcome to settle") }
        return value.mapping { settling($0) }
    }
}
