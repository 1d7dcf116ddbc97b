import Bytes
import JSON
import Testing

@testable import OdooSandbox

@Suite struct DomainTests {
    /// A domain over the demo's products, and the codes it finds.
    static let domains: [(JSONValue, [String])] = [
        ([["default_code", "=", "BALL-20"]], ["BALL-20"]),
        ([["default_code", "in", ["BALL-20", "SEAL-20", "NOPE"]]], ["BALL-20", "SEAL-20"]),
        (["|", ["default_code", "=", "BALL-20"], ["default_code", "=", "SEAL-20"]], ["BALL-20", "SEAL-20"]),
        ([["default_code", "=like", "%-20"]], ["BALL-20", "SEAL-20", "VALVE-20"]),
        ([["default_code", "=like", "%-20"], ["name", "ilike", "VALVE"]], ["VALVE-20"]),
        (["&", ["default_code", "like", "20"], "!", ["name", "like", "Ball"]], ["SEAL-20"]),
        ([["uom_id.name", "=", "kg"]], ["LACQUER"]),
        ([["uom_id", "=", 2]], ["LACQUER"]),
        ([["uom_id", "=", "kg"]], ["LACQUER"]),
        ([["barcode", "=", false], ["default_code", "=ilike", "lacq_er"]], ["LACQUER"]),
        (
            [["qty_available", "<", 30], ["qty_available", ">=", 20]], ["CHAIR-01", "PUMP-100", "TABLE-01", "VALVE-20"]
        ),
        ([["id", "in", []]], []),
        ([["default_code", "not in", ["X"]], ["default_code", "=?", false], ["name", "=", "Chair"]], ["CHAIR-01"]),
        ([["product_tmpl_id.product_variant_ids.default_code", "=", "CHAIR-01"]], ["CHAIR-01"]),
        ([[1, "=", 0]], []),
    ]

    @Test(arguments: domains)
    func domainsFind(domain: JSONValue, codes: [String]) throws {
        let found = try SandboxClient(.v19).call(
            "product.product", "search_read", [domain], ["fields": ["default_code"], "order": "default_code"])
        #expect(found?.array?.compactMap { $0["default_code"]?.string } == codes)
    }

    /// A field with an index is found by it whatever its kind; without one, by walking the table.
    @Test(arguments: SandboxVersion.allCases) func wholeNumbersAreFoundWithAnIndexAndWithout(
        _ version: SandboxVersion
    ) throws {
        let client = SandboxClient(version)
        let loaded = try client.call(
            "product.product", "load",
            [["id", "default_code", "name"], [["millgate.found", "BOLT-INDEXED", "Found"]]],
            as: "admin")
        let id = try #require(loaded?["ids"]?[0]?.int)
        func names(_ model: String, _ domain: JSONValue) throws -> [String?]? {
            try client.call(model, "search_read", [domain], ["fields": ["name"]], as: "admin")?.array?.map {
                $0["name"]?.string
            }
        }
        // `res_id` has an index.
        #expect(
            try names("ir.model.data", [["res_id", "=", JSONValue(id)], ["model", "=", "product.product"]]) == ["found"]
        )
        #expect(try names("ir.model.data", [["res_id", "=", 999_999]]) == [])
        #expect(try names("ir.model.data", [["res_id", "=", 0]]) == [])
        // `sequence` has none.
        #expect(try names("maintenance.stage", [["sequence", "=", 2]])?.count == 1)
    }

    @Test func orderOffsetAndLimitCutThePage() throws {
        let client = SandboxClient(.v17)
        func codes(_ named: JSONObject) throws -> [String?]? {
            var named = named
            named["fields"] = ["default_code"]
            return try client.call("product.product", "search_read", [[]], named)?.array?.map {
                $0["default_code"]?.string
            }
        }
        let all = try #require(try codes(["order": "default_code desc"]))
        #expect(all == all.sorted { ($0 ?? "") > ($1 ?? "") })
        #expect(try codes(["order": "default_code desc", "offset": 2, "limit": 3]) == Array(all[2..<5]))
        #expect(try codes(["order": "uom_id desc, id", "limit": 1]) == ["LACQUER"])
        #expect(try codes(["offset": 500]) == [])
    }

    @Test func locationsBelowAreFound() throws {
        let client = SandboxClient(.v19)
        let ids = BaseIDs(.v19)
        let below = try client.call("stock.location", "search", [[["id", "child_of", 7]]])
        #expect(below == [JSONValue(ids.stock), 7, 60])
        let quants = try client.call("stock.quant", "search_count", [[["location_id", "child_of", 40]]])
        #expect(quants == 11)
    }

    /// Compared with a naive matcher over small alphabets.
    @Test func likePatternsMatchAsTheNaiveOnesDo() {
        func naive(_ text: ArraySlice<Character>, _ pattern: ArraySlice<Character>) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == "%" {
                return (text.startIndex...text.endIndex).contains { naive(text[$0...], pattern.dropFirst()) }
            }
            guard let head = text.first, first == "_" || first == head else { return false }
            return naive(text.dropFirst(), pattern.dropFirst())
        }
        var dice = StockSimulationTests.Dice(state: 42)
        for _ in 0..<3_000 {
            let text = (0..<dice.roll(7)).map { _ in Character(["a", "b", "c"][dice.roll(3)]) }
            let pattern = (0..<dice.roll(7)).map { _ in Character(["a", "b", "%", "_"][dice.roll(4)]) }
            #expect(LikePattern.matches(text, pattern) == naive(text[...], pattern[...]), "\(text) \(pattern)")
        }
        #expect(LikePattern.matches(Array("50%"), Array("50\\%")))
        #expect(!LikePattern.matches(Array("50x"), Array("50\\%")))
        #expect(
            !LikePattern.matches(
                Array(String(repeating: "a", count: 5_000)), Array(String(repeating: "%a", count: 500) + "b")))
    }
}

