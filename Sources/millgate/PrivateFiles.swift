import Foundation
import Glibc

/// Why a file could not be read or written.
struct FileError: Error, CustomStringConvertible {
    let description: String
}

/// Files with keys and tokens: written completely or not at all, and never readable by others for a moment.
enum PrivateFiles {
    static let secret: mode_t = 0o600
    /// Certificates and public keys.
    static let published: mode_t = 0o644

    /// Makes a directory, with those above it, for its owner only.
    static func makeDirectory(_ path: String) throws(FileError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw FileError(description: "\(path): the directory cannot be made")
        }
    }

    /// Takes from others what an earlier hand may have given them: the directories themselves, and the files in them
    /// that are not certificates or public keys.
    static func restrict(directories: [String]) {
        for directory in directories {
            chmod(directory, 0o700)
            for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
                if [".key", ".secret", ".jwk", ".jwt"].contains(where: name.hasSuffix) {
                    chmod("\(directory)/\(name)", secret)
                }
            }
        }
    }

    /// Writes or replaces a file.
    static func write(_ content: String, to path: String, mode: mode_t = secret) throws(FileError) {
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        // The user's umask may have taken something away.
        fchmod(descriptor, mode)
        do {
            try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).write(contentsOf: Data(content.utf8))
        } catch {
            unlink(draft)
            throw FileError(description: "\(path): cannot be written; is the disk full?")
        }
        guard rename(draft, path) == 0 else {
            let error = failure(path)
            unlink(draft)
            throw error
        }
    }

    /// Writes a file that is not there yet.
    static func create(_ content: String, at path: String, mode: mode_t = secret) throws(FileError) {
        if exists(path) { throw FileError(description: "\(path): is there already; move it away first") }
        try write(content, to: path, mode: mode)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The bytes of a file; nil when they cannot be read.
    static func bytes(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }

    /// The text of a file; nil when it is not there or not text.
    static func text(_ path: String) -> String? { bytes(path).flatMap { String(validating: $0, as: UTF8.self) } }

    private static func failure(_ path: String) -> FileError {
        FileError(description: "\(path): \(String(cString: strerror(errno)))")
    }
}
