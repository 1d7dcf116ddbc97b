import JSON
import Testing

@testable import Contracts

@Suite struct ProblemTests {
    @Test func everyTypeIsExplainedUnderItsStatus() throws {
        let text = try Shipped.text("docs/ERRORS.md")
        var sections: [String: String] = [:]
        var status = ""
        var name = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { (status, name) = (String(line.dropFirst(3)), "") }
            if line.hasPrefix("### ") { name = "\(status) \(line.dropFirst(4))" }
            sections[name, default: ""] += line + "\n"
        }
        for type in ProblemType.allCases {
            let section = sections["\(type.status) \(type.rawValue)"]
            #expect(section != nil, "docs/ERRORS.md lacks \(type.rawValue) under \(type.status)")
            #expect(section?.contains("`\(type.uri)`") == true, "\(type.rawValue) lacks its type")
            #expect(section?.contains("*Do*:") == true, "\(type.rawValue) does not say what to do")
        }
        let documented = sections.keys.filter { !$0.isEmpty }.count
        #expect(documented == ProblemType.allCases.count, "docs/ERRORS.md explains a type that does not exist")
    }

    @Test func typesAreFoundByTheirAddress() {
        for type in ProblemType.allCases { #expect(ProblemType(uri: type.uri) == type) }
        #expect(Set(ProblemType.allCases.map(\.uri)).count == ProblemType.allCases.count)
        #expect(ProblemType(uri: "about:blank") == nil)
        #expect(
            ProblemType.quotaExceeded.uri == "https://iana.org/assignments/http-problem-types#quota-exceeded")
    }

    @Test func aProblemHasTheStandardsMembersFirst() {
        var problem = Problem.conflictState("release it first", state: "draft", allowed: ["released"])
        problem.instance = "01J"
        #expect(
            problem.json.text
                == #"{"type":"https://millgate.dev/problems/conflict-state","title":"The record's state does not "#
                + #"allow this","status":409,"detail":"release it first","instance":"01J","state":"draft","#
                + #""allowed_states":["released"]}"#)
    }

    @Test func membersCannotReplaceTheStandardsOwn() {
        let problem = Problem(.forbidden, "no", members: ["status": 200, "type": "x", "rule": "r"])
        #expect(problem.json["status"] == 403)
        #expect(problem.json["type"] == .string(ProblemType.forbidden.uri))
        #expect(problem.json["rule"] == "r")
    }

    @Test func retryAfterIsAFieldAndAMember() {
        let problem = Problem.quotaExceeded(policies: ["per-subject"], retryAfter: 7)
        #expect(problem.fields.map(\.name) == ["Retry-After"])
        #expect(problem.fields.map(\.value) == ["7"])
        #expect(problem.json["retry_after"] == 7)
        #expect(problem.json["violated-policies"] == ["per-subject"])
    }

    @Test func aWrongMethodIsToldTheRightOnes() {
        let problem = Problem.methodNotAllowed(allow: ["GET", "HEAD"])
        #expect(problem.fields.map(\.value) == ["GET, HEAD"])
        #expect(problem.detail == "use GET or HEAD")
    }

    @Test func allViolationsAreInTheProblem() {
        let problem = Problem.invalidInput([
            Violation(pointer: "/quantity", "must be more than 0, not -1"), Violation(.query("limit"), "is not known"),
        ])
        #expect(
            problem.json["violations"] == [
                ["pointer": "/quantity", "detail": "must be more than 0, not -1"],
                ["parameter": "limit", "in": "query", "detail": "is not known"],
            ])
        #expect(problem.detail == "2 violations; the first: /quantity: must be more than 0, not -1")
        #expect(Problem.invalidInput([]).detail == "0 violations")
    }

    @Test func brokenJSONIsAViolationWithItsPlace() throws {
        do {
            _ = try JSONValue.parse(#"{"a": {"b": 1, "b": 2}}"#)
            Issue.record("a duplicate member was accepted")
        } catch {
            let violation = Problem.invalidJSON(error).json["violations"]?[0]
            #expect(violation?["pointer"]?.string?.hasPrefix("/a") == true)
            #expect(violation?["detail"]?.string?.contains("duplicate member 'b', at line 1") == true)
        }
    }
}
