import Identity
import Policy
import Testing

@Suite struct ShippedPolicyTests {
    static let reads = [
        "product.read", "work-center.read", "production-order.read", "inventory.read", "operation.read",
        "bill-of-materials.read", "routing.read", "work-order.read", "location.read", "lot.read", "supplier.read",
        "purchase-order.read", "equipment.read",
    ]
    /// What belongs to no site.
    static let siteless: Set<String> = [
        "product.read", "event.read", "bill-of-materials.read", "routing.read", "lot.read", "supplier.read",
        "equipment.read", "maintenance.close", "quality-alert.close",
    ]

    static let reports = [
        "production-order.confirm", "production-order.consume", "work-order.start", "work-order.pause",
        "work-order.finish", "scrap.report",
        "labour.report", "downtime.report", "downtime.close", "transfer.create", "transfer.validate", "lot.create",
        "maintenance.request", "quality-alert.raise", "inspection.record",
    ]
    static let planning = [
        "production-order.create", "production-order.change-quantity", "production-order.release",
        "production-order.reserve", "production-order.cancel", "production-order.unbuild", "production-order.start",
        "production-order.pause", "production-order.finish", "work-order.cancel",
        "maintenance.close",
        "quality-alert.close", "lot.hold", "lot.release",
    ]

    /// Role, and what it may do at plant-1 being at home there.
    static let matrix: [(String, Set<String>)] = [
        ("operator", Set(reads + reports + ["approval.read"])),
        (
            "supervisor",
            Set(reads + reports + planning + ["inventory.count", "proxy.odoo-web", "approval.read", "approval.decide"])
        ),
        (
            "mes",
            Set(
                reads + reports + planning + [
                    "approval.read", "event.read", "plant-event.post", "access.evaluate", "batch.submit", "batch.read",
                ])
        ),
        (
            "wms",
            [
                "product.read", "inventory.read", "location.read", "lot.read", "supplier.read", "purchase-order.read",
                "transfer.create", "transfer.validate", "lot.create", "lot.hold", "lot.release",
                "inventory.count", "event.read", "access.evaluate", "batch.submit", "batch.read",
            ]
        ), ("auditor", Set(reads + ["event.read", "batch.read"])), ("security", ["operation.read"]),
        ("nobody", []),
    ]

    func caller(_ role: String) -> Principal {
        role == "mes" || role == "wms" ? PolicyTests.caller(subject: role, client: role) : staff(role)
    }

    @Test(arguments: matrix)
    func eachRoleMayDoExactlyItsWork(role: String, permitted: Set<String>) throws {
        let policy = try PolicySet.shipped()
        let caller = caller(role)
        #expect(policy.names(of: policy.roles(of: caller)) == (role == "nobody" ? [] : [role]))
        for operation in policy.operations where !eventOperations.contains(operation) {
            let siteless = Self.siteless.contains(operation) || operation.hasPrefix("proxy.")
            let decided = policy.effect(caller, operation, siteless ? nil : "plant-1")
            #expect(decided == permitted.contains(operation), "\(role) \(operation)")
            #expect(policy.opens(caller, operation) == decided, "\(role) \(operation)")
        }
    }

    /// Role, event, site, and whether it is for them.
    static let events: [(String, String, String?, Bool)] = [
        ("mes", "production-order.released", "plant-1", true), ("mes", "production-order.released", "plant-3", false),
        ("mes", "lot.held", "plant-1", false), ("wms", "lot.held", "plant-2", true),
        ("wms", "production.confirmed", "plant-2", false), ("auditor", "operation.settled", nil, true),
        ("mes", "operation.settled", nil, false), ("security", "lot.held", "plant-1", false),
        ("operator", "production.confirmed", "plant-1", false),
    ]

    @Test(arguments: events) func eachHearsWhatIsForIt(role: String, event: String, site: String?, heard: Bool) throws {
        #expect(try PolicySet.shipped().effect(caller(role), "event." + event, site) == heard)
    }

    @Test func staffStaysAtItsOwnSite() throws {
        let policy = try PolicySet.shipped()
        for role in ["operator", "supervisor"] {
            #expect(policy.effect(staff(role, site: "plant-2"), "production-order.confirm", "plant-2"))
            #expect(!policy.effect(staff(role, site: "plant-2"), "production-order.confirm", "plant-1"))
            #expect(!policy.effect(staff(role, site: "plant-2"), "production-order.read", nil))
        }
        #expect(!policy.effect(caller("mes"), "production-order.confirm", "plant-3"))
        #expect(policy.effect(caller("auditor"), "production-order.read", "plant-3"))
    }

    @Test(arguments: [("proxy.odoo-rpc", "no-raw-rpc"), ("proxy.odoo-database", "no-database-manager")])
    func nobodyGoesThroughOdoosSideDoors(operation: String, rule: String) throws {
        let policy = try PolicySet.shipped()
        let caller = caller("supervisor")
        let decision = policy.gate(policy.roles(of: caller), principal: caller, operation: operation)
        #expect(decision.effect == .forbid)
        #expect(decision.rule == rule)
        #expect(decision.reason == "forbidden by rule '\(rule)'")
    }

    @Test func serviceAccountsOfAnotherIssuerAreNobody() throws {
        let policy = try PolicySet.shipped()
        #expect(policy.roles(of: PolicyTests.caller(issuer: "https://other.example", client: "mes")).isEmpty)
    }
}
