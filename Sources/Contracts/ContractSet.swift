import Documents
import JSON

/// Every contract of a gateway, loaded together.
package struct ContractSet: Sendable {
    /// By operation, in alphabetical order.
    package let contracts: [Contract]
    /// The schemas of `types.yaml`, by name, in the order of the file.
    package let types: [(name: String, schema: Schema)]

    private let byOperation: [String: Int]

    package static let empty = ContractSet(contracts: [], types: [])

    private init(contracts: [Contract], types: [(name: String, schema: Schema)]) {
        self.contracts = contracts.sorted { $0.operation < $1.operation }
        self.types = types
        var index: [String: Int] = [:]
        for (place, contract) in self.contracts.enumerated() { index[contract.operation] = place }
        byOperation = index
    }

    /// The name of the file that holds the schemas which several contracts share.
    package static let typesFile = "types.yaml"

    /// Loads contracts: one operation in each file, and the shared schemas in `types.yaml`.
    /// - Throws: all errors of all files.
    package static func load(
        files: [(path: String, text: String)], with second: SecondThread = .none
    ) throws(DocumentErrors) -> ContractSet {
        let reader = DocumentReader()
        var definitions: [String: DocumentNode] = [:]
        var names: [String] = []
        func isTypes(_ path: String) -> Bool { path == typesFile || path.hasSuffix("/" + typesFile) }
        for file in files where isTypes(file.path) {
            reader.read(file.text, file: file.path) { mapping in
                for (name, node) in SchemaCompiler.definitions(mapping, reader: reader) {
                    if definitions[name] == nil { names.append(name) }
                    definitions[name] = node
                }
            }
        }
        let compiler = SchemaCompiler(reader: reader, definitions: definitions)
        var types: [(name: String, schema: Schema)] = []
        for name in names {
            if let schema = compiler.definition(name) { types.append((name, schema)) }
        }
        var contracts: [Contract] = []
        var shapes: [String: String] = [:]
        let definitionsRead = compiler.finished
        let rest = files.filter { !isTypes($0.path) }
        let read = DocumentFiles.read(rest, reporting: reader, with: second) { file, mapping, reader in
            ContractReader(schemas: SchemaCompiler(reader: reader, definitionsRead), file: file).contract(mapping)
        }
        for one in read {
            let contract = one.value
            if contracts.contains(where: { $0.operation == contract.operation }) {
                reader.report("a second contract of '\(contract.operation)'", at: one.mark)
            }
            for endpoint in contract.endpoints {
                let shape = "\(endpoint.method.rawValue) \(endpoint.path.shape)"
                if let other = shapes[shape] {
                    reader.report("'\(shape)' belongs to '\(other)' already", at: one.mark)
                }
                shapes[shape] = contract.operation
            }
            contracts.append(contract)
        }
        try reader.finish()
        return ContractSet(contracts: contracts, types: types)
    }

    /// The names of all operations: what policies may speak of.
    package var operations: Set<String> { Set(byOperation.keys) }

    package subscript(operation: String) -> Contract? { byOperation[operation].map { contracts[$0] } }

    // MARK: Routing

    package enum Route: Sendable {
        /// `captures` are the raw segments of the path's parameters, for `Endpoint.read`.
        case found(Contract, Endpoint, captures: [String])
        /// The path exists with these methods, in alphabetical order.
        case methodNotAllowed([String])
        case notFound
    }

    /// The endpoint of a request. `HEAD` finds what `GET` does. A literal segment goes before a parameter.
    ///
    /// - Parameter path: as it stands in the request's target, without the query.
    package func route(method: String, path: some StringProtocol) -> Route {
        let wanted = method == "HEAD" ? "GET" : method
        var best: (contract: Contract, endpoint: Endpoint, captures: [String])?
        var methods: Set<String> = []
        for contract in contracts {
            for endpoint in contract.endpoints {
                guard let captures = endpoint.path.match(path) else { continue }
                methods.insert(endpoint.method.rawValue)
                if endpoint.method == .get { methods.insert("HEAD") }
                guard endpoint.method.rawValue == wanted else { continue }
                if let best, best.captures.count <= captures.count { continue }
                best = (contract, endpoint, captures)
            }
        }
        if let best { return .found(best.contract, best.endpoint, captures: best.captures) }
        return methods.isEmpty ? .notFound : .methodNotAllowed(methods.sorted())
    }
}
