import Contracts

/// Something a caller can ask for, with what is known of it when it is decided.
package struct PolicyOperation: Sendable {
    package enum Kind: Sendable, Hashable {
        /// A business operation: its contract says what it takes.
        case governed
        /// A route to a server behind the gateway: method and path are all that is known.
        case proxied
    }

    package let name: String
    package let kind: Kind
    /// What is known of the resource when the operation is decided. Rules cannot tell by what is not.
    package let attributes: Set<Resource.Attribute>
    /// What conditions may ask of the request.
    package let input: OperationInput

    package init(
        _ name: String, kind: Kind = .governed, attributes: Set<Resource.Attribute> = Set(Resource.Attribute.allCases),
        input: OperationInput = .any
    ) {
        self.name = name
        self.input = input
        self.kind = kind
        self.attributes = attributes
    }

    /// Sending dead letters again, through the admin interface.
    package static let redrive = PolicyOperation("webhook.redrive", attributes: [], input: .redrive)
    /// The issuer under which roles name people of the admin interface, which has no tokens of its own.
    package static let adminIssuer = "urn:millgate:admin"

    /// A method of Odoo's RPC, or all that a pattern names.
    static func rpc(_ name: String) -> PolicyOperation {
        PolicyOperation(name, kind: .proxied, attributes: [], input: .rpc)
    }
}

/// Everything the gateway can be asked to do.
package struct OperationCatalog: Sendable {
    package let operations: [String: PolicyOperation]
    /// In alphabetical order.
    package let names: [String]

    package init(_ operations: [PolicyOperation]) {
        self.operations = Dictionary(operations.map { ($0.name, $0) }) { first, _ in first }
        names = self.operations.keys.sorted()
    }

    /// The business operations, each as its contract says, the receiving of events and what is done about deliveries,
    /// and the operations of proxied routes.
    package init(contracts: ContractSet, proxied: some Sequence<String>) {
        self.init(contracts: contracts, events: [], proxied: proxied)
    }

    package init(contracts: ContractSet, events: some Sequence<String>, proxied: some Sequence<String>) {
        self.init(
            contracts.contracts.map { contract in
                PolicyOperation(
                    contract.operation, attributes: Set(contract.resource.compactMap(Resource.Attribute.init)),
                    input: OperationInput(contract))
            } + [.redrive] + events.map { PolicyOperation($0, attributes: [.site]) }
                + proxied.map { PolicyOperation($0, kind: .proxied, attributes: [], input: .proxied) })
    }

    package subscript(name: String) -> PolicyOperation? { operations[name] }
}
