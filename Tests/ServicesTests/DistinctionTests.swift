import Bytes
import JSON
import Policy
import Synchronization
import Testing

@testable import Services

/// Rules that tell product categories and work centers apart, and the services that say which one it is.
@Suite struct DistinctionTests {
    /// What the policy was asked about.
    final class Asked: Sendable {
        private let all = Mutex<[Resource]>([])
        func add(_ resource: Resource) { all.withLock { $0.append(resource) } }
        var last: Resource? { all.withLock { $0.last } }
    }

    static func contract(of scene: WriteScene) -> [String] {
        guard case .found(let contract, _, _) = Bench.contracts.route(method: "POST", path: scene.path(1)[...]) else {
            return []
        }
        return contract.resource
    }

    static let scenes = WriteScene.all.filter { contract(of: $0).contains("product_category") }

    /// A contract that promises rules the category must have a service that looks it up, or rules would be passed over.
    @Test(arguments: scenes) func theCategoryThatAContractPromisesIsAskedFor(_ scene: WriteScene) async throws {
        for forbidden in [false, true] {
            let plant = try Plant(19)
            defer { plant.bench.remove() }
            let id = try await scene.prepare(plant)
            let before = try await scene.figure(plant, id)
            let asked = Asked()
            let answer = try await plant.bench.send("POST", scene.path(id), plant.filled(scene.body, id), key: "k") {
                $0.needsProductCategory = true
                $0.inside = [
                    Resource(), Resource(productCategory: "All"), Resource(productCategory: "All / Furniture"),
                ]
                $0.authorize = { resource in
                    asked.add(resource)
                    guard let category = resource.productCategory else { return Decision(denied: .otherResources) }
                    if forbidden, category.hasPrefix("All") { return Decision(denied: .rule, rule: "goods") }
                    return Decision(effect: .allow, rule: "goods", obligations: Obligations())
                }
            }
            #expect(asked.last?.productCategory?.hasPrefix("All") == true, "\(asked.last as Any)")
            if Self.contract(of: scene).contains("work_center") { #expect(asked.last?.workCenter != nil) }
            let figure = try await scene.figure(plant, id)
            if forbidden {
                #expect(answer.status == 403, "\(answer.text)")
                #expect(figure == before)
            } else {
                #expect(answer.status < 300, "\(answer.text)")
                #expect(figure == scene.after(before))
            }
        }
    }

    @Test func thereAreManyOfThem() { #expect(Self.scenes.count >= 14) }

    /// A service that does not say which product it is about is refused where rules need to know.
    @Test func whatNobodyLookedUpIsNotPermitted() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let scene = try #require(WriteScene.all.first { !Self.contract(of: $0).contains("product_category") })
        let id = try await scene.prepare(plant)
        let answer = try await plant.bench.send("POST", scene.path(id), plant.filled(scene.body, id), key: "k") {
            $0.needsProductCategory = true
        }
        #expect(answer.status == 403, "\(answer.text)")
    }

    @Test func aCategoryIsReadOnceAndAnewWhenItIsOld() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let odoo = try await OdooSession.open(plant.bench.world, admission: .standard, deadline: nil)
        let categories = ProductCategories()
        let table = try await plant.first("product.product", [["default_code", "=", "TABLE-01"]])
        func calls() -> Int { plant.odoo.sandbox.state["calls"]?["product.product.read"]?.int ?? 0 }
        let before = calls()
        for _ in 0..<3 { #expect(try await categories.name(ofProduct: table, odoo) == "All / Furniture") }
        #expect(calls() == before + 1)
        plant.host.advance(ProductCategories.lifetimeDefault)
        _ = try await categories.name(ofProduct: table, odoo)
        #expect(calls() == before + 2)
        await #expect(throws: ServiceStop.self) { _ = try await categories.name(ofProduct: 999_999, odoo) }
    }

    @Test func whereTooMuchIsToldApartNothingIsPermittedAfterARestart() {
        let permissions = SitePermissions(sites: ["a"], inside: nil) { Bench.decide($0, nil) }
        for kept in [permissions, SitePermissions(permissions.json)] {
            #expect(kept?.permits("a") == true && kept?.permits(Resource(site: "a")) == false)
        }
    }

    @Test func whatIsPermittedInsideASiteIsKeptForARestart() {
        let probes = [
            Resource(), Resource(productCategory: "Paint"), Resource(workCenter: "A"),
            Resource(workCenter: "A", productCategory: "Paint"),
        ]
        // At a only what is not paint; at b only paint at A; elsewhere nothing.
        let permissions = SitePermissions(sites: ["a", "b", "c"], inside: probes, needsProductCategory: true) {
            resource in
            switch resource.site {
            case "a" where resource.productCategory != "Paint": Bench.decide(resource, nil)
            case "b" where resource.productCategory == "Paint" && resource.workCenter == "A":
                Bench.decide(resource, nil)
            default: Bench.decide(resource, [])
            }
        }
        for kept in [permissions, SitePermissions(permissions.json)] {
            #expect(kept == permissions)
            #expect(kept?.permitted == ["a", "b"] && kept?.elsewhere == false)
            let table: [(String?, String?, String?, Bool)] = [
                ("a", nil, "Steel", true), ("a", "B", "Steel", true), ("a", nil, "Paint", false),
                ("b", "A", "Paint", true), ("b", "B", "Paint", false), ("b", "A", "Steel", false),
                ("c", "A", "Paint", false), (nil, "A", "Paint", false), ("d", nil, nil, false),
            ]
            for (site, center, category, expected) in table {
                let resource = Resource(site: site, workCenter: center, productCategory: category)
                #expect(kept?.permits(resource) == expected, "\(resource)")
            }
        }
    }
}