@Suite struct ValueTests {
    /// Text, what Odoo makes of it; nil for ValueError.
    static let instants: [(String, String?)] = [
        ("2026-12-01 06:00:00", "2026-12-01 06:00:00"), ("2026-12-01", "2026-12-01 00:00:00"),
        ("2026-12-01T06:00:00", nil), ("2026-12-01T06:00:00Z", nil), ("2026-12-01 06:00:00.123456", nil),
        ("2026-12-01 06:00:00+02:00", nil), ("2026-13-01 06:00:00", nil), ("2026-02-30", nil), ("not-a-date", nil),
        ("2026-12-01 06:00", nil), ("2026-12-1", nil), ("é026-12-01 06:00:00", nil), ("2026-12-01é06:00:00", nil),
    ]

    @Test(arguments: instants)
    func datesAreNaiveUTCOrNothing(text: String, kept: String?) throws {
        let client = SandboxClient(.v19)
        let answer = try client.answer("mrp.production", "write", [[1], ["date_start": .string(text)]])
        if let kept {
            #expect(answer["result"] == true)
            #expect(try client.read("mrp.production", 1, "date_start") == .string(kept))
        } else {
            #expect(answer["error"]?["data"]?["name"] == "builtins.ValueError")
        }
    }

    @Test func quantitiesAreRoundedToTwoPlacesHalfUp() throws {
        let client = SandboxClient(.v19)
        for (written, kept) in [("1.005", "1.01"), ("1.004", "1.0"), ("0.1", "0.1"), ("2.675", "2.68"), ("3", "3.0")] {
            let number = try #require(JSONNumber(written))
            try client.call("mrp.production", "write", [[1], ["qty_producing": .number(number)]])
            #expect(try client.read("mrp.production", 1, "qty_producing")?.text == kept)
        }
    }

    @Test func sharesAreExactAndRounded() {
        func d(_ text: String) -> ExactDecimal { ExactDecimal(text) ?? .zero }
        #expect(d("10").share(d("2"), of: d("5")) == d("4"))
        #expect(d("1").share(d("1"), of: d("3")) == d("0.33"))
        #expect(d("2").share(d("1"), of: d("3")) == d("0.67"))
        #expect(d("1").share(d("1"), of: d("3"), rounding: .up) == d("0.34"))
        #expect(d("-1").share(d("1"), of: d("8")) == d("-0.13"))
        #expect(d("1").share(d("1"), of: .zero) == .zero)
        #expect(d("0.125").rounded(places: 2) == d("0.13"))
        #expect(d("5").json.text == "5.0")
    }

    @Test func pythonShowsValuesItsWay() {
        #expect(pythonTuple(["a", "=", 1]) == "('a', '=', 1)")
        #expect(pythonTuple([[true, false, .null]]) == "([True, False, None],)")
    }
}

