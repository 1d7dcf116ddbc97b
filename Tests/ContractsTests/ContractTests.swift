import Bytes
import Documents
import JSON
import Testing

@testable import Contracts

@Suite struct ContractTests {
    /// A small contract that is right.
    static let text = """
        operation: thing.make
        title: Make a thing
        description: Makes it.
        kind: write
        admission: realtime
        deadline: 30s
        roles: [operator]
        idempotency: By its external id.
        settling: {found_by: external-id, look: The thing., absent: repeats, handed_over: [the thing]}
        odoo:
          - {model: x.thing, rights: [read, create]}
        errors: [conflict-state]
        endpoints:
          - name: make
            method: POST
            path: /v1/things/{id}/make
            summary: Makes it.
            path_parameters:
              - {name: id, description: Which., schema: {type: integer, minimum: 1}}
            query_parameters:
              - {name: mode, description: How., schema: {type: string, enum: [fast, slow], default: fast}}
              - {name: sizes, description: How large., schema: {type: array, items: {type: number}, maxItems: 3}}
            body:
              schema:
                type: object
                additionalProperties: false
                required: [quantity]
                properties:
                  quantity: {type: number, exclusiveMinimum: 0}
                  final: {type: boolean, default: false}
            response:
              schema: {type: object, required: [made], properties: {made: {type: number}}}
            examples:
              - {summary: One, path: {id: 1}, query: {mode: slow}, body: {quantity: 1}, response: {made: 1}}
        """

    @Test func aWriteThatDoesNotSayHowItsUnknownIsSettledIsRefused() throws {
        let silent = Self.text.split(separator: "\n").filter { !$0.hasPrefix("settling") }.joined(separator: "\n")
        let errors = #expect(throws: DocumentErrors.self) { try load(silent) }
        #expect("\(errors.map { "\($0)" } ?? "")".contains("missing key 'settling'"))
        let wrong = Self.text.replacing("absent: repeats", with: "absent: hopes")
        #expect(throws: DocumentErrors.self) { try load(wrong) }
        let settling = try #require(try load(Self.text)["thing.make"]?.settling)
        #expect(settling.evidence == .externalID && settling.absence == .repeats)
        #expect(settling.handedOver == ["the thing"])
    }

    private func load(_ text: String, file: String = "services/thing.make.yaml") throws -> ContractSet {
        try ContractSet.load(files: [(file, text)])
    }

    private func endpoint() throws -> Endpoint {
        try #require(try load(Self.text)["thing.make"]?[endpoint: "make"])
    }

    private func violations(_ captures: [String], _ query: String?, _ body: JSONValue?) throws -> [String] {
        do {
            _ = try endpoint().read(captures: captures, query: query, body: body)
            return []
        } catch let invalid as InvalidInput {
            return invalid.violations.map(\.description)
        }
    }

    @Test func aContractIsReadWhole() throws {
        let contract = try #require(try load(Self.text)["thing.make"])
        #expect(contract.kind == .write)
        #expect(contract.admission == .realtime)
        #expect(contract.deadline == .seconds(30))
        #expect(contract.odoo == [Contract.OdooRight(model: "x.thing", rights: ["read", "create"])])
        #expect(contract.problems.contains(.conflictState))
        #expect(contract.problems.contains(.idempotencyKeyRequired))
        let endpoint = try endpoint()
        #expect(endpoint.path.description == "/v1/things/{id}/make")
        #expect(endpoint.examples.first?.query == ["mode": "slow"])
        #expect(endpoint.isBodyRequired)
    }

