import Foundation
import Identity

/// Why a secret is not to be had. Names where it should be, never what it is.
package struct SecretError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
}

extension SecretReference {
    /// Longest secret, in bytes. A larger file is another file.
    package static let bytesMax = 65_536

    /// Where the secret is, for messages.
    package var place: String {
        switch self {
        case .file(let path): path
        case .environment(let name): "$" + name
        }
    }

    /// Reads the secret. A line break at the end of a printable text, as editors and `echo` leave it, is not part of
    /// it.
    ///
    /// - Parameters:
    ///   - environment: where variables are looked up. Default that of the process.
    ///   - warn: told what is unwise and not wrong: that others may read the file.
    package func resolve(
        environment: [String: String] = ProcessInfo.processInfo.environment, warn: (String) -> Void = { _ in }
    ) throws(SecretError) -> [UInt8] {
        let bytes: [UInt8]
        switch self {
        case .environment(let name):
            guard let value = environment[name] else {
                throw SecretError(description: "the environment variable \(name) is not set")
            }
            bytes = Array(value.utf8)
        case .file(let path): bytes = try Self.read(path, warn: warn)
        }
        let secret = KeySetSource.secretBytes(bytes)
        if secret.isEmpty { throw SecretError(description: "\(place): the secret is empty") }
        return secret
    }

    private static func read(_ path: String, warn: (String) -> Void) throws(SecretError) -> [UInt8] {
        let files = FileManager.default
        var isDirectory = ObjCBool(false)
        guard files.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw SecretError(description: "\(path): no such file")
        }
        if isDirectory.boolValue { throw SecretError(description: "\(path): is a directory, not a file") }
        guard
            let attributes = try? files.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path),
            let handle = FileHandle(forReadingAtPath: path)
        else { throw SecretError(description: "\(path): may not be read by this user") }
        if let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 != 0 {
            warn("\(path): others than its owner may read this secret; chmod 600 it")
        }
        guard let data = try? handle.read(upToCount: bytesMax + 1) else {
            // An empty file gives nil.
            throw SecretError(description: "\(path): the secret is empty")
        }
        if data.count > bytesMax { throw SecretError(description: "\(path): too large for a secret") }
        return Array(data)
    }
}
