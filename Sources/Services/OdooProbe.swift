import Bytes
import JSON
import Odoo
import Synchronization

/// What is installed in Odoo: asked at the start, once a while after it, and at once where it is not known.
///
/// Whoever installs or removes an application restarts or reloads Odoo; what is held is then wrong for `ageMax` at
/// most. A service that finds it so is refused by Odoo, and nothing is done.
package final class OdooProbe: Sendable {
    private let state = Mutex<(apps: OdooApps, at: MonotonicInstant)?>(nil)

    /// How long what was found out is used. Default 1 minute.
    package static let ageMax: Nanoseconds = .minutes(1)

    /// Whether the addon is looked for.
    package let usesAddon: Bool

    package init(usesAddon: Bool = true) { self.usesAddon = usesAddon }

    /// What was found out last, however long ago.
    package var known: OdooApps? { state.withLock { $0?.apps } }

    /// What is installed, as of `ageMax` ago at most.
    func apps(_ odoo: OdooSession) async throws(ServiceStop) -> OdooApps {
        if let known = state.withLock({ $0 }), known.apps.version == odoo.version, odoo.now - known.at < Self.ageMax {
            return known.apps
        }
        do throws(OdooError) {
            return try await ask(odoo)
        } catch {
            throw ServiceStop(error)
        }
    }

    /// Asks now, and keeps the answer. What cannot be asked leaves what is known.
    @discardableResult
    package func refresh(_ world: ServiceWorld) async throws(OdooError) -> OdooApps {
        let version = try await world.odoo.version(deadline: nil)
        return try await ask(OdooSession(world: world, version: version, admission: .standard))
    }

    private func ask(_ odoo: OdooSession) async throws(OdooError) -> OdooApps {
        let alerts = try await answer(
            OdooApps.fields(of: QualityAlertRecipe.model, QualityAlertRecipe.fields), odoo)
        let maintenance = try await answer(OdooApps.fields(of: MaintenanceRecipe.model, ["name"]), odoo)
        let apps = OdooApps(
            version: odoo.version,
            qualityFields: alerts.flatMap { $0.object.map { Set($0.members.map(\.key)) } },
            hasMaintenance: maintenance != nil, addon: try await askAddon(odoo))
        state.withLock { $0 = (apps, odoo.now) }
        return apps
    }

    /// The addon, asked now; nil where there is none, where it may not be used, or where it speaks another protocol.
    func addon(_ odoo: OdooSession) async throws(OdooError) -> OdooAddon? {
        let found = try await askAddon(odoo)
        state.withLock { $0?.apps.addon = found }
        return found?.isUsable == true ? found : nil
    }

    private func askAddon(_ odoo: OdooSession) async throws(OdooError) -> OdooAddon? {
        guard usesAddon else { return nil }
        do throws(OdooError) {
            return OdooAddon(try await odoo.call(OdooAddon.about))
        } catch {
            // Whatever is wrong with it: everything works without.
            guard error.outcome == .rejected, error.kind != .accessDenied, error.kind != .serialization else {
                throw error
            }
            return nil
        }
    }

    /// What a test wants it to have found.
    func note(_ apps: OdooApps, at now: MonotonicInstant) { state.withLock { $0 = (apps, now) } }

    /// Nil where the model is not there, or not for our user.
    private func answer(_ call: OdooCall, _ odoo: OdooSession) async throws(OdooError) -> JSONValue? {
        do throws(OdooError) {
            return try await odoo.joining.call(call) ?? .null
        } catch {
            if OdooApps.isAbsence(error) || error.kind == .access { return nil }
            throw error
        }
    }
}

extension WriteRun {
    /// What is installed in Odoo.
    func apps() async throws(ServiceStop) -> OdooApps { try await probe.apps(odoo) }
}
