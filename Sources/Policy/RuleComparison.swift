/// Whether one rule says all that another says: for findings.
extension Rule {
    /// Whether it holds wherever, whenever and for whomever the other does, operations, condition and obligations aside.
    package func isWider(than other: Rule) -> Bool {
        principals.includes(other.principals) && sites.includes(other.sites)
            && workCenters.includes(other.workCenters) && warehouses.includes(other.warehouses)
            && productCategories.includes(other.productCategories)
            && (validFrom.map { from in other.validFrom.map { from <= $0 } ?? false } ?? true)
            && (validUntil.map { until in other.validUntil.map { until >= $0 } ?? false } ?? true)
    }

    /// Whether it speaks of an operation, or of an RPC pattern that holds it.
    package func covers(operation: String) -> Bool {
        if operations.contains(operation) { return true }
        guard RPCOperation.isOperation(operation), let patterns = RPCOperation.patterns(covering: operation) else {
            return false
        }
        return patterns.contains { operations.contains($0) }
    }
}

extension RulePrincipals {
    func includes(_ other: RulePrincipals) -> Bool {
        if !issuers.isEmpty, other.issuers.isEmpty || !issuers.isSuperset(of: other.issuers) { return false }
        if isEveryone { return true }
        return !other.isEveryone && other.roleBits & ~roleBits == 0 && Set(accounts).isSuperset(of: other.accounts)
    }
}

extension Obligations {
    /// Whether everything that the other obliges to is in this.
    package func includes(_ other: Obligations) -> Bool {
        (auditBody || !other.auditBody) && (requiresClientCertificate || !other.requiresClientCertificate)
            && (other.tokenAgeMax.map { most in tokenAgeMax.map { $0 <= most } ?? false } ?? true)
            && Set(secondPerson).isSuperset(of: other.secondPerson) && mask.isSuperset(of: other.mask)
    }
}
