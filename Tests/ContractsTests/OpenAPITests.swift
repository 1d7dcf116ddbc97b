import Foundation
import JSON
import Reactor
import Testing

@testable import Contracts

@Suite struct OpenAPITests {
    private func document() throws -> JSONValue { OpenAPI(try Shipped.contracts(), version: "0.1.0").document }

    @Test func everyEndpointIsThereAndNothingElse() throws {
        let set = try Shipped.contracts()
        let paths = try #require(document()["paths"]?.object)
        var found: Set<String> = []
        for (path, item) in paths.members {
            for method in item.object?.keys ?? [] { found.insert("\(method.uppercased()) \(path)") }
        }
        let promised = set.contracts.flatMap { $0.endpoints.map { "\($0.method.rawValue) \($0.path)" } }
        #expect(found == Set(promised))
    }

    @Test func writesWantAKeyAndReadsDoNot() throws {
        let paths = try #require(document()["paths"])
        let key: JSONValue = ["$ref": "#/components/parameters/IdempotencyKey"]
        let confirm = paths["/v1/production-orders/{id}/confirm"]?["post"]
        #expect(confirm?["parameters"]?.array?.contains(key) == true)
        #expect(confirm?["responses"]?["202"] != nil)
        let list = paths["/v1/production-orders"]?["get"]
        #expect(list?["parameters"]?.array?.contains(key) == false)
        #expect(list?["operationId"] == "production-order.read.list")
        #expect(confirm?["operationId"] == "production-order.confirm")
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        let document = try document()
        func walk(_ value: JSONValue) {
            for element in value.array ?? [] { walk(element) }
            for (key, member) in value.object?.members ?? [] {
                if key == "$ref", let text = member.string {
                    var target: JSONValue? = document
                    for token in text.dropFirst(2).split(separator: "/") { target = target?[String(token)] }
                    #expect(target != nil, "\(text) leads nowhere")
                } else {
                    walk(member)
                }
            }
        }
        walk(document)
    }

    @Test func problemsAreListedUnderTheirStatus() throws {
        let responses = try #require(document()["paths"]?["/v1/production-orders/{id}/confirm"]?["post"]?["responses"])
        #expect(
            responses.object?.keys == [
                "200", "202", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "502", "503", "504",
            ])
        #expect(responses["409"]?["description"]?.string?.contains("`conflict-state`") == true)
        #expect(responses["503"]?["headers"]?["Retry-After"] != nil)
    }

    /// An opinion from outside, where the machine has one.
    @Test func theDocumentIsValidOpenAPI() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "openapi-\(UUID().uuidString).json")
        try Data(try document().bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let printed = file.appendingPathExtension("out")
        defer { try? FileManager.default.removeItem(at: printed) }
        func python(_ script: String) throws -> (isContent: Bool, output: String) {
            var python = ChildProcess.Configuration("python3", ["-c", script, file.path()])
            python.output = printed.path()
            python.errors = printed.path()
            let end = try ChildProcess(python).wait()
            return (end == .exit(0), try String(contentsOf: printed, encoding: .utf8))
        }
        guard try python("import openapi_spec_validator").isContent else { return }
        let result = try python(
            "import json, sys, openapi_spec_validator as v\nv.validate(json.load(open(sys.argv[1])))")
        #expect(result.isContent, "\(result.output.suffix(2000))")
    }
}
