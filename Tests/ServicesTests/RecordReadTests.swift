import Bytes
import Foundation
import JSON
import Odoo
import Testing

@testable import Services

/// The reads that are tables, against what Odoo answered in the recordings and against the sandbox of both versions.
@Suite struct RecordReadTests {
    static let all: [RecordRead] = [
        .billsOfMaterials, .routings, .workOrders, .locations, .lots, .suppliers, .purchaseOrders, .equipment,
    ]

    /// Fields by Odoo's source that no recording holds, each said where it is used.
    private static let unrecorded: [String: Set<String>] = [
        "purchase.order": ["picking_type_id", "receipt_status"], "mrp.workorder": ["product_id"],
        "stock.location": ["name", "location_id"],
    ]

    /// Models of which nothing was recorded: the lines of purchase orders, by Odoo's source.
    private static let unrecordedModels: Set<String> = ["purchase.order.line"]

    @Test(arguments: [17, 19]) func whatIsAskedOfOdooWasRecordedOfThatVersion(_ version: Int) throws {
        let recorded = try Recorded.fields(version)
        let odoo = OdooVersion(major: version)
        // Of every model: `write_date`, whose form recording 088 has.
        func check(_ model: String, _ fields: [String]) {
            if Self.unrecordedModels.contains(model) { return }
            let known = (recorded[model] ?? []).union(Self.unrecorded[model] ?? []).union(["id", "write_date"])
            let missing = Set(fields).subtracting(known).sorted()
            #expect(missing.isEmpty, "\(version) \(model): \(missing)")
        }
        for read in Self.all {
            check(read.model, read.members.flatMap { $0.fields(odoo) })
            for part in read.parts { check(part.model, part.fields(odoo)) }
        }
    }

    /// Path, recording of the list, recordings of the parts, and what the first item must say.
    private static let recordings: [(path: String, list: String, parts: [String: String], first: [String: JSONValue])] =
        [
            (
                "/v1/bills-of-materials?fields=product_template,kind,consumption,components,operations,quantity,unit",
                "018",
                ["mrp.bom.line": "019", "mrp.routing.workcenter": "020"],
                ["kind": "manufacture", "consumption": "warning", "quantity": 1, "unit": "Units"]
            ),
            ("/v1/routings", "020", [:], ["name": "Manual Assembly", "sequence": 5, "duration": 60]),
            ("/v1/work-orders?fields=name,quantity_remaining,work_center", "022", [:], [:]),
            ("/v1/suppliers", "023", [:], ["code": .null]),
            ("/v1/purchase-orders?fields=name,state,supplier,planned_at", "025", [:], [:]),
            ("/v1/lots", "116", [:], ["name": "LOT-407133", "internal_reference": .null]),
            ("/v1/equipment", "158", [:], ["serial_number": "MT/122/11112222", "maintenance_team": .null]),
        ]

