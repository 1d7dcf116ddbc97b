import Bytes
import Identity
import JSON
import Policy
import Reactor
import Webhooks

/// Somebody at the admin interface, as the policy knows them. Who it is, the request says: whoever holds the admin token
/// runs the gateway, and answers for the name.
struct RedrivePerson: Sendable {
    let name: String
    let roles: Set<String>
    private let decide: @Sendable (JSONValue) -> Decision

    init(_ name: String, policy: PolicySet) {
        let principal = Principal(
            subject: name, issuer: PolicyOperation.adminIssuer, claims: ["interface": "admin"],
            expires: WallInstant(nanoseconds: .max), authentication: .bearer(keyID: nil, algorithm: .es256))
        let set = policy.roles(of: principal)
        self.name = name
        roles = Set(policy.names(of: set))
        decide = { input in
            policy.decide(
                set, principal: principal, operation: PolicyOperation.redrive.name, resource: Resource(), input: input,
                facts: RequestFacts(now: Clock.wall()))
        }
    }

    /// Whether this person may send so many letters of a subscriber again.
    func decision(subscriber: String, letters: Int, isAll: Bool) -> Decision {
        decide(["subscriber": .string(subscriber), "letters": JSONValue(letters), "all": .bool(isAll)])
    }
}

/// A redrive that the policy permits with somebody else's consent.
struct PendingRedrive: Sendable {
    var subscriber: String
    var messages: [WebhookMessage]
    var isAll: Bool
    /// Who asked, and who has agreed.
    var people: [String]
    /// Consents that are missing.
    var needs: [Obligations.SecondPerson]
    var expires: WallInstant

    init(
        subscriber: String, messages: [WebhookMessage], isAll: Bool, by: String, needs: [Obligations.SecondPerson],
        now: WallInstant
    ) {
        self.subscriber = subscriber
        self.messages = messages
        self.isAll = isAll
        people = [by]
        self.needs = needs
        expires = now + (needs.map(\.validFor).min() ?? Obligations.SecondPerson.validForDefault)
    }
}

/// The redrives that wait. Kept in memory: after a restart one asks again.
struct PendingRedrives: Sendable {
    private var redrives: [String: PendingRedrive] = [:]

    /// Redrives that wait at most; the one that expires first goes. Default 100.
    static let countMax = 100

    var count: Int { redrives.count }

    mutating func hold(_ redrive: PendingRedrive, now: WallInstant) -> String {
        redrives = redrives.filter { $0.value.expires > now }
        if redrives.count >= Self.countMax, let first = redrives.min(by: { $0.value.expires < $1.value.expires }) {
            redrives[first.key] = nil
        }
        var generator = SystemRandomNumberGenerator()
        let id = String(UInt64.random(in: 0...UInt64.max, using: &generator), radix: 36)
        redrives[id] = redrive
        return id
    }

    /// Takes somebody's consent: one for each that is missing, and each from somebody else.
    /// - Returns: the redrive, to be carried out where `needs` is empty; nil where this person's consent is none.
    mutating func approve(
        _ id: String, of name: String, by person: RedrivePerson, now: WallInstant
    ) -> PendingRedrive? {
        guard var redrive = redrives[id], redrive.subscriber == name, redrive.expires > now,
            !redrive.people.contains(person.name)
        else { return nil }
        let place = redrive.needs.firstIndex { need in
            // Where the rule names no role, whoever may send them again may agree to it.
            need.roles.isEmpty
                ? person.decision(subscriber: name, letters: redrive.messages.count, isAll: redrive.isAll).isPermitted
                : !need.roles.isDisjoint(with: person.roles)
        }
        guard let place else { return nil }
        redrive.needs.remove(at: place)
        redrive.people.append(person.name)
        redrives[id] = redrive.needs.isEmpty ? nil : redrive
        return redrive
    }
}
