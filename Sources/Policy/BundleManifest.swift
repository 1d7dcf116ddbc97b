import Bytes
import JSON

/// Which files a bundle of policies has, by digest, so that one signature covers all of them: `manifest.json`, with its
/// Ed25519 signature (RFC 8032) beside it in `manifest.sig`, 64 raw bytes over the bytes of the manifest.
package struct BundleManifest: Sendable, Hashable {
    /// SHA-256 in hexadecimal by path within the bundle, `access/odoo.yaml`.
    package let files: [String: String]

    package static let name = "manifest.json"
    package static let signatureName = "manifest.sig"
    /// Folders and files that make a bundle; everything else in its directory is none of its business.
    package static let folders = ["access", "events", "limits", "services", "subscribers", "tests"]
    package static let single = ["bundle.yaml", "roles.yaml"]

    package init(files: [String: String]) { self.files = files }

    /// - Parameter sha256: in hexadecimal.
    package init(of files: [(name: String, bytes: [UInt8])], sha256: ([UInt8]) -> String) {
        var digests: [String: String] = [:]
        for file in files { digests[file.name] = sha256(file.bytes) }
        self.files = digests
    }

    /// Nil when it is no manifest of a version that is known.
    package init?(_ bytes: [UInt8]) {
        guard let json = try? JSONValue.parse(bytes), json["version"]?.int == 1, let listed = json["files"]?.object
        else { return nil }
        var files: [String: String] = [:]
        for (name, digest) in listed.members {
            guard let text = digest.string else { return nil }
            files[name] = text
        }
        self.files = files
    }

    /// The bytes that are signed: files in alphabetical order, one a line.
    package var bytes: [UInt8] {
        let members = files.sorted { $0.key < $1.key }.map { (name, digest) in
            "    \(JSONValue.string(name).text): \(JSONValue.string(digest).text)"
        }
        return Array("{\n  \"version\": 1,\n  \"files\": {\n\(members.joined(separator: ",\n"))\n  }\n}\n".utf8)
    }

    /// Everything in which the files are not those of the manifest, one line each.
    package func differences(from other: BundleManifest) -> [String] {
        Set(files.keys).union(other.files.keys).sorted().compactMap { name in
            switch (files[name], other.files[name]) {
            case (nil, _): "\(name): not in the manifest"
            case (_, nil): "\(name): in the manifest, and not there"
            case (let a, let b): a == b ? nil : "\(name): changed since it was signed"
            }
        }
    }
}
