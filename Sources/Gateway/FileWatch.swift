import Foundation
import Policy
import Reactor

/// Reloads when one of the files that make up the configuration changes: keys, certificates, policies, contracts.
extension GatewayProcess {
    /// Looks every two seconds. A change is taken up once the files have been still for one look, so that a half
    /// written set is not read.
    package func watchFiles(config: String) {
        let handle = home
        let process = self
        handle.spawn {
            var known = process.fingerprint(config)
            var pending: [String: FileStamp]?
            while !process.isStopping {
                await handle.sleep(.seconds(2))
                let now = process.fingerprint(config)
                if now == known {
                    pending = nil
                } else if now == pending {
                    known = now
                    pending = nil
                    _ = await process.reload(by: "file change")
                } else {
                    pending = now
                }
            }
        }
    }

    /// Each file's stamp by its path.
    private func fingerprint(_ config: String) -> [String: FileStamp] {
        let configuration = snapshot.configuration
        var paths = [config]
        for directory in BundleManifest.folders {
            let names =
                (try? FileManager.default.contentsOfDirectory(atPath: configuration.policies + "/" + directory)) ?? []
            paths += names.filter { $0.hasSuffix(".yaml") }.map { configuration.policies + "/" + directory + "/" + $0 }
        }
        for name in BundleManifest.single + [BundleManifest.name, BundleManifest.signatureName] {
            paths.append(configuration.policies + "/" + name)
        }
        paths.append(BundleStore(state: configuration.state).pinFile)
        if let key = configuration.policyKey { paths.append(key) }
        for issuer in configuration.identity.issuers {
            paths += issuer.keys.map(\.file)
            if let file = issuer.authoritiesFile { paths.append(file) }
        }
        for listener in configuration.listeners {
            guard let tls = listener.tls else { continue }
            paths += tls.certificates.flatMap { [$0.certificateFile, $0.keyFile] }
            if let file = tls.clientAuthoritiesFile { paths.append(file) }
        }
        var out: [String: FileStamp] = [:]
        for path in paths { out[path] = FileStamp(of: path) }
        return out
    }
}
