import Bytes
import JSON
import Logging
import Odoo
import Reactor
import Services
import Store

/// What is done beside requests: recovery at start, and once a minute the ledger's order.
extension GatewayProcess {
    /// Takes up what an earlier process left unfinished. Returns when the records concerned are locked.
    func recover(_ runner: ServiceRunner, _ world: ServiceWorld) async {
        do throws(StoreError) {
            let report = try await runner.recover(world, audit: RecoveryAudit(log: auditLog))
            log.notice(
                "recovery",
                metadata: [
                    "begun": "\(report.begun)", "examined": "\(report.examined)", "rejected": "\(report.rejected)",
                    "unknown": "\(report.unknown)",
                ])
            clearObstacle("recovery")
        } catch {
            log.error("recovery failed: \(error)")
        }
    }

    /// Finds out what is installed in Odoo: now, and once a while after it, because somebody may install more.
    func probeOdoo(_ runner: ServiceRunner, _ world: ServiceWorld, on handle: ReactorHandle) {
        handle.spawn { [weak self] in
            while let self, !self.isStopping {
                let before = runner.probe.known
                do throws(OdooError) {
                    let apps = try await runner.probe.refresh(world)
                    if apps != before { self.log.notice("odoo: \(OdooReport.text(apps))") }
                } catch {
                    // That Odoo is away is said by its circuit.
                    if before == nil { self.log.debug("what is installed in Odoo cannot be asked yet: \(error)") }
                }
                await handle.sleep(runner.probe.known == nil ? .seconds(5) : OdooProbe.ageMax)
            }
        }
    }

    /// Watches Odoo for what people change in its own screens, where the configuration wants it.
    func watchOrders(_ runner: ServiceRunner, _ world: ServiceWorld, on handles: [ReactorHandle]) throws(StoreError) {
        let events = snapshot.configuration.events
        guard events.poll > 0 || !events.hooks.isEmpty else { return }
        let store = try WatchStore(directory: snapshot.configuration.state)
        let watch = OdooWatch(runner, world: world, store: store)
        setWatch(watch, store)
        for handle in handles { handle.post { $0.local(Worker.self)?.watch = watch } }
        handles[0].spawn { [weak self] in
            var isAway = false
            while let self, !self.isStopping {
                do {
                    try await watch.poll()
                    isAway = false
                    for (model, reason) in watch.takeRefusals() {
                        self.log.warning("Odoo does not give \(model), whose changes are not told: \(reason)")
                    }
                } catch {
                    watch.failed()
                    // Odoo may be away for hours: said once.
                    if !isAway { self.log.warning("what has changed in Odoo cannot be read: \(error)") }
                    isAway = true
                }
                // Where only hints are taken, the beginning was read, and no more is asked for.
                if self.snapshot.configuration.events.poll == 0, !isAway { return }
                await handles[0].sleep(max(self.snapshot.configuration.events.poll, .seconds(1)))
            }
        }
    }

    /// Rejects what was parked and never asked for again, and forgets answers whose keys have expired.
    func keepHouse(_ runner: ServiceRunner, _ world: ServiceWorld, on handle: ReactorHandle) {
        handle.spawn { [weak self] in
            while true {
                await handle.sleep(.minutes(1))
                guard let self, !self.isStopping else { return }
                do throws(StoreError) {
                    _ = try await runner.sweep(world)
                    let expired = world.host.wall + -self.snapshot.configuration.ledger.retention
                    _ = try await self.ledger.purge(finishedBefore: expired)
                    try await self.ledger.purgeApprovals(expiredBefore: expired)
                    let batches = self.snapshot.configuration.batches
                    try await self.batches.purge(
                        completedBefore: world.host.wall + -batches.retention,
                        leftBefore: world.host.wall + -BatchConfiguration.leftTimeMax)
                    let events = self.snapshot.configuration.events
                    let webhooks = self.snapshot.configuration.webhooks
                    let deliveries = self.webhooks.deliveries
                    // What an endpoint still waits for stays, but not for ever.
                    _ = try await self.ledger.purgeEvents(
                        recordedBefore: world.host.wall + -events.retention, bytesMax: Int64(events.bytesMax),
                        upTo: try await deliveries.heldFrom())
                    _ = try await self.ledger.purgeEvents(
                        recordedBefore: world.host.wall + -max(events.retention, webhooks.holdMax),
                        bytesMax: Int64(events.bytesMax) * 2)
                    try await deliveries.store.purge(
                        deadBefore: world.host.wall + -webhooks.deadLetterRetention)
                } catch {
                    self.log.error("the ledger could not be tidied: \(error)")
                }
            }
        }
    }
}
