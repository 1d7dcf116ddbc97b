import Bytes
import Documents
import Identity
import JSON
import Policy
import Testing

/// What rules and roles can say besides role, operation and site.
@Suite struct LanguageTests {
    func errors(_ rule: String, attributes: Set<Resource.Attribute> = Set(Resource.Attribute.allCases)) -> [String] {
        let roles = "roles:\n  a:\n    description: d\n    any: [{claim: roles, contains: a}]\n"
        do throws(DocumentErrors) {
            _ = try PolicySet.load(
                files: [("roles.yaml", roles), ("access/t.yaml", "rules:\n  - \(rule)\n")],
                catalog: OperationCatalog([
                    PolicyOperation("order.confirm", attributes: attributes),
                    PolicyOperation("proxy.web", kind: .proxied, attributes: []),
                ]), digest: checksum)
            return []
        } catch {
            return error.errors.map { "\($0.line):\($0.column): \($0.message)" }
        }
    }

    // MARK: Principals

    @Test(
        arguments: [
            ("{roles: [a]}", "a", "https://id.millgate.example", nil, true),
            ("{roles: [a], issuers: [https://id.millgate.example]}", "a", "https://id.millgate.example", nil, true),
            ("{roles: [a], issuers: [https://other.example]}", "a", "https://id.millgate.example", nil, false),
            ("{issuers: [https://other.example]}", "-", "https://other.example", nil, true),
            ("{issuers: [https://other.example]}", "a", "https://id.millgate.example", nil, false),
            ("{service_accounts: [{client_id: mes, issuer: https://i}]}", "-", "https://i", "mes", true),
            ("{service_accounts: [{client_id: mes, issuer: https://i}]}", "-", "https://j", "mes", false),
            ("{service_accounts: [{client_id: mes, issuer: https://i}]}", "a", "https://i", nil, false),
            ("{service_accounts: [{subject: anna, issuer: https://i}]}", "-", "https://i", nil, true),
            ("{roles: \"*\"}", "-", "https://x", nil, true),
        ] as [(String, String, String, String?, Bool)])
    func rulesSpeakOfPrincipals(
        principals: String, role: String, issuer: String, client: String?, allowed: Bool
    ) throws {
        let policy = try PolicySet.rules(
            "- {id: r, effect: allow, principals: \(principals), operations: [product.read], sites: \"*\"}")
        let caller = caller(["roles": [.string(role)]], issuer: issuer, client: client)
        #expect(policy.effect(caller, "product.read", nil) == allowed)
        #expect(policy.opens(caller, "product.read") == allowed)
    }

    @Test func certificatesAreNamedInRules() throws {
        let thumbprint = String(repeating: "A", count: 43)
        let policy = try PolicySet.rules(
            """
            - {id: r, effect: allow, operations: [product.read], sites: "*",
               principals: {certificates: [{thumbprint: \(thumbprint)}, {subject: CN=press}]}}
            """)
        func allowed(_ subject: String, _ thumbprint: String) -> Bool {
            policy.effect(
                caller(subject: subject, authentication: .clientCertificate(thumbprint: thumbprint)), "product.read",
                nil)
        }
        #expect(allowed("CN=any", thumbprint))
        #expect(allowed("CN=press", "B"))
        #expect(!allowed("CN=any", "B"))
        #expect(!policy.effect(caller(subject: "CN=press"), "product.read", nil))
    }

    @Test(
        arguments: [
            ("{id: r, effect: allow, operations: \"*\", sites: own}", "2:5: missing key 'roles'"),
            (
                "{id: r, effect: allow, principals: {}, operations: \"*\", sites: own}",
                "2:40: say who: 'roles', 'service_accounts', 'certificates' or 'issuers'"
            ),
            (
                "{id: r, effect: allow, roles: [a], principals: {roles: [a]}, operations: \"*\", sites: own}",
                "2:35: 'roles' stands in 'principals' when there is one"
            ),
            (
                "{id: r, effect: allow, principals: {service_accounts: [{client_id: x}]}, operations: \"*\", sites: own}",
                "2:60: missing key 'issuer'"
            ),
        ])
    func whoMustBeSaidOnce(rule: String, error: String) {
        let found = errors(rule)
        #expect(found == [error])
    }

    // MARK: Roles

    func roles(_ text: String) throws -> PolicySet {
        try PolicySet.load(
            files: [
                ("roles.yaml", text),
                ("access/t.yaml", "rules: [{id: p, effect: allow, roles: [reader], operations: \"*\", sites: \"*\"}]"),
            ], operations: knownOperations, digest: checksum)
    }

