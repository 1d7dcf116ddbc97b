import Identity

/// Rules of one operation, effect and mode by whom and where they hold, so that a decision looks at few of many.
///
/// Numbers are positions in the policy's list of rules, ascending in each list: the first that covers is the one named.
struct RuleIndex: Sendable {
    /// Rules for one kind of caller.
    private struct Bucket: Sendable {
        var everywhere = Numbers()
        var own = Numbers()
        var atSite: [String: Numbers] = [:]

        mutating func add(_ number: Int, _ rule: Rule) {
            switch rule.sites {
            case .any: everywhere.add(number, rule)
            case .own: own.add(number, rule)
            case .listed(let sites): for site in sites { atSite[site, default: Numbers()].add(number, rule) }
            }
        }
    }

    /// Of rules without obligations the first that covers is enough; of the others each one counts.
    struct Numbers: Sendable {
        var plain: [Int] = []
        var obliging: [Int] = []

        mutating func add(_ number: Int, _ rule: Rule) {
            if rule.obligations.isEmpty { plain.append(number) } else { obliging.append(number) }
        }
    }

    private var everyone = Bucket()
    private var byRole: [Bucket] = []
    private var byAccount: [RoleCondition: Bucket] = [:]
    private(set) var isEmpty = true
    /// Bit i: some rule speaks of the role of index i.
    private(set) var roleBits: UInt64 = 0

    mutating func add(_ number: Int, _ rule: Rule) {
        isEmpty = false
        roleBits |= rule.principals.roleBits
        if rule.principals.isEveryone {
            everyone.add(number, rule)
            return
        }
        for role in 0..<64 where rule.principals.roleBits >> UInt64(role) & 1 == 1 {
            while byRole.count <= role { byRole.append(Bucket()) }
            byRole[role].add(number, rule)
        }
        for account in rule.principals.accounts { byAccount[account, default: Bucket()].add(number, rule) }
    }

    /// Calls `body` with lists of rules that speak of the caller (issuers aside) and cover the site.
    func forEach(
        _ roles: RoleSet, _ principal: Principal, site: String?, _ body: (borrowing Numbers) -> Void
    ) {
        if isEmpty { return }
        forEachBucket(roles, principal) { bucket in
            body(bucket.everywhere)
            guard let site else { return }
            if let numbers = bucket.atSite[site] { body(numbers) }
            if !bucket.own.plain.isEmpty || !bucket.own.obliging.isEmpty,
                OwnClaims.site.contains(of: principal, where: { $0 == site })
            {
                body(bucket.own)
            }
        }
    }

    /// Calls `body` with all rules that speak of the caller (issuers aside), wherever they hold.
    func forEachRule(_ roles: RoleSet, _ principal: Principal, _ body: (Int) -> Void) {
        if isEmpty { return }
        func all(_ numbers: Numbers) {
            for number in numbers.plain { body(number) }
            for number in numbers.obliging { body(number) }
        }
        forEachBucket(roles, principal) { bucket in
            all(bucket.everywhere)
            all(bucket.own)
            for numbers in bucket.atSite.values { all(numbers) }
        }
    }

    private func forEachBucket(_ roles: RoleSet, _ principal: Principal, _ body: (borrowing Bucket) -> Void) {
        body(everyone)
        var bits = roles.bits
        while bits != 0 {
            let role = bits.trailingZeroBitCount
            bits &= bits &- 1
            if role < byRole.count { body(byRole[role]) }
        }
        if byAccount.isEmpty { return }
        for name in RoleCondition.names(of: principal) {
            if let bucket = byAccount[name] { body(bucket) }
        }
    }
}

extension RoleCondition {
    /// Every account that a rule could name the caller by.
    static func names(of principal: Principal) -> [RoleCondition] {
        switch principal.authentication {
        case .bearer:
            let subject = RoleCondition.subject(principal.subject, issuer: principal.issuer)
            guard let client = principal.clientID else { return [subject] }
            return [subject, .client(id: client, issuer: principal.issuer)]
        case .clientCertificate(let thumbprint):
            return [
                .certificate(thumbprint: thumbprint), .certificateSubject(principal.subject, issuer: nil),
                .certificateSubject(principal.subject, issuer: principal.issuer),
            ]
        }
    }
}
