import Audit
import Bytes
import Contracts
import Documents
import Foundation
import Identity
import Policy

/// The files of one version of the policies, read once: what is checked, signed, kept and enforced are the same bytes.
package struct PolicyBundle: Sendable {
    package let directory: String
    /// By path within the directory, in alphabetical order.
    package let files: [(name: String, bytes: [UInt8])]
    /// Of the files, in hexadecimal.
    package let digest: String
    /// The manifest and its signature, where there are any.
    package let manifest: [UInt8]?
    package let signature: [UInt8]?

    /// - Throws: when a file cannot be read, or when there is none.
    package static func read(_ directory: String) throws(DocumentErrors) -> PolicyBundle {
        var files: [(name: String, bytes: [UInt8])] = []
        for name in BundleManifest.single where Files.exists("\(directory)/\(name)") {
            files.append((name, try Files.bytes("\(directory)/\(name)")))
        }
        for folder in BundleManifest.folders {
            let path = "\(directory)/\(folder)"
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
            for name in names where name.hasSuffix(".yaml") {
                files.append(("\(folder)/\(name)", try Files.bytes("\(path)/\(name)")))
            }
        }
        guard !files.isEmpty else {
            throw DocumentErrors([
                DocumentError(file: directory, line: 1, column: 1, message: "no policies in this directory")
            ])
        }
        let manifest = "\(directory)/\(BundleManifest.name)"
        let signature = "\(directory)/\(BundleManifest.signatureName)"
        return PolicyBundle(
            directory: directory, files: files,
            manifest: Files.exists(manifest) ? try Files.bytes(manifest) : nil,
            signature: Files.exists(signature) ? try Files.bytes(signature) : nil)
    }

    private init(
        directory: String, files: [(name: String, bytes: [UInt8])], manifest: [UInt8]?, signature: [UInt8]?
    ) {
        self.directory = directory
        self.files = files.sorted { $0.name < $1.name }
        self.manifest = manifest
        self.signature = signature
        digest = Self.sha256(BundleManifest(of: self.files, sha256: Self.sha256).bytes)
    }

    /// What a manifest of these files says.
    package var expected: BundleManifest { BundleManifest(of: files, sha256: Self.sha256) }

    package static func sha256(_ bytes: [UInt8]) -> String { Hex.encode(AuditDigest(of: bytes.span).bytes) }

    // MARK: What is in it

    private func texts(_ belongs: (String) -> Bool) -> [(path: String, text: String)] {
        files.filter { belongs($0.name) }.map { ("\(directory)/\($0.name)", String(decoding: $0.bytes, as: UTF8.self)) }
    }

    package func texts(in folder: String) -> [(path: String, text: String)] { texts { $0.hasPrefix(folder + "/") } }

    package func contracts() throws(DocumentErrors) -> ContractSet {
        try ContractSet.load(files: texts(in: "services"), with: .started)
    }

    package func policy(_ catalog: OperationCatalog) throws(DocumentErrors) -> PolicySet {
        let files = texts { BundleManifest.single.contains($0) || $0.hasPrefix("access/") }
        return try PolicySet.load(files: files, catalog: catalog, digest: { _ in digest })
    }

    // MARK: Signature

    /// Throws unless the manifest carries a valid signature by the key, and the files are those of the manifest.
    package func verify(_ key: BundleKey) throws(DocumentErrors) {
        func fail(_ file: String, _ message: String) -> DocumentErrors {
            DocumentErrors([DocumentError(file: "\(directory)/\(file)", line: 1, column: 1, message: message)])
        }
        guard let manifest else { throw fail(BundleManifest.name, "missing: the policies are not signed") }
        guard let signature else { throw fail(BundleManifest.signatureName, "missing: the policies are not signed") }
        guard key.isSignature(signature, of: manifest) else {
            throw fail(
                BundleManifest.signatureName,
                "not a signature of \(BundleManifest.name) by the key of `policies.verify`")
        }
        guard let signed = BundleManifest(manifest) else {
            throw fail(BundleManifest.name, "not a manifest that this version can read")
        }
        let differences = signed.differences(from: expected)
        guard differences.isEmpty else {
            throw DocumentErrors(
                differences.map { difference in
                    let parts = difference.split(separator: ":", maxSplits: 1)
                    return DocumentError(
                        file: "\(directory)/\(parts[0])", line: 1, column: 1,
                        message: parts.count > 1 ? String(parts[1].dropFirst()) : difference)
                })
        }
    }
}

/// The public key that bundles of policies must be signed with. (Ed25519, RFC 8032)
package struct BundleKey: Sendable {
    private let key: VerificationKey

    /// - Parameter file: a PEM public key or a JWK, as `millgate keys new --kind ed25519` writes it.
    package init(file: String) throws(DocumentErrors) {
        func fail(_ message: String) -> DocumentErrors {
            DocumentErrors([DocumentError(file: file, line: 1, column: 1, message: message)])
        }
        let bytes = try Files.bytes(file)
        do throws(KeyError) {
            let set = try KeySetSource(file: file).load(bytes)
            guard let found = set.keys.first(where: { $0.algorithm == .eddsa }) else {
                throw KeyError("no Ed25519 key")
            }
            key = found
        } catch {
            throw fail("\(error)")
        }
    }

    package func isSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        key.isSignature(signature, of: message)
    }
}
