import Bytes
import JSON
import Testing

@testable import Odoo

/// Creating and releasing orders.
struct OrderRecipesTests {
    private let v17 = OdooVersion(major: 17)
    private let v19 = OdooVersion(major: 19)

    private func create(_ name: String = "mo_407768", _ product: Int = 63) throws -> CreateProductionOrder {
        CreateProductionOrder(
            externalID: try #require(OdooExternalID(module: "mes", name: name)), product: product,
            quantity: ExactDecimal(2))
    }

    @Test func anOrderIsCreatedAsRecorded() throws {
        for (version, name, product) in [(17, "mo_407768", 63), (19, "mo_407762", 79)] {
            var order = try create(name, product)
            order.billOfMaterials = 14
            order.origin = "plant " + name.dropFirst(3)
            let call = try order.call(on: OdooVersion(major: version))
            try OdooEndpointTests.expectSame(call, as: version, "709")
            try OdooEndpointTests.expectSame(call, as: version, "710")
            for number in ["709", "710"] {
                let result = try Recording.find(version, number).result()
                let id = version == 17 ? 122 : 127
                #expect(try OdooLoadOutcome(of: result, lastTry: false) == .created(id: id))
            }
        }
    }

    @Test func allFieldsOfAnOrderGoIntoOneRow() throws {
        var order = try create()
        order.quantity = ExactDecimal(mantissa: 125, scale: 1)
        order.start = WallInstant("2026-12-01T07:00:00+01:00")
        order.deadline = WallInstant("2026-12-02T06:00:00Z")
        order.origin = ""
        order.pickingType = 8
        let call = try order.call(on: v19)
        #expect(call.method == "load")
        #expect(
            call.positional.map(\.value) == [
                ["id", "product_id/.id", "product_qty", "date_start", "date_deadline", "picking_type_id/.id"],
                [
                    [
                        "mes.mo_407768", 63, .number(JSONNumber(ExactDecimal(mantissa: 125, scale: 1))),
                        "2026-12-01 06:00:00", "2026-12-02 06:00:00", 8,
                    ]
                ],
            ])
        #expect(call.context == ["tz": "UTC"])
    }

    @Test func whatOdooRefusesIsSaidByField() throws {
        for version in [17, 19] {
            let result = try Recording.find(version, "711").result()
            guard case .refused(let messages) = try OdooLoadOutcome(of: result, lastTry: false) else {
                Issue.record("711 is a refusal")
                return
            }
            #expect(messages.first?.field == "product_id")
            let contended = try Recording.find(version, "717").result()
            #expect(try OdooLoadOutcome(of: contended, lastTry: false) == .again)
            guard case .refused = try OdooLoadOutcome(of: contended, lastTry: true) else {
                Issue.record("the last try is a refusal")
                return
            }
        }
        for odd: JSONValue? in [nil, true, ["ids": []], ["ids": [1, 2]]] {
            #expect(throws: OdooShapeError.self) { try OdooLoadOutcome(of: odd, lastTry: false) }
        }
    }

    @Test func ordersThatCannotBeAreRefused() throws {
        var order = try create()
        for quantity in [ExactDecimal.zero, ExactDecimal(-1)] {
            order.quantity = quantity
            #expect(throws: RecipeRefusal.quantityNotPositive) { try order.call(on: v17) }
        }
        #expect(throws: RecipeRefusal.unsupportedVersion(OdooVersion(major: 20))) {
            try create().call(on: OdooVersion(major: 20))
        }
    }

    @Test func externalIDsHaveNoDotsOfTheirOwn() {
        #expect(OdooExternalID(module: "mes", name: "mo_1-A")?.description == "mes.mo_1-A")
        for (module, name) in [
            ("", "a"), ("a", ""), ("a.b", "c"), ("a", "b.c"), ("a b", "c"), ("a", "é"), ("a", "b\n"), ("a", "@"),
            ("[", "a"),
            ("a", String(repeating: "x", count: 101)),
        ] { #expect(OdooExternalID(module: module, name: name) == nil, "\(module) \(name)") }
    }

    /// Odoo deletes what stands under a module's name when that module is installed: no module's name begins so.
    @Test func whatTheGatewayMakesStandsUnderNoModulesName() {
        #expect(OdooExternalID.gateway.hasPrefix("__"))
        #expect(OdooExternalID(module: OdooExternalID.gateway, name: "op_1")?.description == "__millgate__.op_1")
    }

    @Test func aDraftIsReleasedAsRecorded() throws {
        for version in [17, 19] {
            let on = OdooVersion(major: version)
            let draft = try OrderFixture.orders(version, "044")[0]
            guard case .call(let call) = try ReleaseProductionOrder.plan(for: draft, on: on) else {
                Issue.record("a draft is released by a call")
                return
            }
            try OdooEndpointTests.expectSame(call, as: version, "046")
            #expect(ReleaseProductionOrder.verdict(after: draft) == .notApplied)
            let released = try OrderFixture.orders(version, "050")[0]
            #expect(ReleaseProductionOrder.verdict(after: released) == .applied)
            #expect(try ReleaseProductionOrder.plan(for: released, on: on) == .alreadyReleased)
        }
    }

    @Test func releaseIsGuardedByTheState() throws {
        func order(_ state: String) throws -> ProductionOrderRecord {
            try OrderFixture.order(on: 17, ["state": .string(state)])
        }
        for state in ["confirmed", "progress", "to_close"] {
            #expect(try ReleaseProductionOrder.plan(for: order(state), on: v17) == .alreadyReleased)
        }
        // Recording 125: Odoo says true to a cancelled order.
        #expect(try Recording.find(17, "125").result() == true)
        #expect(throws: RecipeRefusal.orderCancelled) { try ReleaseProductionOrder.plan(for: order("cancel"), on: v17) }
        #expect(throws: RecipeRefusal.orderDone) { try ReleaseProductionOrder.plan(for: order("done"), on: v17) }
        #expect(throws: RecipeRefusal.orderInUnknownState("x")) {
            try ReleaseProductionOrder.plan(for: order("x"), on: v17)
        }
        #expect(throws: RecipeRefusal.unsupportedVersion(OdooVersion(major: 16))) {
            try ReleaseProductionOrder.plan(for: order("draft"), on: OdooVersion(major: 16))
        }
        #expect(ReleaseProductionOrder.verdict(after: try order("done")) == .applied)
        #expect(ReleaseProductionOrder.verdict(after: try order("cancel")) == .conflict("the order was cancelled"))
        #expect(ReleaseProductionOrder.verdict(after: try order("x")) == .conflict("the order is in state `x`"))
        #expect(ReleaseProductionOrder.verdict(after: nil) == .conflict("the order is gone"))
    }

    @Test func everyRefusalHasItsOwnCodeAndSaysWhatToDo() {
        let all: [RecipeRefusal] = [
            .unsupportedVersion(v17), .orderNotReleased, .orderDone, .orderCancelled, .orderInUnknownState("x"),
            .orderChanged, .quantityNotPositive, .nothingRemains,
            .quantityExceedsRemaining(asked: ExactDecimal(2), remaining: ExactDecimal(1)),
            .quantityNotKept(asked: ExactDecimal(2), kept: ExactDecimal(1)), .componentsNotConsumed(["a", "b"]),
            .byproductShareInexact("c"),
        ]
        #expect(Set(all.map(\.code)).count == all.count)
        #expect(all.allSatisfy { $0.description.count > 15 })
    }
}
