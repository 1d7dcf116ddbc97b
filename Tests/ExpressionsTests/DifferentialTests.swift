import Foundation
import JSON
import Testing

@testable import Expressions

/// Random expressions, and what two implementations that know nothing of this one agree on: cel-python and the Rust crate
/// `cel` (`Tests/Fixtures/cel/make.py` made the table).
@Suite struct DifferentialTests {
    @Test func whatTwoOtherImplementationsAgreeOnIsSoHere() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().path + "/../Fixtures/cel/differential.json"
        let rows = try #require(try JSONValue.parse([UInt8](Data(contentsOf: URL(filePath: file)))).array)
        var errors = 0
        for row in rows {
            let text = row["expression"]?.string ?? ""
            let result = Free.evaluate(text)
            if row["error"] == true {
                errors += 1
                // Refused when it is loaded, or an error when it is evaluated.
                if case .success(let value)? = result { Issue.record("\(text): \(value.json.text), not an error") }
                continue
            }
            guard case .success(let value)? = result else {
                Issue.record("\(text): \(Free.shown(text)), not \(row["value"]?.text ?? "")")
                continue
            }
            #expect(value.typeName == row["type"]?.string, "\(text)")
            #expect(Self.isSame(value.json, row["value"] ?? .null), "\(text): \(value.json.text)")
        }
        #expect(rows.count == 900 && errors > 100)
    }

    /// Doubles are compared as the numbers that they are, not as they are written.
    private static func isSame(_ one: JSONValue, _ two: JSONValue) -> Bool {
        switch (one, two) {
        case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
        case (.number, .number): one.text == two.text || Double(one.text) == Double(two.text)
        default: one == two
        }
    }
}