@Suite struct TableTests {
    /// The index must always say what a walk over the rows says, also after undoing.
    @Test func theIndexAgreesWithTheRowsAfterAnyHistory() throws {
        let schema = Schema(
            "a.b", "A", fields: [Field("name", .char, "Name", indexed: true), Field("to", .many2one("a.b"), "To")])
        var database = Database([schema])
        var dice = StockSimulationTests.Dice(state: 7)
        for round in 0..<300 {
            let before = database.tables["a.b"]?.rows
            for _ in 0..<dice.roll(12) {
                let id = 1 + dice.roll(9)
                switch dice.roll(4) {
                case 0:
                    _ = database.insert("a.b", ["name": .text("n\(dice.roll(3))"), "to": .optional(dice.roll(3))])
                case 1: database.set("a.b", id, "name", dice.roll(4) == 0 ? .empty : .text("n\(dice.roll(3))"))
                case 2: database.set("a.b", id, "to", dice.roll(4) == 0 ? .empty : .link(dice.roll(3)))
                default: database.delete("a.b", id)
                }
                if dice.roll(5) == 0 {
                    let mark = database.setSavepoint()
                    let there = database.tables["a.b"]?.rows
                    database.set("a.b", id, "to", .link(dice.roll(3)))
                    database.delete("a.b", 1 + dice.roll(9))
                    database.rollback(to: mark)
                    #expect(database.tables["a.b"]?.rows == there)
                }
            }
            if dice.roll(2) == 0 {
                database.rollback()
                #expect(database.tables["a.b"]?.rows == before, "round \(round)")
            } else {
                database.commit()
            }
            let table = try #require(database.tables["a.b"])
            #expect(table.ids == table.rows.keys.sorted())
            for i in 0..<3 {
                for (field, value) in [("to", Value.link(i)), ("name", .text("n\(i)"))] {
                    let walked = table.ids.filter { table.rows[$0]?[field] == value }
                    #expect(table.holders(of: value, in: field) == walked, "round \(round)")
                }
            }
        }
    }
}

@Suite struct LoadTests {
    @Test(arguments: bothVersions)
    func loadingTheSameExternalIDTwiceIsOneRecord(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let valve = JSONValue(try client.product("VALVE-20"))
        func load(_ quantity: JSONValue) throws -> JSONValue? {
            try client.call(
                "mrp.production", "load",
                [["id", "product_id/.id", "product_qty", "origin"], [["plant.op_1", valve, quantity, "a"]]])
        }
        let first = try #require(try load(3)?["ids"]?[0]?.int)
        #expect(try load(4)?["ids"] == [JSONValue(first)])
        #expect(try client.read("mrp.production", first, "product_qty")?.decimal == ExactDecimal(4))
        let found = try client.call(
            "ir.model.data", "search_read", [[["module", "=", "plant"]]], ["fields": ["name", "res_id"]], as: "admin")
        #expect(found?.array?.count == 1)
    }

    @Test(arguments: bothVersions)
    func oneBadRowMakesAllRowsNothing(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let valve = JSONValue(try client.product("VALVE-20"))
        let before = try client.call("mrp.production", "search_count", [[]])
        let result = try client.call(
            "mrp.production", "load",
            [["id", "product_id/.id", "product_qty"], [["p.a", valve, 1], ["p.b", 99_999, 1], ["p.c", valve, -1]]])
        #expect(result?["ids"] == false)
        #expect(result?["messages"]?.array?.map { $0["record"]?.int } == [1, 1, 2])
        #expect(try client.call("mrp.production", "search_count", [[]]) == before)
    }

    @Test func groupsAreSummed() throws {
        let seventeen = try SandboxClient(.v17).call(
            "stock.quant", "read_group", [[["product_id.default_code", "=", "LACQUER"]]],
            ["fields": ["quantity:sum"], "groupby": ["location_id"]])
        #expect(seventeen?.array?.map { $0["quantity"]?.text } == ["5000.5", "5000.5"])
        let nineteen = try SandboxClient(.v19).call(
            "stock.quant", "formatted_read_group", [[["product_id.default_code", "=", "LACQUER"]]],
            ["aggregates": ["quantity:sum", "__count"], "groupby": ["product_id"]])
        #expect(nineteen?[0]?["quantity:sum"]?.text == "10001.0")
        #expect(nineteen?[0]?["__count"] == 2)
    }
}
