/// The roles of one caller under one version of the policy. Sixteen bytes, so that it is cached with the caller.
package struct RoleSet: Sendable, Hashable {
    /// Bit i is the role of index i.
    let bits: UInt64
    /// Tells policies apart, so that indices of one are never used with another.
    let fingerprint: UInt64

    package var isEmpty: Bool { bits == 0 }
    package var count: Int { bits.nonzeroBitCount }
}
