import ArgumentParser
import Bytes
import Contracts
import Documents
import Foundation
import Gateway
import Odoo
import Reactor
import Upstream

/// Which Odoo a command of `millgate services` asks, and whose contracts.
struct ServicesOdoo: ParsableArguments {
    @Option(help: "Odoo's URL.")
    var odoo: String

    @Option(help: "The database.")
    var database = "millgate"

    @Option(help: "The user.")
    var login = "admin"

    @Option(help: "A file with the user's password or API key.")
    var keyFile: String

    @Option(help: "The company's id.")
    var company = 1

    @Option(help: "PEM file with the authorities of an https Odoo. (default: the system's)")
    var authorities: String?

    @Option(help: "Directory of the policies: the contracts are in its services.")
    var policies = "policies"

    func contracts() throws -> ContractSet {
        do throws(DocumentErrors) {
            return try PolicyBundle.read(policies).contracts()
        } catch {
            throw configuration(error)
        }
    }

    /// Calls on a loop of their own.
    func caller() throws -> OdooCaller { try caller(on: ReactorHandle.start(index: 0) { _ in }) }

    func caller(on home: ReactorHandle) throws -> OdooCaller {
        let target: UpstreamTarget
        do throws(DocumentErrors) {
            var entry = UpstreamEntry(name: "odoo", url: odoo)
            entry.authoritiesFile = authorities
            target = try SnapshotBuilder.target(entry)
        } catch {
            throw configuration(error)
        }
        guard let key = PrivateFiles.text(keyFile)?.trimmingCharacters(in: .newlines), !key.isEmpty else {
            throw failure("\(keyFile): no key in it", .configuration)
        }
        return OdooCaller(
            fetcher: Fetcher(home: home, target: target),
            login: OdooLogin(
                database: database, login: login, key: key,
                context: OdooContext(language: "en_US", timeZone: "UTC", companies: [company])),
            timeout: .seconds(60), session: OdooSessionBox())
    }

    private func configuration(_ error: DocumentErrors) -> ExitCode {
        for one in error.errors { complain("\(one)") }
        return failure("\(error.errors.count) error\(error.errors.count == 1 ? "" : "s")", .configuration)
    }
}
