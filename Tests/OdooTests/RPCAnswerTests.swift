import JSON
import Testing

@testable import Odoo

/// What scripts get back has the shape of what Odoo would have sent: held against the recordings.
@Suite struct RPCAnswerTests {
    /// The recorded answer with what we leave out or shorten on purpose taken away from both.
    private func comparable(_ answer: JSONValue) -> JSONValue {
        guard let error = answer["error"], let name = error["data"]?["name"], let code = error["code"] else {
            return answer
        }
        return [
            "jsonrpc": "2.0", "id": answer["id"] ?? .null,
            "error": [
                "code": code, "name": name,
                "keys": .array((error["data"]?.object?.keys ?? []).sorted().map(JSONValue.string)),
            ],
        ]
    }

    @Test func recordedJSONRPCAnswersComeBackInTheirShape() throws {
        var results = 0
        var faults = 0
        for recording in Recording.all where recording.isJSONRPC && recording.status == 200 {
            guard let body = recording.requestBody, let recorded = recording.responseBody,
                let message = try? RPCReader.read(.jsonRPC, path: "/jsonrpc", body: body.bytes)
            else { continue }
            let answer: RPCAnswer
            switch recording.decoded() {
            case .success(let value):
                answer = .success(value, to: message)
                results += 1
            case .failure(let error):
                // What is not known to have been rolled back is said to be unknown, whatever Odoo called it.
                if case .unknown = error.outcome { continue }
                answer = .failure(RPCFault(error), wire: .jsonRPC, id: message.id, isAtLeast19: recording.version == 19)
                faults += 1
            }
            #expect(
                comparable(try JSONValue.parse(answer.body)) == comparable(recorded),
                "\(recording.version)/\(recording.name)")
        }
        #expect(results > 350 && faults > 30, "\(results) results, \(faults) faults")
    }

    @Test func recordedJSON2AnswersComeBackInTheirShape() throws {
        var compared = 0
        for recording in Recording.all where recording.isJSON2 {
            guard let path = recording.path, let body = recording.json["request"]?["body"]?.string,
                let message = try? RPCReader.read(.json2, path: path, body: Array(body.utf8)),
                let recorded = recording.responseBody
            else { continue }
            switch recording.decoded() {
            case .success(let value):
                #expect(
                    try JSONValue.parse(RPCAnswer.success(value, to: message).body) == recorded, "\(recording.name)")
            case .failure(let error):
                if case .unknown = error.outcome { continue }
                let answer = RPCAnswer.failure(RPCFault(error), wire: .json2)
                #expect(try JSONValue.parse(answer.body)["name"] == recorded["name"], "\(recording.name)")
                #expect(answer.status == recording.status, "\(recording.name)")
            }
            compared += 1
        }
        #expect(compared > 30)
    }

    @Test func xmlFaultsHaveTheCodesOfTheRecordings() throws {
        let faults: [(String, RPCFault)] = [
            (
                "228",
                RPCFault(
                    name: "odoo.exceptions.UserError",
                    message: "You cannot start a work order that is already done or cancelled")
            ),
            ("230", .accessDenied()),
        ]
        for (number, fault) in faults {
            let recording = try Recording.find(19, number)
            let answer = RPCAnswer.failure(fault, wire: .xmlRPC(hasNumericFaults: true))
            #expect(String(decoding: answer.body, as: UTF8.self) == recording.responseText)
            #expect(answer.contentType == "text/xml; charset=utf-8")
        }
        let access = RPCAnswer.failure(.forbidden("no"), wire: .xmlRPC(hasNumericFaults: true))
        #expect(try XMLRPCReader.methodResponse(access.body) == ["fault": ["faultCode": 4, "faultString": "no"]])
        let old = RPCAnswer.failure(.forbidden("no"), wire: .xmlRPC(hasNumericFaults: false))
        #expect(
            try XMLRPCReader.methodResponse(old.body) == [
                "fault": ["faultCode": "warning -- AccessError\n\nno", "faultString": ""]
            ])
    }

    @Test func methodThatReturnsNothingIsNoFaultOverXML() throws {
        // Odoo answers a fault although the work is committed (recording 227): a script would repeat what was done.
        let recording = try Recording.find(19, "227")
        let body = try #require(recording.json["request"]?["body"]?.string)
        let message = try RPCReader.read(
            .xmlRPC(hasNumericFaults: true), path: "/xmlrpc/2/object", body: Array(body.utf8))
        #expect(try XMLRPCReader.methodResponse(RPCAnswer.success(nil, to: message).body) == false)
    }

    @Test func outcomesThatNobodyKnowsAreSaidToBeUnknown() {
        let unknown = RPCFault(OdooError(.closedWithoutAnswer))
        #expect(unknown.name == "millgate.UnknownOutcome")
        #expect(RPCAnswer.failure(unknown, wire: .json2).status == 504)
        let away = RPCFault(OdooError(.connectFailed))
        #expect(away.name == "millgate.Unavailable")
        #expect(RPCAnswer.failure(away, wire: .json2).status == 503)
    }
}
