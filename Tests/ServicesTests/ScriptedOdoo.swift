import Bytes
import Foundation
import JSON
import Limits
import Odoo
import Synchronization

@testable import Services

/// An Odoo that answers as a test says, mostly from recordings.
final class ScriptedOdoo: OdooPort {
    typealias Answer = @Sendable (OdooCall) -> Result<JSONValue?, OdooError>

    private let major: Int
    private let respond: Answer
    private let log = Mutex<[OdooCall]>([])
    private let fault = Mutex<OdooError?>(nil)

    init(_ major: Int, _ respond: @escaping Answer) {
        self.major = major
        self.respond = respond
    }

    /// Every call fails so from now on.
    func fails(with fault: OdooTransportFault?) { self.fault.withLock { $0 = fault.map { OdooError($0) } } }

    var calls: [OdooCall] { log.withLock { $0 } }
    func calls(_ method: String) -> [OdooCall] { calls.filter { $0.method == method } }

    func version(deadline: MonotonicInstant?) async throws(OdooError) -> OdooVersion {
        if let error = fault.withLock({ $0 }) { throw error }
        return OdooVersion(major: major)
    }

    func call(
        _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> JSONValue? {
        if let error = fault.withLock({ $0 }) { throw error }
        log.withLock { $0.append(call) }
        return try respond(call).get()
    }
}

/// What recordings hold.
enum Recorded {
    static func load(_ version: Int, _ number: String) throws -> JSONValue {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = tests.appendingPathComponent("Fixtures/odoo/\(version)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let file = try files.first { $0.hasPrefix(number + "-") }.unwrapped()
        let data = try Data(contentsOf: folder.appendingPathComponent(file))
        return try JSONValue.parse(Array(data))
    }

    /// The `result` of a JSON-RPC answer.
    static func result(_ version: Int, _ number: String) throws -> JSONValue {
        let text = try load(version, number)["response"]?["body"]?.string.unwrapped()
        return try JSONValue.parse(text ?? "")["result"].unwrapped()
    }

    /// The error of a JSON-RPC answer.
    static func error(_ version: Int, _ number: String) throws -> OdooError {
        let text = try load(version, number)["response"]?["body"]?.string.unwrapped()
        let data = try JSONValue.parse(text ?? "")["error"]?["data"]
        return OdooError(name: data?["name"]?.string ?? "", message: data?["message"]?.string ?? "")
    }
}

extension Optional {
    struct Missing: Error {}
    func unwrapped() throws -> Wrapped {
        guard let self else { throw Missing() }
        return self
    }
}
