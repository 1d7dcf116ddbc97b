import Foundation

/// The audit key of a gateway whose configuration names none: made at the first start, private to its user.
///
/// It lies beside the log that it authenticates, so whoever can write both can forge both. Production names a key that
/// lives elsewhere.
enum AuditKeyFile {
    static func makeOrRead(_ path: String) throws(SecretError) -> [UInt8] {
        let files = FileManager.default
        if !files.fileExists(atPath: path) {
            let directory = (path as NSString).deletingLastPathComponent
            try? files.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            var generator = SystemRandomNumberGenerator()
            var secret: [UInt8] = []
            for _ in 0..<32 { secret.append(UInt8.random(in: 0...255, using: &generator)) }
            let text = Data(secret.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined().utf8)
            guard files.createFile(atPath: path, contents: text, attributes: [.posixPermissions: 0o600]) else {
                throw SecretError(description: "\(path): the audit key cannot be written")
            }
        }
        return try SecretReference.file(path).resolve()
    }
}
