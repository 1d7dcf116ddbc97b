import JSON
import Policy
import Testing

/// What rules tell apart inside a site, known before any record is.
@Suite struct DistinctionTests {
    static let rules = """
          - {id: paint, effect: forbid, roles: [a], operations: [order.confirm], sites: "*", product_categories: [Paint]}
          - {id: own, effect: allow, roles: [a], operations: [order.confirm, order.start], sites: "*", work_centers: own}
          - {id: late, effect: allow, roles: [b], operations: [order.close], sites: "*",
             condition: 'resource.product_category == "Steel"'}
          - {id: all, effect: allow, roles: [b], operations: [order.read], sites: "*"}

        """

    static func policy() throws -> PolicySet {
        let roles =
            "roles:\n  a: {description: d, any: [{claim: roles, contains: a}]}\n"
            + "  b: {description: d, any: [{claim: roles, contains: b}]}\n"
        return try PolicySet.load(
            files: [("roles.yaml", roles), ("access/t.yaml", "rules:\n" + rules)],
            catalog: OperationCatalog(
                ["order.confirm", "order.start", "order.close", "order.read"].map {
                    PolicyOperation($0)
                }), digest: checksum)
    }

    @Test func eachThingThatRulesNameIsAskedForAndOneForTheRest() throws {
        let policy = try Self.policy()
        let anna = caller(["roles": ["a"], "work_centers": ["M1", "M2"]])
        let confirm = policy.distinctions(of: "order.confirm")
        #expect(confirm.needsProductCategory)
        let asked = try #require(confirm.resources(for: anna))
        #expect(asked.count == 6 && asked.contains(Resource()))
        #expect(asked.contains(Resource(workCenter: "M2", productCategory: "Paint")))
        #expect(policy.distinctions(of: "order.start").resources(for: anna)?.count == 3)
        #expect(!policy.distinctions(of: "order.start").needsProductCategory)
        #expect(policy.distinctions(of: "order.close").needsProductCategory)
        #expect(policy.distinctions(of: "order.read") == .none)
        #expect(policy.distinctions(of: "order.read").resources(for: anna) == [Resource()])
    }

    @Test func aRuleMayForbidOrAllowACategoryAlone() throws {
        let policy = try Self.policy()
        let anna = caller(["roles": ["a"], "work_center": "M1"])
        let roles = policy.roles(of: anna)
        func decide(_ category: String?, at center: String?) -> Decision {
            policy.decide(
                roles, principal: anna, operation: "order.confirm",
                resource: Resource(site: "x", workCenter: center, productCategory: category), facts: noon)
        }
        #expect(decide("Steel", at: "M1").isPermitted)
        #expect(decide("Paint", at: "M1").rule == "paint" && !decide("Paint", at: "M1").isPermitted)
        #expect(!decide("Steel", at: "M9").isPermitted)
        let ben = caller(["roles": ["b"]])
        func close(_ category: String?) -> Bool {
            policy.decide(
                policy.roles(of: ben), principal: ben, operation: "order.close",
                resource: Resource(site: "x", productCategory: category), facts: noon
            ).isPermitted
        }
        #expect(close("Steel") && !close("Paint") && !close(nil))
    }
}
