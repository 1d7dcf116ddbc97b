import Bytes
import Logging
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
                    let events = self.snapshot.configuration.events
                    _ = try await self.ledger.purgeEvents(
                        recordedBefore: world.host.wall + -events.retention, bytesMax: Int64(events.bytesMax))
                } catch {
                    self.log.error("the ledger could not be tidied: \(error)")
                }
            }
        }
    }
}
