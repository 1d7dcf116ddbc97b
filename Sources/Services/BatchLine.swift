import Contracts
import JSON

/// One line of a batch: which operation, its input and the key under which it happens once.
///
/// `{"operation": "production-order.confirm", "idempotency_key": "shift-7-112", "input": {"id": 26, "quantity": 3}}`
///
/// `input` holds the parameters of the path and the members of the body together: no operation has the same name in both.
package struct BatchLine: Sendable {
    package let contract: Contract
    package let endpoint: Endpoint
    package let idempotencyKey: String
    /// Raw segments of the path's parameters.
    package let captures: [String]
    /// Empty where there is none.
    package let body: [UInt8]

    /// Longest line, in bytes. Default 64 KiB: a report is small; more is a mistake.
    package static let bytesMax = 65_536

    /// - Throws: everything that is wrong with it.
    init(_ bytes: [UInt8], _ contracts: ContractSet) throws(Problem) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(bytes)
        } catch {
            throw .invalidJSON(error)
        }
        guard let members = json.object else {
            throw .invalidInput([
                Violation(pointer: "", "a line is an object with operation, idempotency_key and input")
            ])
        }
        var violations: [Violation] = []
        for name in members.keys where !["operation", "endpoint", "idempotency_key", "input"].contains(name) {
            violations.append(Violation(pointer: "/\(name)", "is not known"))
        }
        let key = json["idempotency_key"]?.string ?? ""
        if key.isEmpty || (try? IdempotencyKey(field: "\"\(key)\"")) == nil {
            violations.append(
                Violation(pointer: "/idempotency_key", "is no string of 1 to 255 visible ASCII characters"))
        }
        let input = json["input"]?.object ?? JSONObject()
        if let given = json["input"], given.object == nil {
            violations.append(Violation(pointer: "/input", "must be an object"))
        }
        guard let name = json["operation"]?.string, let contract = contracts[name], contract.kind == .write else {
            violations.append(Violation(pointer: "/operation", "names no write of this gateway"))
            throw .invalidInput(violations)
        }
        let wanted = json["endpoint"]?.string
        guard let endpoint = contract.endpoints.first(where: { wanted == nil ? true : $0.name == wanted }),
            wanted != nil || contract.endpoints.count == 1
        else {
            let names = contract.endpoints.map { "'\($0.name)'" }.joined(separator: ", ")
            violations.append(Violation(pointer: "/endpoint", "is one of \(names)"))
            throw .invalidInput(violations)
        }
        var body = input
        var captures: [String] = []
        for parameter in endpoint.pathParameters {
            guard let value = input[parameter.name] else {
                violations.append(Violation(pointer: "/input/\(parameter.name)", "is required"))
                continue
            }
            body[parameter.name] = nil
            captures.append(Self.segment(value.string ?? value.text))
        }
        guard violations.isEmpty else { throw .invalidInput(violations) }
        self.contract = contract
        self.endpoint = endpoint
        idempotencyKey = key
        self.captures = captures
        self.body = body.isEmpty && !endpoint.isBodyRequired ? [] : JSONValue.object(body).bytes
    }

    /// A value as a segment of a path. (RFC 3986 §2.3)
    private static func segment(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            if byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || "-._~".utf8.contains(byte) {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// Cuts a stream of bytes into lines. Holds at most one line and what was fed.
struct LineReader {
    /// A line without its end, or nil for one that is longer than may be.
    struct Line {
        let bytes: [UInt8]?
        /// Where the line after it begins.
        let next: Int
    }

    private var buffer: [UInt8] = []
    private var start = 0
    private var isTooLong = false
    /// Where what is fed next belongs.
    private(set) var position: Int

    init(position: Int) { self.position = position }

    mutating func feed(_ bytes: [UInt8]) {
        buffer.removeSubrange(..<start)
        start = 0
        buffer += bytes
        position += bytes.count
    }

    /// The next line that is whole.
    mutating func next() -> Line? {
        guard let end = buffer[start...].firstIndex(of: 10) else {
            if buffer.count - start > BatchLine.bytesMax {
                isTooLong = true
                start = buffer.count
            }
            return nil
        }
        return line(upTo: end, next: end + 1)
    }

    /// What stands behind the last line end, when nothing more comes.
    mutating func rest() -> Line? {
        guard start < buffer.count || isTooLong else { return nil }
        return line(upTo: buffer.count, next: buffer.count)
    }

    private mutating func line(upTo end: Int, next: Int) -> Line {
        var bytes = Array(buffer[start..<end])
        if bytes.last == 13 { bytes.removeLast() }
        let whole = isTooLong || bytes.count > BatchLine.bytesMax ? nil : bytes
        isTooLong = false
        start = next
        return Line(bytes: whole, next: position - (buffer.count - next))
    }
}
