import JSON
import Seeded
import Testing

@testable import Odoo

/// Bytes from strangers: an answer of any shape is a result or an error, and never a trap.
struct DecodingFuzzTests {
    static let statuses = [100, 200, 204, 301, 400, 401, 404, 415, 422, 500, 502, 999, -1, 0]

    /// Everything this room reads, on one answer.
    static func readAll(_ body: [UInt8], status: Int) {
        let response = OdooResponse(status: status, contentType: nil, body: body)
        for result in [OdooJSONRPC.result(of: response, id: 1), OdooJSON2.result(of: response)] {
            switch result {
            case .success(let value):
                _ = OdooAction(value)
                _ = OdooLoadAnswer(value)?.isWorthRetrying
                if let value { _ = OdooVersion(value) }
                guard let records = try? OdooRecord.list(value) else { continue }
                for record in records {
                    for field in record.fields.keys {
                        _ = try? record.string(field)
                        _ = try? record.reference(field)
                        _ = try? record.quantity(field)
                        _ = try? record.instant(field)
                        _ = try? record.ids(field)
                    }
                }
            case .failure(let error):
                _ = error.userMessage
                _ = error.description
            }
        }
    }

    @Test func mutatedRecordingsAreReadWithoutATrap() {
        var random = SeededGenerator(seed: 17)
        let exchanges = RecordingsTests.exchanges.filter { $0.status != nil && $0.responseText.utf8.count < 4_000 }
        for recording in exchanges {
            for _ in 0..<6 {
                var body = Array(recording.responseText.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) where !body.isEmpty {
                    let at = Int.random(in: 0..<body.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: body[at] = UInt8.random(in: 0...255, using: &random)
                    case 1: body.removeSubrange(at...)
                    case 2: body.remove(at: at)
                    default:
                        body.insert(Array("0123456789-.eE[]{}\",:".utf8).randomElement(using: &random) ?? 0, at: at)
                    }
                }
                Self.readAll(body, status: Self.statuses.randomElement(using: &random) ?? 200)
                Self.readAll(body, status: 200)
            }
        }
    }

    @Test func valuesOfOtherTypesInEveryPlaceAreReadWithoutATrap() {
        let odd: [String] = [
            "null", "true", "false", "0", "-1", "1e400", "9223372036854775808", "-9223372036854775808", "\"\"", "\"x\"",
            "[]", "[[]]", "[1,\"a\"]", "{}", "{\"id\":1}", "\"ir.actions.act_window\"",
        ]
        let frames = [
            #"{"jsonrpc":"2.0","id":1,"result":@}"#, #"{"jsonrpc":"2.0","id":1,"error":@}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"data":@}}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"data":{"name":@,"message":@}}}"#,
            #"{"jsonrpc":"2.0","id":@,"result":1}"#, #"{"jsonrpc":"2.0","id":1,"result":[{"id":1,"x":@}]}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{"ids":@,"messages":@}}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{"ids":false,"messages":[{"type":"error","field":@,"message":@}]}}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{"type":"ir.actions.x","res_id":@,"res_model":@,"context":@}}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{"server_version_info":[@,@],"server_version":@}}"#,
            #"{"name":@,"message":@,"debug":@}"#, "@",
        ]
        for frame in frames {
            for value in odd {
                let body = frame.split(separator: "@", omittingEmptySubsequences: false).joined(separator: value)
                for status in Self.statuses { Self.readAll(Array(body.utf8), status: status) }
            }
        }
    }

    @Test func randomBytesAreReadWithoutATrap() {
        var random = SeededGenerator(seed: 19)
        for _ in 0..<3_000 {
            let count = Int.random(in: 0...64, using: &random)
            Self.readAll((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }, status: 200)
        }
    }
}