    /// A line of the contract, what stands there instead, and what is said about it.
    static let mistakes: [(line: String, instead: String, error: String)] = [
        ("kind: write", "kind: wirte", ":4:7: unknown kind 'wirte'; did you mean 'write'?"),
        ("kind: write", "kind: read", "a read needs no 'idempotency'"),
        ("kind: write", "kind: read", ":15:13: a read is a GET"),
        ("deadline: 30s", "deadline: 30", ":6:11: expected a duration"),
        ("deadline: 30s", "deadline: 1h", "must be from 1s to 10m"),
        ("deadline: 30s", "dead_line: 30s", ":6:1: unknown key 'dead_line'; did you mean 'deadline'?"),
        ("operation: thing.make", "operation: thing", "an operation is named like"),
        ("operation: thing.make", "operation: thing.do", "belongs into thing.do.yaml"),
        (
            "errors: [conflict-state]", "errors: [conflict-sate]",
            ":12:10: unknown problem 'conflict-sate'; did you mean"
        ),
        ("rights: [read, create]", "rights: [reed]", "unknown right 'reed'; did you mean 'read'?"),
        ("path: /v1/things/{id}/make", "path: v1/things", "expected a path such as"),
        ("path: /v1/things/{id}/make", "path: /v1/things/make", "'path_parameters' must describe"),
        ("method: POST", "method: PATCH", "unknown method 'PATCH'; expected one of GET, POST"),
        ("additionalProperties: false", "additionalProperties: true", "the schema of a body has"),
        ("body: {quantity: 1}", "body: {quantity: 0}", "the example's body: /quantity: must be more than 0, not 0"),
        ("body: {quantity: 1}, ", "", "the example has no 'body'"),
        ("path: {id: 1}, ", "", "the example has no 'id' in 'path'"),
        ("query: {mode: slow}", "query: {mode: slowly}", "the example's 'mode': must be one of 'fast', 'slow'"),
        ("query: {mode: slow}", "query: {mod: slow}", "unknown key 'mod'; did you mean 'mode'?"),
        ("response: {made: 1}", "response: {mad: 1}", "the example's response: /made: is required"),
        ("{type: string, enum: [fast, slow], default: fast}", "{type: object}", "a parameter is a string"),
        ("name: sizes", "name: mode", "parameter 'mode' occurs twice"),
    ]

    @Test(arguments: mistakes) func mistakesAreToldWithTheirPlace(line: String, instead: String, error: String) throws {
        let text = Self.text.replacing(line, with: instead)
        #expect(text != Self.text)
        do {
            _ = try load(text)
            Issue.record("accepted: \(instead)")
        } catch let errors as DocumentErrors {
            #expect(errors.description.contains(error), "\(errors)")
        }
    }

    @Test func allFilesAreCheckedBeforeAnyIsRefused() {
        do {
            _ = try ContractSet.load(files: [
                ("a/thing.make.yaml", Self.text.replacing("kind: write", with: "kind: x")),
                ("b/thing.make.yaml", Self.text), ("types.yaml", "types: {thing: {type: strin}}"),
            ])
            Issue.record("accepted")
        } catch {
            let files = Set(error.errors.map(\.file))
            #expect(files == ["a/thing.make.yaml", "b/thing.make.yaml", "types.yaml"], "\(error)")
            #expect(error.description.contains("a second contract of 'thing.make'"))
            #expect(error.description.contains("belongs to 'thing.make' already"))
            #expect(error.description.contains("a type is named like 'ProductionOrder'"))
        }
    }

    // MARK: Input

    @Test func inputIsTypedAndHasDefaults() throws {
        let input = try endpoint().read(
            captures: ["42"], query: "sizes=1.50,2&mode=s%6Cow", body: ["quantity": .number(JSONNumber(3))])
        #expect(input.path == ["id": 42])
        #expect(input.query["mode"] == "slow")
        #expect(input.query["sizes"]?[0]?.decimal == ExactDecimal(mantissa: 15, scale: 1))
        #expect(input.body == ["quantity": 3, "final": false])
        let plain = try endpoint().read(captures: ["1"], query: nil, body: ["quantity": 1, "final": true])
        #expect(plain.query == ["mode": "fast"])
        #expect(plain.body["final"] == true)
    }

