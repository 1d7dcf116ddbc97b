import Foundation
import Testing

@testable import Expressions

/// The public conformance cases of cel-spec, when a copy of them is at hand: `CEL_SPEC=DIR make cel-conformance`, where
/// DIR is a checkout of https://github.com/google/cel-spec or its folder tests/simple/testdata.
///
/// A case either passes, or is left out for one of the reasons of `LeftOut`; anything else is a failure. The figures
/// are in docs/CONFORMANCE-CEL.md.
@Suite struct ConformanceTests {
    static let folder: String? = {
        guard let root = ProcessInfo.processInfo.environment["CEL_SPEC"], !root.isEmpty else { return nil }
        let inner = root + "/tests/simple/testdata"
        return FileManager.default.fileExists(atPath: inner) ? inner : root
    }()

    @Test(.enabled(if: ConformanceTests.folder != nil, "CEL_SPEC names no copy of cel-spec"))
    func publicCasesPassOrAreLeftOutForAReason() throws {
        let folder = try #require(Self.folder)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".textproto") }
        #expect(!files.isEmpty, "no .textproto in \(folder)")
        var total = Tally()
        for file in files.sorted() {
            let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            let document = try TextProto.parse(text)
            var sum = Tally()
            for section in document.messages("section") {
                var tally = Tally()
                for test in section.messages("test") {
                    let outcome = ConformanceCase(test, file: file).outcome()
                    tally.add(outcome)
                    if case .failed(let why) = outcome {
                        Issue.record("\(file) \(section.text("name") ?? "")/\(test.text("name") ?? ""): \(why)")
                    }
                }
                print("  \(file.dropLast(10)) \(section.text("name") ?? ""): \(tally)")
                sum.add(tally)
            }
            print("\(file.dropLast(10)): \(sum)")
            total.add(sum)
        }
        print("all: \(total)")
    }
}

enum LeftOut: String, CaseIterable {
    case messages = "protocol buffer messages, enums and wrappers"
    case extensions = "extension libraries, not part of the language definition"
    case timeZones = "time zones by name"
    case twoVariables = "macros of two variables, an extension"
    case optionals = "optional values, an extension"
}

struct Tally: CustomStringConvertible {
    var passed = 0
    var failed = 0
    var leftOut: [LeftOut: Int] = [:]

    mutating func add(_ outcome: ConformanceCase.Outcome) {
        switch outcome {
        case .passed: passed += 1
        case .failed: failed += 1
        case .leftOut(let reason): leftOut[reason, default: 0] += 1
        }
    }

    mutating func add(_ other: Tally) {
        passed += other.passed
        failed += other.failed
        leftOut.merge(other.leftOut, uniquingKeysWith: +)
    }

    var description: String {
        var text = "\(passed) passed"
        if failed > 0 { text += ", \(failed) FAILED" }
        for reason in LeftOut.allCases {
            if let count = leftOut[reason] { text += ", \(count) left out (\(reason.rawValue))" }
        }
        return text
    }
}
