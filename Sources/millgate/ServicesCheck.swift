import ArgumentParser
import Contracts
import JSON
import Odoo
import Trials

struct ServicesCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Hold the contracts against a live Odoo: its models, and the fields of a site's own services.",
        discussion: """
            Example: millgate services check --odoo http://127.0.0.1:8069 --database plant --login mes --key-file odoo.key

            Reads nothing but fields_get. Says which models of a contract are not there, and of each recipe which fields \
            are missing, read-only or of another type, and which states a guard names that Odoo does not have. Exit code 1 \
            where something is wrong.
            """)

    @OptionGroup var odoo: ServicesOdoo

    func run() async throws {
        let contracts = try odoo.contracts()
        let caller = try odoo.caller()
        var models: [String: JSONObject] = [:]
        var missing: [String: String] = [:]
        do throws(OdooError) {
            print("Odoo \(try await caller.version()), database \(odoo.database)")
        } catch {
            throw failure("Odoo cannot be asked: \(error.userMessage ?? error.description)")
        }
        let wanted = Set(contracts.contracts.flatMap { $0.odoo.map(\.model) + [$0.recipe?.model].compactMap(\.self) })
        for model in wanted.sorted() {
            do throws(OdooError) {
                models[model] = try await caller.call(RecipeCheck.fieldsGet(model))?.object
                if models[model] == nil { missing[model] = "no fields" }
            } catch {
                missing[model] = error.userMessage ?? error.description
            }
        }
        var wrong = 0
        for contract in contracts.contracts {
            var findings = contract.odoo.filter { models[$0.model] == nil }.map {
                "the model \($0.model) is not there or not readable"
            }
            if let recipe = contract.recipe, let fields = models[recipe.model] {
                findings += RecipeCheck.findings(contract, fields)
            }
            for finding in findings { print("\(contract.file): \(finding)") }
            wrong += findings.isEmpty ? 0 : 1
        }
        let own = contracts.contracts.count { $0.recipe != nil }
        print(
            "\(contracts.contracts.count) contracts, \(own) with a recipe, \(models.count) models: \(wrong) do not fit")
        if wrong > 0 { throw ExitCode.failure }
    }
}
