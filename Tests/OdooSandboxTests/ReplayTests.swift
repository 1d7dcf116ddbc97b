import Bytes
import JSON
import Testing

@testable import OdooSandbox

/// Every recorded request is played to a sandbox in the recorded order, with what was not recorded prepared in
/// between; status, shape and error names of the answers must be the recorded ones.
@Suite struct ReplayTests {
    @Test(arguments: bothVersions)
    func theSandboxAnswersAsOdooDid(version: SandboxVersion) throws {
        let recordings = try Recording.all(version)
        let odoo = ReplayPreparation.sandbox(version)
        var played = 0
        var outOfScope = 0
        var exact = 0
        for recording in recordings {
            if ReplayScope.reason(recording.number, version) != nil {
                outOfScope += 1
                continue
            }
            guard let request = recording.request else {
                Issue.record("\(recording.name) has no request")
                continue
            }
            let target = ReplayPreparation.own(recording) ?? odoo
            ReplayPreparation.prepare(recording, target)
            let answer = target.answer(request, now: ReplayPreparation.now)
            played += 1
            check(answer, recording)
            if (try? JSONValue.parse(answer.body)).map(Self.essence)
                == (try? JSONValue.parse(recording.body)).map(Self.essence)
            {
                exact += 1
            }
        }
        // Nothing slips out unseen.
        #expect(recordings.count == (version.is19 ? 336 : 270))
        #expect(outOfScope == (version.is19 ? 28 : 23))
        #expect(played == recordings.count - outOfScope)
        // The very values too, ids and all, where the recorded database allows it.
        #expect(exact >= (version.is19 ? 236 : 189), "\(played) played, \(exact) exact, \(outOfScope) out of scope")
    }

    /// Without what may differ in any answer.
    private static func essence(_ body: JSONValue) -> JSONValue {
        guard var data = (body["error"]?["data"] ?? body).object, data["debug"] != nil else { return body }
        data["debug"] = nil
        return .object(data)
    }

    private func check(_ answer: SandboxAnswer, _ recording: Recording) {
        let name = recording.name
        #expect(answer.status == recording.status, "\(name)")
        let type = recording.field("Content-Type")?.split(separator: ";").first
        let own = answer.fields.first { $0.name == "Content-Type" }?.value.split(separator: ";").first
        #expect(own == type, "\(name)")
        guard let theirs = try? JSONValue.parse(recording.body) else {
            #expect(answer.body.first.map { $0 != UInt8(ascii: "{") } ?? true, "\(name)")
            return
        }
        guard let ours = try? JSONValue.parse(answer.body) else {
            Issue.record("\(name): no JSON: \(String(decoding: answer.body, as: UTF8.self))")
            return
        }
        let differences = Shape.differences(ours, theirs)
        #expect(differences.isEmpty, "\(name): \(differences) in \(ours.text.prefix(600))")
        #expect(errorName(ours) == errorName(theirs), "\(name): \(ours.text.prefix(300))")
        #expect(ours["error"]?["code"] == theirs["error"]?["code"], "\(name)")
        if theirs["result"] == true { #expect(ours["result"] == true, "\(name)") }
    }

    private func errorName(_ body: JSONValue) -> String? {
        body["error"]?["data"]?["name"]?.string ?? (body["debug"] == nil ? nil : body["name"]?.string)
    }

    @Test func everyReasonIsUsed() throws {
        var used: Set<String> = []
        for version in bothVersions {
            for recording in try Recording.all(version) {
                if let reason = ReplayScope.reason(recording.number, version) { used.insert(reason) }
            }
        }
        #expect(used == ReplayScope.allReasons)
    }
}
