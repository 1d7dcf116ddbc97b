import Bytes
import Documents
import Foundation
import Policy

/// Versions of the policies that were in force, kept in the state directory: what a start falls back to when the files
/// are not good, and what a rollback goes back to.
///
/// `policies/DIGEST/` holds a copy of each, `policies/history` their digests in the order in which they came into force,
/// and `policies/pinned`, where it is there, the one that is enforced whatever the files say.
package struct BundleStore: Sendable {
    package let directory: String
    /// Versions that are kept. Default 10: as many changes can be taken back.
    package static let keptMax = 10

    package init(state: String) { directory = state + "/policies" }

    package var pinFile: String { directory + "/pinned" }
    private var historyFile: String { directory + "/history" }

    /// Digests in the order in which they came into force; the last is in force, or was.
    package var history: [String] { lines(historyFile) }
    package var pinned: String? { lines(pinFile).first }

    private func lines(_ path: String) -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.utf8.count == 64 && $0.utf8.allSatisfy { $0 &- 48 < 10 || $0 &- 97 < 6 } }
    }

    /// A copy that was kept, as it was.
    ///
    /// - Throws: when there is none, or when it is no longer what it was.
    package func bundle(_ digest: String) throws(DocumentErrors) -> PolicyBundle {
        let bundle = try PolicyBundle.read("\(directory)/\(digest)")
        guard bundle.digest == digest else {
            throw DocumentErrors([
                DocumentError(
                    file: bundle.directory, line: 1, column: 1,
                    message: "this copy is no longer what was kept; its digest is \(bundle.digest)")
            ])
        }
        return bundle
    }

    /// Keeps a copy of what has come into force, and drops the oldest. What cannot be kept is said, and changes nothing.
    package func keep(_ bundle: PolicyBundle) throws(FilesError) {
        let target = "\(directory)/\(bundle.digest)"
        do {
            if !Files.exists(target) {
                let draft = "\(directory)/.draft"
                try? FileManager.default.removeItem(atPath: draft)
                for file in bundle.files { try write(file.bytes, to: "\(draft)/\(file.name)") }
                try FileManager.default.moveItem(atPath: draft, toPath: target)
            }
            // The same files may have been signed since.
            for (name, bytes) in [
                (BundleManifest.name, bundle.manifest), (BundleManifest.signatureName, bundle.signature),
            ] {
                guard let bytes, (try? Files.bytes("\(target)/\(name)")) != bytes else { continue }
                try write(bytes, to: "\(target)/\(name)")
            }
            if history.last == bundle.digest { return }
            let kept = Array((history.filter { $0 != bundle.digest } + [bundle.digest]).suffix(Self.keptMax))
            try write(Array((kept.joined(separator: "\n") + "\n").utf8), to: historyFile)
            let pinned = pinned
            for name in try FileManager.default.contentsOfDirectory(atPath: directory)
            where name.utf8.count == 64 && !kept.contains(name) && name != pinned {
                try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
            }
        } catch {
            throw FilesError(description: "\(directory): the policies could not be kept: \(error)")
        }
    }

    /// Enforces a version that was kept, until it is released.
    package func pin(_ digest: String) throws(FilesError) {
        do {
            try write(Array((digest + "\n").utf8), to: pinFile)
        } catch {
            throw FilesError(description: "\(pinFile): cannot be written")
        }
    }

    /// Enforces the files again.
    package func release() throws(FilesError) {
        guard Files.exists(pinFile) else { return }
        do { try FileManager.default.removeItem(atPath: pinFile) } catch {
            throw FilesError(description: "\(pinFile): cannot be removed")
        }
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}

/// Why files could not be written.
package struct FilesError: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}