    @Test func aRoleHasTheRightsOfThoseItInherits() throws {
        let policy = try roles(
            """
            roles:
              chief: {description: d, inherits: [staff], any: [{claim: roles, contains: chief}]}
              reader: {description: d, any: [{claim: roles, contains: reader}]}
              staff: {description: d, inherits: [reader], any: [{claim: roles, contains: staff}]}
            """)
        #expect(policy.names(of: policy.roles(of: staff("chief"))) == ["chief", "reader", "staff"])
        #expect(policy.names(of: policy.roles(of: staff("staff"))) == ["reader", "staff"])
        #expect(policy.effect(staff("chief"), "product.read", nil))
        #expect(!policy.effect(staff("other"), "product.read", nil))
    }

    @Test func rolesDoNotInheritInCirclesNorFromNobody() {
        let text = """
            roles:
              one: {description: d, inherits: [two], any: [{claim: r, contains: x}]}
              two: {description: d, inherits: [reader], any: [{claim: r, contains: x}]}
              reader: {description: d, inherits: [one, raeder, reader], any: [{claim: r, contains: x}]}
            """
        do throws(DocumentErrors) {
            _ = try PolicySet.load(
                files: [
                    ("roles.yaml", text),
                    ("access/t.yaml", "rules: [{id: p, effect: allow, roles: [one], operations: \"*\", sites: \"*\"}]"),
                ], operations: knownOperations, digest: checksum)
            Issue.record("it loads")
        } catch {
            #expect(
                error.errors.map(\.description) == [
                    "roles.yaml:4:39: 'reader' and 'one' would inherit each other",
                    "roles.yaml:4:44: unknown role 'raeder'; did you mean 'reader'?",
                    "roles.yaml:4:52: 'reader' and 'reader' would inherit each other",
                ])
        }
    }

    @Test func aServiceRoleIsNoMatterOfClaims() {
        #expect(throws: DocumentErrors.self) {
            try roles("roles: {reader: {description: d, service: true, any: [{claim: roles, contains: reader}]}}")
        }
        #expect(throws: Never.self) {
            try roles("roles: {reader: {description: d, service: true, any: [{client_id: x, issuer: https://i}]}}")
        }
    }

    // MARK: Resources

    @Test func warehousesAndCategoriesNarrowARule() throws {
        let policy = try PolicySet.rules(
            """
            - {id: p, effect: allow, roles: [a], operations: [product.read], sites: "*", warehouses: [WH],
               product_categories: [All / Paint]}
            """)
        func allowed(_ warehouse: String?, _ category: String?) -> Bool {
            let caller = staff("a")
            return policy.decide(
                policy.roles(of: caller), principal: caller, operation: "product.read",
                resource: Resource(warehouse: warehouse, productCategory: category)
            ).isPermitted
        }
        #expect(allowed("WH", "All / Paint"))
        #expect(!allowed("WH2", "All / Paint"))
        #expect(!allowed("WH", "All"))
        #expect(!allowed(nil, "All / Paint"))
        #expect(!allowed("WH", nil))
        #expect(policy.opens(staff("a"), "product.read"))
    }

    @Test func whatNobodyKnowsOfARecordCannotBeAskedFor() {
        let found = errors(
            "{id: r, effect: forbid, roles: [a], operations: [order.confirm], sites: \"*\", product_categories: [x]}",
            attributes: [.site])
        #expect(
            found == [
                "2:102: 'order.confirm' is decided without knowing the product category: 'product_categories' cannot "
                    + "stand here"
            ])
        #expect(
            errors(
                "{id: r, effect: allow, roles: [a], operations: [proxy.web], sites: \"*\", obligations: {mask: [x]}}"
            )
            .first?.hasSuffix("the answers of 'proxy.web' are passed on unread: 'mask' cannot stand here") == true)
    }

    // MARK: Time

    @Test(
        arguments: [
            ("valid_from: 2026-11-18", true), ("valid_from: 2026-11-19", false),
            ("valid_until: 2026-11-19", true), ("valid_until: 2026-11-18", false),
            ("valid_until: 2026-11-18T11:06:40Z", false), ("valid_until: 2026-11-18T12:06:41+01:00", true),
            ("valid_from: 2026-11-18T11:06:40Z", true),
        ])
    func rulesHoldBetweenTheirDates(validity: String, allowed: Bool) throws {
        // 1,795,000,000 is 2026-11-18T11:06:40Z.
        let policy = try PolicySet.rules(
            "- {id: r, effect: allow, roles: [a], operations: [product.read], sites: \"*\", \(validity)}")
        #expect(policy.effect(staff("a"), "product.read", nil) == allowed)
        #expect(policy.opens(staff("a"), "product.read") == allowed)
        #expect(!policy.isConstant("product.read"))
        #expect(policy.isConstant("inventory.read"))
    }

    @Test func aValidityThatEndsBeforeItBeginsIsAnError() {
        let found = errors(
            "{id: r, effect: allow, roles: [a], operations: \"*\", sites: own, valid_from: 2026-02-01, valid_until: 2026-02-01}"
        )
        #expect(found.map { $0.split(separator: ": ", maxSplits: 1)[1] } == ["must be later than 'valid_from'"])
        #expect(
            errors("{id: r, effect: allow, roles: [a], operations: \"*\", sites: own, valid_from: soon}").count == 1)
    }

    // MARK: Observing

    @Test func anObservedForbidIsSeenAndNotEnforced() throws {
        let policy = try PolicySet.rules(
            """
            - {id: p, effect: allow, roles: [a], operations: [product.read], sites: "*"}
            - {id: f, effect: forbid, roles: [a], operations: [product.read], sites: [plant-1], mode: observe}
            """)
        let caller = staff("a")
        let roles = policy.roles(of: caller)
        func decision(_ site: String) -> Decision {
            policy.decide(roles, principal: caller, operation: "product.read", resource: Resource(site: site))
        }
        #expect(decision("plant-1").isPermitted)
        #expect(decision("plant-1").observation == Decision.Observation(effect: .forbid, rule: "f"))
        #expect(decision("plant-2").observation == nil)
    }

    @Test func anObservedAllowGrantsNothing() throws {
        let policy = try PolicySet.rules(
            "- {id: p, effect: allow, roles: [a], operations: [product.read], sites: own, mode: observe}")
        let caller = staff("a")
        let decision = policy.decide(
            policy.roles(of: caller), principal: caller, operation: "product.read", resource: Resource(site: "plant-1"))
        #expect(!decision.isPermitted)
        #expect(decision.observation == Decision.Observation(effect: .allow, rule: "p"))
    }

    @Test func aBundleInObserveModeLetsThroughWhatItWouldDeny() throws {
        let roles = "roles:\n  a:\n    description: d\n    any: [{claim: roles, contains: a}]\n"
        let rules = "rules:\n  - {id: f, effect: forbid, roles: [a], operations: [product.read], sites: \"*\"}\n"
        let policy = try PolicySet.load(
            files: [("roles.yaml", roles), ("access/t.yaml", rules), ("bundle.yaml", "mode: observe\n")],
            operations: knownOperations, digest: checksum)
        let caller = staff("a")
        let held = policy.roles(of: caller)
        let forbidden = policy.gate(held, principal: caller, operation: "product.read")
        #expect(forbidden.isPermitted && forbidden.observation == Decision.Observation(effect: .forbid, rule: "f"))
        let unknown = policy.gate(held, principal: caller, operation: "inventory.read")
        #expect(unknown.isPermitted && unknown.observation == Decision.Observation(effect: .forbid, rule: nil))
        #expect(!policy.isConstant("product.read"))
    }

    // MARK: RPC

    @Test(
        arguments: [
            ("[\"odoo.rpc:mrp.production.action_confirm\"]", true, false, false),
            ("[\"odoo.rpc:mrp.production.*\"]", true, true, false), ("[\"odoo.rpc:*\"]", true, true, true),
            ("\"*\"", true, true, true), ("[product.read]", false, false, false),
        ])
    func rpcMethodsAreOperations(operations: String, confirm: Bool, read: Bool, other: Bool) throws {
        let policy = try PolicySet.rules(
            "- {id: r, effect: allow, roles: [a], operations: \(operations), sites: \"*\"}")
        func allowed(_ model: String, _ method: String) -> Bool {
            policy.effect(staff("a"), RPCOperation.name(model: model, method: method), nil)
        }
        #expect(allowed("mrp.production", "action_confirm") == confirm)
        #expect(allowed("mrp.production", "read") == read)
        #expect(allowed("res.partner", "read") == other)
        #expect(!policy.effect(staff("a"), "odoo.rpc:", nil))
        #expect(!policy.effect(staff("a"), "odoo.rpc:x y.read", nil))
    }

    @Test func aForbidOfAModelGoesBeforeAnAllowOfAMethod() throws {
        let policy = try PolicySet.rules(
            """
            - {id: p, effect: allow, roles: [a], operations: ["odoo.rpc:res.users.read"], sites: "*"}
            - {id: f, effect: forbid, roles: "*", operations: ["odoo.rpc:res.users.*"], sites: "*"}
            """)
        #expect(!policy.effect(staff("a"), "odoo.rpc:res.users.read", nil))
        #expect(!policy.opens(staff("a"), "odoo.rpc:res.users.read"))
    }
}
