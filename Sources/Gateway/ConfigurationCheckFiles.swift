import Audit
import Bytes
import Documents
import Foundation
import Identity

extension ConfigurationCheck {
    // MARK: - Identity

    /// Loads the keys of all issuers; gives their number.
    mutating func checkIdentity() -> Int {
        var count = 0
        for issuer in configuration.identity.issuers {
            var keys: KeySet?
            var isComplete = true
            for source in issuer.keys {
                guard let more = load(source) else {
                    isComplete = false
                    continue
                }
                do throws(KeyError) {
                    keys = try keys?.merging(more) ?? more
                } catch {
                    report("\(source.file): \(error)", at: place(of: source.file))
                    isComplete = false
                }
            }
            guard isComplete, let keys else { continue }
            count += keys.keys.count
            do throws(KeyError) {
                _ = try TokenVerifier(issuers: [
                    IssuerConfiguration(
                        issuer: issuer.issuer, audiences: issuer.audiences,
                        algorithms: Set(issuer.algorithms.compactMap(SignatureAlgorithm.init(rawValue:))), keys: keys)
                ])
            } catch {
                report("\(error)", at: place(of: issuer.issuer))
            }
            for name in issuer.algorithms where !keys.keys.contains(where: { $0.algorithm.rawValue == name }) {
                warn("no key for \(name)", at: place(of: issuer.issuer))
            }
        }
        return count
    }

    private mutating func load(_ source: KeySetSource) -> KeySet? {
        guard let bytes = bytes(source.file) else { return nil }
        do throws(KeyError) {
            let set = try source.load(bytes)
            for ignored in set.ignored {
                warn("\(source.file): ignored: \(ignored)", at: place(of: source.file))
            }
            if set.keys.contains(where: { $0.algorithm.family == .secret }) { checkPrivacy(source.file) }
            return set
        } catch {
            report("\(error)", at: place(of: source.file))
            return nil
        }
    }

    // MARK: - TLS

    mutating func checkListeners() {
        for listener in configuration.listeners {
            guard let tls = listener.tls else { continue }
            for certificate in tls.certificates {
                check(certificate.certificateFile, key: certificate.keyFile)
            }
            if let file = tls.clientAuthoritiesFile { checkAuthorities(file) }
        }
        for upstream in configuration.upstreams {
            if let file = upstream.authoritiesFile { checkAuthorities(file) }
        }
        if let file = configuration.odoo.authoritiesFile { checkAuthorities(file) }
    }

    private mutating func check(_ file: String, key: String) {
        let chain = bytes(file).map { String(decoding: $0, as: UTF8.self) }
        let secret = bytes(key).map { String(decoding: $0, as: UTF8.self) }
        guard let chain else { return }
        let identity = DevelopmentPKI.Identity(certificatePEM: chain, privatePEM: secret ?? "")
        guard checkValidity(identity.der, file) else { return }
        guard let secret else { return }
        checkPrivacy(key)
        if identity.isPair { return }
        let isKey = secret.contains("PRIVATE KEY-----")
        report(
            isKey
                ? "\(key): not the key of \(file), or it has a pass phrase" : "\(key): not a private key in PEM",
            at: place(of: key))
    }

    private mutating func checkAuthorities(_ file: String) {
        guard let bytes = bytes(file) else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        _ = checkValidity(DevelopmentPKI.Identity(certificatePEM: text, privatePEM: "").der, file)
    }

    /// Whether there is a certificate; reports when it is not valid at this time.
    private mutating func checkValidity(_ der: [UInt8], _ file: String) -> Bool {
        let mark = place(of: file)
        if der.isEmpty {
            report("\(file): not a certificate in PEM", at: mark)
            return false
        }
        // A certificate with names that a client may not have is good for a server.
        guard let certificate = try? ClientCertificate(der: der) else { return true }
        if certificate.notAfter <= now {
            report("\(file): expired at \(certificate.notAfter.rfc3339)", at: mark)
        } else if certificate.notBefore > now {
            report("\(file): not valid before \(certificate.notBefore.rfc3339)", at: mark)
        } else if certificate.notAfter <= now + Self.expiryWarning {
            warn("\(file): expires at \(certificate.notAfter.rfc3339)", at: mark)
        }
        return true
    }

    // MARK: - Secrets

    mutating func checkSecrets() {
        if let reference = configuration.odoo.key { _ = secret(reference) }
        if let reference = configuration.audit.key {
            if let bytes = secret(reference), AuditKey(secret: bytes) == nil {
                report(
                    "\(reference.place): an audit key has at least \(AuditKey.secretBytesMin) bytes",
                    at: place(of: reference.name))
            }
        } else {
            warn(
                "no key: one is made beside the log, and whoever can write there can cut its end off unnoticed",
                at: root["audit"]?.mark ?? root.mark)
        }
        let url = configuration.odoo.url ?? ""
        let isNear = ["http://127.", "http://localhost", "http://[::1]"].contains(where: url.hasPrefix)
        if url.hasPrefix("http://"), !isNear {
            warn("the API key crosses the network in the clear; use https", at: place(of: url))
        }
    }

    private mutating func secret(_ reference: SecretReference) -> [UInt8]? {
        let mark = place(of: reference.name)
        if case .file(let path) = reference, bytes(path) == nil { return nil }
        var warnings: [String] = []
        defer { for warning in warnings { warn(warning, at: mark) } }
        do throws(SecretError) {
            return try reference.resolve(environment: environment) { warnings.append($0) }
        } catch {
            report("\(error)", at: mark)
            return nil
        }
    }

    private mutating func checkPrivacy(_ path: String) {
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        guard let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 != 0 else { return }
        warn("\(path): others than its owner may read this key; chmod 600 it", at: place(of: path))
    }
}

extension SecretReference {
    /// As it stands in the configuration.
    fileprivate var name: String {
        switch self {
        case .file(let path): path
        case .environment(let name): name
        }
    }
}