    @Test func everythingWrongWithARequestIsToldAtOnce() throws {
        #expect(
            try violations(["x"], "mode=fasst&modes=1&mode=slow&sizes=a,2", ["quantity": "3", "finl": true]) == [
                "id: must be an integer, not a string",
                "mode: must be one of 'fast', 'slow'; did you mean 'fast'?",
                "modes: is not known; did you mean 'mode'?",
                "mode: occurs twice",
                "sizes: must be a number, not a string",
                "/quantity: must be a number, not a string",
                "/finl: is not known; did you mean 'final'?",
            ])
    }

    static let queries: [(query: String, violation: String)] = [
        ("mode=%", ": is not percent-encoded UTF-8"), ("mode=%4", ": is not percent-encoded UTF-8"),
        ("mode=%ff", ": is not percent-encoded UTF-8"), ("%zz=1", ": is not percent-encoded UTF-8"),
        ("mode=%00", ": is not percent-encoded UTF-8"), ("mode", "mode: must be one of 'fast', 'slow'"),
        ("=1", ": is not known; known are 'mode', 'sizes'"), ("sizes=1,2,3,4", "sizes: may have at most 3"),
        ("sizes=1,,2", "sizes: must be a number"), ("id=3", "id: is not known"),
    ]

    @Test(arguments: queries) func brokenQueriesAreRefused(query: String, violation: String) throws {
        let found = try violations(["1"], query, ["quantity": 1])
        #expect(found.count == 1 && found[0].hasPrefix(violation), "\(found)")
    }

    @Test func tooManyParametersAreRefusedUnread() throws {
        let query = Array(repeating: "a=1", count: 65).joined(separator: "&")
        #expect(try violations(["1"], query, ["quantity": 1]) == [": has more than 64 parameters"])
    }

    @Test func aMissingOrUnwantedBodyIsAViolation() throws {
        #expect(try violations(["1"], nil, nil) == ["a JSON body is required"])
        #expect(try violations(["1"], nil, []) == ["must be an object, not an array"])
        let read = try #require(try Shipped.contracts()["product.read"]?[endpoint: "list"])
        #expect(throws: InvalidInput.self) { try read.read(captures: [], query: nil, body: [:]) }
    }

    // MARK: Routing

    static let routes: [(request: String, found: String)] = [
        ("GET /v1/products", "product.read.list"), ("HEAD /v1/products", "product.read.list"),
        ("GET /v1/products/7", "product.read.one 7"), ("GET /v1/products/a%2Fb", "product.read.one a%2Fb"),
        ("POST /v1/products", "405 GET, HEAD"), ("DELETE /v1/production-orders", "405 GET, HEAD, POST"),
        ("GET /v1/production-orders/3/confirm", "405 POST"),
        ("POST /v1/production-orders/3/confirm", "production-order.confirm.confirm 3"),
        ("POST /v1/production-orders", "production-order.create.create"), ("GET /v1/products/", "404"),
        ("GET /v1/products//", "404"), ("GET /v1", "404"), ("GET /", "404"), ("GET ", "404"),
        ("GET v1/products", "404"),
        ("GET //v1/products", "404"), ("GET /V1/products", "404"), ("GET /v1/operations/x/y", "404"),
    ]

    @Test(arguments: routes) func requestsFindTheirEndpoint(request: String, found: String) throws {
        let parts = request.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let result =
            switch try Shipped.contracts().route(method: String(parts[0]), path: parts[1]) {
            case .found(let contract, let endpoint, let captures):
                ([contract.operation + "." + endpoint.name] + captures).joined(separator: " ")
            case .methodNotAllowed(let methods): "405 " + methods.joined(separator: ", ")
            case .notFound: "404"
            }
        #expect(result == found)
    }

    static let confirmations: [(body: JSONValue, violations: Int)] = [
        (["quantity": 3], 0), (["final": true], 0), (["quantity": 3, "final": true, "remainder": "close"], 0),
        (["quantity": 3, "remainder": "backorder"], 0), (["final": true, "remainder": "backorder"], 0),
        ([:], 1), (["final": false], 1), (["quantity": 3, "remainder": "close"], 1), (["remainder": "close"], 2),
        (["quantity": 3, "final": "true"], 2), (["quantity": 0], 1), (["quantity": "3"], 1), (["quantity": -1], 1),
    ]

    @Test(arguments: confirmations) func whatAConfirmationMaySay(body: JSONValue, count: Int) throws {
        let schema = try #require(try Shipped.contracts()["production-order.confirm"]?.endpoints.first?.body)
        let found = schema.validate(body)
        #expect((found.isEmpty ? 0 : 1) == (count == 0 ? 0 : 1), "\(body.text): \(found)")
    }
}
