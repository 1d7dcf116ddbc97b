import Bytes
import Contracts
import JSON
import Policy
import Store

/// The consent of a second person, where the policy asks for one.
extension WriteRun {
    /// Looks for a consent that was given before; called before the service is asked.
    func loadApproval() async throws(ServiceStop) {
        guard mayNeedApproval else { return }
        do throws(StoreError) {
            approval = try await ledger.approval(
                caller: record.caller, operation: record.operation, key: Self.key(record))
        } catch {
            throw .ledger(error)
        }
    }

    /// Throws where the decision asks for a consent that is not there.
    func checkApproval(_ decision: Decision, _ resource: Resource) throws(ServiceStop) {
        let persons = decision.obligations.secondPerson
        if persons.isEmpty { return }
        if let approval, approval.digest == record.bodyDigest {
            // What was rejected stays so, for this key: another try is another request.
            if approval.state == .rejected {
                throw ServiceStop(
                    .forbidden,
                    .forbidden(
                        operation: request.operation, rule: decision.rule, reason: "a second person rejected this"))
            }
            let isMet = persons.allSatisfy { person in
                approval.votes.contains {
                    $0.approves && (person.roles.isEmpty || !person.roles.isDisjoint(with: $0.roles))
                }
            }
            if approval.state == .approved, isMet, !approval.isExpired(at: now) { return }
        }
        var refused = Decision(denied: .need(.secondPerson), rule: decision.rule, obligations: decision.obligations)
        refused.disclosure = decision.disclosure
        refused.help = decision.help
        wanted = (persons, resource)
        decided(refused)
        throw .forbidden(request.operation, refused)
    }

    /// Asks for the consent that a service was refused for, durably, and says in the problem where it is given.
    func askApproval(_ stop: ServiceStop) async -> ServiceStop {
        guard let wanted, stop.problem.type == .approvalRequired else { return stop }
        let validFor = wanted.persons.map(\.validFor).min() ?? Obligations.SecondPerson.validForDefault
        let asked: ApprovalRecord
        do throws(StoreError) {
            asked = try await ledger.askApproval(
                ApprovalRecord(
                    id: OperationID.make(now), caller: record.caller, operation: record.operation,
                    idempotencyKey: Self.key(record), digest: record.bodyDigest,
                    request: JSONValue.object(["path": .object(request.path), "body": request.body]).bytes,
                    site: wanted.resource.site, needs: wanted.persons.map(\.roles), requestedAt: now,
                    expiresAt: now + validFor))
        } catch {
            return .ledger(error)
        }
        var stop = stop
        stop.problem.members["approval"] = .string(ApprovalView.address(asked.id))
        stop.problem.members["expires_at"] = .string(asked.expiresAt.rfc3339)
        return stop
    }

    /// The key as the client sent it, without the number of the try.
    private static func key(_ request: NewOperation) -> String {
        request.idempotencyKey.split(separator: " ").first.map(String.init) ?? ""
    }
}