    @Test(arguments: [17, 19], 0..<7) func recordedAnswersAreToldInTheWordsOfTheContract(
        _ version: Int, _ number: Int
    ) async throws {
        let (path, list, parts, first) = Self.recordings[number]
        var answers: [String: JSONValue] = [:]
        for (model, recording) in parts { answers[model] = try Recorded.result(version, recording) }
        let records = try Recorded.result(version, list)
        let recordedCall = try Recorded.search(version, list)
        let known = answers
        let types = try Recorded.result(version, "027")
        let scripted = ScriptedOdoo(version) { call in
            if let part = known[call.model] { return .success(Self.filled(part, call)) }
            switch call.model {
            case recordedCall.model: return .success(Self.filled(records, call))
            case "stock.picking.type": return .success(types)
            default: return .success([])
            }
        }
        let bench = try Bench(odoo: scripted)
        defer { bench.remove() }
        let answer = try await bench.send("GET", path)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["items"]?.array?.count == records.array?.count)
        for (member, value) in first {
            #expect(answer.json["items"]?[0]?[member] == value, "\(member) in \(answer.text.prefix(400))")
        }
        let call = try scripted.calls.first { $0.model == recordedCall.model }.unwrapped()
        #expect(call.method == recordedCall.method)
        #expect(answer.records.first == "\(recordedCall.model),\(records[0]?["id"]?.int ?? 0)")
    }

    /// A recorded answer with what the recording did not ask for, empty.
    private static func filled(_ records: JSONValue, _ call: OdooCall) -> JSONValue {
        let fields = call.named.first { $0.name == "fields" }?.value.array?.compactMap(\.string) ?? []
        return .array(
            (records.array ?? []).map { record in
                var record = record.object ?? JSONObject()
                for field in fields where record[field] == nil { record[field] = false }
                return .object(record)
            })
    }

    @Test(arguments: [17, 19]) func everyListAndEveryRecordOfTheSandboxSatisfiesItsContract(_ version: Int) async throws
    {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        for read in Self.all where read.operation != "lot.read" {
            let path = try Bench.contracts[read.operation]?[endpoint: "list"].unwrapped().path.description ?? ""
            let list = try await plant.bench.send("GET", path)
            #expect(list.status == 200, "\(path): \(list.text)")
            let id = try list.json["items"]?[0]?["id"]?.int.unwrapped() ?? 0
            let one = try await plant.bench.send("GET", "\(path)/\(id)")
            #expect(one.status == 200, "\(path)/\(id): \(one.text)")
            #expect(one.json["id"]?.int == id)
            #expect(try await plant.bench.send("GET", "\(path)/999999").status == 404)
        }
    }

    @Test(arguments: [17, 19]) func aBillIsReadWithItsComponentsAndOperations(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let list = try await plant.bench.send("GET", "/v1/bills-of-materials?product_code=PUMP-100")
        #expect(list.json["items"]?.array?.count == 1)
        #expect(list.json["items"]?[0]?["components"] == nil)
        let id = try list.json["items"]?[0]?["id"]?.int.unwrapped() ?? 0
        let bill = try await plant.bench.send("GET", "/v1/bills-of-materials/\(id)").json
        #expect(bill["components"]?.array?.map { $0["quantity"]?.int } == [1, 4])
        #expect(bill["operations"]?.array?.map { $0["name"] } == ["Drilling", "Assembly"])
        let many = try await plant.bench.send("GET", "/v1/bills-of-materials?fields=components&limit=3")
        #expect(many.json["items"]?.array?.count == 3)
        #expect(many.json["items"]?[1]?.object?.keys == ["id", "components"])
        #expect(many.json["items"]?[1]?["components"]?.array?.count == 2)
        let component = try bill["components"]?[1]?["product"]?["id"]?.int.unwrapped() ?? 0
        let users = try await plant.bench.send("GET", "/v1/bills-of-materials?component=\(component)")
        #expect(users.json["items"]?.array?.map { $0["id"]?.int } == [id])
    }

    @Test(arguments: [17, 19]) func whatIsAwaitedIsPlacedAndNotReceivedInFull(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let awaited = try await plant.bench.send("GET", "/v1/purchase-orders?awaited=true")
        #expect(awaited.json["items"]?.array?.map { $0["name"] } == ["P00001", "P00002"])
        #expect(awaited.json["items"]?[0]?["site"] == "plant-1")
        let second = try await plant.bench.send("GET", "/v1/purchase-orders/2")
        #expect(second.json["receipt"] == "partial")
        #expect(second.json["lines"]?[0]?["quantity_received"]?.int == 2_000)
        #expect(second.json["lines"]?[0]?["unit"] == "Units")
        let draft = try await plant.bench.send("GET", "/v1/purchase-orders?state=draft")
        #expect(draft.json["items"]?.array?.map { $0["name"] } == ["P00004"])
    }

    @Test(arguments: ["/v1/purchase-orders", "/v1/work-orders", "/v1/locations"], [17, 19])
    func whatBelongsToASiteIsForWhoMaySeeTheSite(_ path: String, _ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let all = try await plant.bench.send("GET", path).json["items"]?.array ?? []
        let sites = Set(all.map { $0["site"] ?? .null })
        #expect(sites.isSuperset(of: ["plant-1", "plant-2"]), "\(sites)")
        let own = try await plant.bench.send("GET", path, sites: ["plant-2"]).json["items"]?.array ?? []
        #expect(!own.isEmpty && own.allSatisfy { $0["site"] == "plant-2" })
        #expect(own.count < all.count)
        let theirs = try all.first { $0["site"] == "plant-1" }?["id"]?.int.unwrapped() ?? 0
        #expect(try await plant.bench.send("GET", "\(path)/\(theirs)", sites: ["plant-2"]).status == 403)
        #expect(try await plant.bench.send("GET", "\(path)?site=plant-1", sites: ["plant-2"]).status == 403)
        #expect(try await plant.bench.send("GET", path, sites: []).status == 403)
    }

    @Test func whatBelongsToNoSiteIsForWhoMayReadEverywhere() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        for path in ["/v1/bills-of-materials", "/v1/routings", "/v1/lots", "/v1/suppliers", "/v1/equipment"] {
            #expect(try await plant.bench.send("GET", path, sites: ["plant-1"]).status == 403)
            #expect(try await plant.bench.send("GET", "\(path)/1", sites: ["plant-1"]).status == 403)
        }
    }

    @Test func pagesFollowEachOtherWithoutGapOrOverlap() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        var seen: [Int] = []
        var cursor = ""
        repeat {
            let page = try await plant.bench.send("GET", "/v1/routings?limit=2" + cursor).json
            seen += page["items"]?.array?.compactMap { $0["id"]?.int } ?? []
            cursor = page["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty
        let all = try await plant.bench.send("GET", "/v1/routings").json["items"]?.array?.compactMap { $0["id"]?.int }
        #expect(seen == all)
        #expect(seen.count == 3)
    }

    // MARK: fields, changed_since, If-None-Match

    @Test func onlyTheMembersThatAreWantedAreAnsweredAndAskedFor() async throws {
        let odoo = try ReadTests.odoo(19, ["maintenance.equipment": [["id": 1, "name": "Press"]]])
        let bench = try Bench(odoo: odoo)
        defer { bench.remove() }
        let answer = try await bench.send("GET", "/v1/equipment?fields=name")
        #expect(answer.json["items"] == [["id": 1, "name": "Press"]])
        #expect(odoo.calls.last?.named.first { $0.name == "fields" }?.value == ["id", "name"])
        let wrong = try await bench.send("GET", "/v1/equipment?fields=colour")
        #expect(wrong.status == 400)
        #expect(wrong.json["violations"]?[0]?["parameter"] == "fields")
    }

    @Test func readsThatAreNoTablesAreSelectableToo() async throws {
        let plant = try Plant(17)
        defer { plant.bench.remove() }
        for path in ["/v1/products", "/v1/production-orders", "/v1/work-centers"] {
            let list = try await plant.bench.send("GET", "\(path)?fields=name&limit=1")
            #expect(list.json["items"]?[0]?.object?.keys == ["id", "name"], "\(path): \(list.text)")
            #expect(list.json["next_cursor"] != nil)
        }
        let order = try await plant.bench.send("GET", "/v1/production-orders/1?fields=state,operations")
        #expect(order.json.object?.keys == ["id", "state", "operations"])
    }

    @Test func changesAreAskedForWithTheTimeATransactionMayTake() async throws {
        let odoo = try ReadTests.odoo(19, [:])
        let bench = try Bench(odoo: odoo)
        defer { bench.remove() }
        let paths = ["equipment", "products", "production-orders", "work-centers", "inventory", "purchase-orders"]
        for path in paths {
            let answer = try await bench.send("GET", "/v1/\(path)?changed_since=2026-11-25T06:00:00%2B01:00")
            #expect(answer.status == 200, "\(path): \(answer.text)")
            let domain = odoo.calls.last?.positional.first?.value.array ?? []
            #expect(domain.contains(["write_date", ">=", "2026-11-25 04:58:00"]), "\(path): \(domain)")
        }
        #expect(try await bench.send("GET", "/v1/equipment?changed_since=yesterday").status == 400)
    }

    @Test(arguments: [17, 19]) func onlyWhatWasChangedSinceIsAnswered(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "draft")
        plant.host.advance(.seconds(3_600))
        let since = plant.host.wall.rfc3339
        let before = try await plant.bench.send("GET", "/v1/production-orders?changed_since=\(since)")
        #expect(before.json["items"] == [])
        _ = try await plant.bench.send("POST", "/v1/production-orders/\(order)/release", key: "r1")
        let after = try await plant.bench.send("GET", "/v1/production-orders?changed_since=\(since)")
        #expect(after.json["items"]?.array?.map { $0["id"]?.int } == [order])
    }

    @Test func whoHasTheAnswerAlreadyGets304WithoutIt() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let first = try await plant.bench.send("GET", "/v1/equipment/1")
        let tag = try first.field("ETag").unwrapped()
        for field in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
            let again = try await plant.bench.send("GET", "/v1/equipment/1") { $0.ifNoneMatch = field }
            #expect(again.status == 304)
            #expect(again.body.isEmpty)
            #expect(again.field("ETag") == tag)
        }
        let other = try await plant.bench.send("GET", "/v1/equipment/1") { $0.ifNoneMatch = "\"x\"" }
        #expect(other.status == 200)
        let narrower = try await plant.bench.send("GET", "/v1/equipment/1?fields=name")
        #expect(narrower.field("ETag") != tag)
    }
}

extension Recorded {
    /// Every field that an answer of this version holds, by model.
    static func fields(_ version: Int) throws -> [String: Set<String>] {
        var fields: [String: Set<String>] = [:]
        for number in try numbers(version) {
            guard let call = try? search(version, number), let result = try? result(version, number) else { continue }
            for record in result.array ?? [] {
                fields[call.model, default: []].formUnion(record.object?.keys ?? [])
            }
        }
        return fields
    }

    private static func numbers(_ version: Int) throws -> [String] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try FileManager.default.contentsOfDirectory(
            atPath: tests.appendingPathComponent("Fixtures/odoo/\(version)").path
        ).map { String($0.prefix(3)) }
    }

    /// The model and method of a recorded `execute_kw`.
    static func search(_ version: Int, _ number: String) throws -> (model: String, method: String) {
        let body = try load(version, number)["request"]?["body"]?.string.unwrapped() ?? ""
        let arguments = try JSONValue.parse(body)["params"]?["args"].unwrapped() ?? .null
        let model = try arguments[3]?.string.unwrapped() ?? ""
        let method = try arguments[4]?.string.unwrapped() ?? ""
        return (model, method)
    }
}
