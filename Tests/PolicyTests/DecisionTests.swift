import Identity
import JSON
import Policy
import Testing

@Suite struct DecisionTests {
    @Test func whatNoRulePermitsIsDenied() throws {
        let policy = try PolicySet.rules(
            "- {id: r, effect: allow, roles: [a], operations: [product.read], sites: [plant-1]}")
        let caller = staff("a")
        let roles = policy.roles(of: caller)
        func cause(_ operation: String, _ site: String?) -> Decision.Cause {
            policy.decide(roles, principal: caller, operation: operation, resource: Resource(site: site)).cause
        }
        #expect(cause("product.read", "plant-1") == .rule)
        #expect(cause("product.read", "plant-2") == .otherResources)
        #expect(cause("product.read", nil) == .otherResources)
        #expect(cause("inventory.read", "plant-1") == .noRule)
        #expect(cause("product.write", "plant-1") == .unknownOperation)
        #expect(!policy.opens(staff("b"), "product.read"))
        #expect(!policy.opens(caller, "product.write"))
    }

    @Test func forbidOverridesPermitInWhateverOrder() throws {
        let permit = "- {id: p, effect: allow, roles: [a], operations: [product.read], sites: \"*\"}\n"
        let forbid = "- {id: f, effect: forbid, roles: [b], operations: [product.read], sites: \"*\"}\n"
        for text in [permit + forbid, forbid + permit] {
            let policy = try PolicySet.rules(text)
            let both = caller(["roles": ["a", "b"]])
            let roles = policy.roles(of: both)
            let decision = policy.decide(roles, principal: both, operation: "product.read", resource: Resource())
            #expect(decision.effect == .forbid)
            #expect(decision.rule == "f")
            #expect(policy.effect(staff("a"), "product.read", nil))
        }
    }

    @Test func gateStaysOpenUnderANarrowerForbid() throws {
        let policy = try PolicySet.rules(
            """
            - {id: p, effect: allow, roles: [a], operations: [product.read], sites: "*"}
            - {id: f, effect: forbid, roles: [a], operations: [product.read], sites: [plant-2]}
            """)
        #expect(policy.opens(staff("a"), "product.read"))
        #expect(policy.effect(staff("a"), "product.read", "plant-1"))
        #expect(!policy.effect(staff("a"), "product.read", "plant-2"))
    }

    @Test func gateClosesWhenForbidsCoverAllThatIsPermitted() throws {
        let policy = try PolicySet.rules(
            """
            - {id: p, effect: allow, roles: [a], operations: [product.read], sites: [plant-1, plant-2]}
            - {id: f1, effect: forbid, roles: [a], operations: [product.read], sites: [plant-1]}
            - {id: f2, effect: forbid, roles: "*", operations: ["*"], sites: [plant-2]}
            """)
        let caller = staff("a")
        let decision = policy.gate(policy.roles(of: caller), principal: caller, operation: "product.read")
        #expect(decision.effect == .forbid)
        #expect(decision.rule == "f1")
    }

    @Test func gateNeedsAPlaceOfTheCallersOwn() throws {
        let policy = try PolicySet.rules(
            "- {id: p, effect: allow, roles: [a], operations: [product.read], sites: own, work_centers: own}")
        #expect(!policy.opens(caller(["roles": "a"]), "product.read"))
        #expect(!policy.opens(caller(["roles": "a", "site": "x"]), "product.read"))
        #expect(!policy.opens(caller(["roles": "a", "site": "", "work_center": "w"]), "product.read"))
        #expect(policy.opens(caller(["roles": "a", "sites": ["x"], "work_centers": ["w"]]), "product.read"))
    }

    @Test(
        arguments: [
            (["site": "x"], true), (["sites": "x"], true), (["sites": ["y", "x"]], true),
            (["site": "y", "sites": ["x"]], true),
            (["site": ["x"]], true), (["sites": []], false), (["site": 1], false), (["sites": [["x"]]], false),
            ([:], false),
            (["site": "X"], false), (["sites": "x y"], false),
        ] as [(JSONObject, Bool)])
    func ownSitesComeFromTwoClaims(claims: JSONObject, permitted: Bool) throws {
        let policy = try PolicySet.rules(
            "- {id: p, effect: allow, roles: \"*\", operations: [product.read], sites: own}")
        #expect(policy.effect(caller(claims), "product.read", "x") == permitted)
    }

    @Test func workCentersNarrowARule() throws {
        let policy = try PolicySet.rules(
            "- {id: p, effect: allow, roles: [a], operations: [product.read], sites: \"*\", work_centers: [W1]}")
        #expect(policy.effect(staff("a"), "product.read", nil, "W1"))
        #expect(!policy.effect(staff("a"), "product.read", nil, "W2"))
        #expect(!policy.effect(staff("a"), "product.read", nil, nil))
    }

    @Test func firstRuleDecidesAndObligationsAddUp() throws {
        let policy = try PolicySet.rules(
            """
            - {id: p1, effect: allow, roles: [a], operations: [product.*], sites: "*"}
            - {id: p2, effect: allow, roles: [b], operations: [product.read], sites: own, obligations: {audit_body: true}}
            """)
        let both = caller(["roles": ["a", "b"], "site": "x"])
        let roles = policy.roles(of: both)
        func decision(_ site: String) -> Decision {
            policy.decide(roles, principal: both, operation: "product.read", resource: Resource(site: site))
        }
        #expect(decision("x").rule == "p1")
        #expect(decision("x").obligations.auditBody)
        #expect(!decision("y").obligations.auditBody)
        #expect(policy.gate(roles, principal: both, operation: "product.read").obligations.auditBody)
    }

    @Test func rolesOfAnotherPolicyAreRefused() throws {
        let old = try PolicySet.rules("- {id: p, effect: allow, roles: [a], operations: [product.read], sites: \"*\"}")
        let new = try PolicySet.rules("- {id: q, effect: allow, roles: [a], operations: [product.read], sites: \"*\"}")
        let caller = staff("a")
        let roles = old.roles(of: caller)
        #expect(new.gate(roles, principal: caller, operation: "product.read").cause == .staleRoles)
        #expect(
            new.decide(roles, principal: caller, operation: "product.read", resource: Resource()).cause == .staleRoles)
        #expect(new.names(of: roles).isEmpty)
    }

    /// Gate against its definition, over all rules that can be made of a few places.
    @Test func gatePermitsExactlyWhenSomeDecisionDoes() throws {
        let scopes = ["\"*\"", "own", "[s1]", "[s1, s2]"]
        let places = ["s1", "s2", "s3", "elsewhere", nil]
        let callers = [
            caller(["roles": "a"]), caller(["roles": "a", "site": "s1"]),
            caller(["roles": "a", "sites": ["s2", "s3"]]),
        ]
        var state: UInt64 = 5
        func pick(_ n: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % n
        }
        for _ in 0..<150 {
            var text = ""
            for i in 0..<(1 + pick(4)) {
                let effect = pick(2) == 0 ? "allow" : "forbid"
                text += "- {id: r\(i), effect: \(effect), roles: [a], operations: [product.read], "
                text += "sites: \(scopes[pick(4)]), work_centers: \(scopes[pick(4)].replacing("own", with: "[s3]"))}\n"
            }
            let policy = try PolicySet.rules(text)
            for caller in callers {
                let possible = places.contains { site in
                    places.contains { policy.effect(caller, "product.read", site, $0) }
                }
                #expect(policy.opens(caller, "product.read") == possible, "\(text) \(caller.claims)")
            }
        }
    }
}
