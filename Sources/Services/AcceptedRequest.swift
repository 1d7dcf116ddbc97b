import Bytes
import Contracts
import JSON
import Limits

/// A write as it is stored when it is accepted: with all that is needed to go on with it when the request, and perhaps
/// the process, is gone.
struct AcceptedRequest: Sendable, Hashable {
    let operation: String
    let endpoint: String
    let path: JSONObject
    /// Typed and with defaults, as the contract has it.
    let body: JSONValue
    let requestID: String
    /// The caller was told that it goes on without the request.
    let isAsync: Bool
    /// How long it is tried again while Odoo is away.
    let until: WallInstant
    let admission: AdmissionClass
    /// What the policy permitted when it was accepted.
    let permissions: SitePermissions

    /// A parameter of the path that the contract calls an integer.
    var id: Int? { path["id"]?.int }

    /// What makes two requests the same: the digest is taken of this.
    var identity: JSONValue {
        ["operation": .string(operation), "endpoint": .string(endpoint), "path": .object(path), "body": body]
    }

    // MARK: For the ledger

    var json: JSONValue {
        [
            "endpoint": .string(endpoint), "path": .object(path), "body": body, "request_id": .string(requestID),
            "async": .bool(isAsync), "until": .string(until.rfc3339), "admission": JSONValue(admission.rawValue),
            "permissions": permissions.json,
        ]
    }

    /// Nil when it is not what `json` writes.
    init?(operation: String, stored: [UInt8]) {
        guard let json = try? JSONValue.parse(stored), let endpoint = json["endpoint"]?.string,
            let path = json["path"]?.object, let body = json["body"], let requestID = json["request_id"]?.string,
            let isAsync = json["async"]?.bool, let until = json["until"]?.string.flatMap({ WallInstant($0) }),
            let admission = json["admission"]?.int.flatMap({ AdmissionClass(rawValue: $0) }),
            let permissions = SitePermissions(json["permissions"])
        else { return nil }
        self.operation = operation
        self.endpoint = endpoint
        self.path = path
        self.body = body
        self.requestID = requestID
        self.isAsync = isAsync
        self.until = until
        self.admission = admission
        self.permissions = permissions
    }

    init(
        _ call: ServiceCall, _ input: EndpointInput, permissions: SitePermissions, until: WallInstant
    ) {
        operation = call.contract.operation
        endpoint = call.endpoint.name
        path = input.path
        body = input.body
        requestID = call.requestID
        isAsync = call.prefersAsync
        self.until = until
        admission = call.admission ?? call.contract.admission.admissionClass
        self.permissions = permissions
    }
}
