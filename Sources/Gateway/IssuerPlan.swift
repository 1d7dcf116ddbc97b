import Bytes
import Identity

/// An issuer as the configuration has it: what its tokens must say, the keys from files, and where others come from.
package struct IssuerPlan: Sendable {
    package var configuration: IssuerConfiguration
    /// Nil where all keys are in files.
    package var published: PublishedKeys?
}

/// Keys that an issuer publishes by URL.
package struct PublishedKeys: Sendable, Hashable {
    package var source: KeyRefresh.Source
    package var settings = KeyRefresh.Settings()
    /// Authorities that the issuer's certificate must come from, PEM; empty means the system's.
    package var authorities: [UInt8] = []
    /// `http://proxy:3128`; nil for none.
    package var proxy: String?
    /// For RSA keys that do not say their algorithm, as Entra's: the issuer's only one for RSA.
    package var rsaAlgorithm: SignatureAlgorithm?
}

/// What a worker judges callers by: replaced as a whole when keys, revocations or the configuration change.
package final class IdentityState: Sendable {
    /// Rises with every change. Remembered callers of an older one are not used.
    let generation: UInt64
    let verifier: TokenVerifier
    let revocations: RevocationList

    init(generation: UInt64, verifier: TokenVerifier, revocations: RevocationList) {
        self.generation = generation
        self.verifier = verifier
        self.revocations = revocations
    }
}
