import Bytes
import CSystem
import Foundation
import Glibc

/// The system calls of this room on files, with errors as values.
enum Files {
    static func message(_ number: Int32) -> String { String(cString: strerror(number)) }

    /// The error of a system call that just failed.
    static func failure(_ doing: String, _ number: Int32 = errno) -> StoreError {
        number == ENOSPC || number == EDQUOT || number == EFBIG ? .diskFull : .io(errno: number, doing: doing)
    }

    /// Makes a directory, and those above it, readable by its owner only.
    static func makeDirectory(_ path: String) throws(StoreError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .io(errno: EACCES, doing: "making the directory \(path)")
        }
    }

    /// Opens a file for reading and writing and creates it with mode 0600 where it is missing.
    static func open(_ path: String, flags: Int32) throws(StoreError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("opening \(path)") }
        return descriptor
    }

    /// Makes an empty file with mode 0600 where there is none; SQLite gives its other files the same mode.
    static func createPrivate(_ path: String) throws(StoreError) {
        close(try open(path, flags: O_RDWR | O_CREAT))
    }

    /// The whole file; nil when there is none.
    static func read(_ path: String) throws(StoreError) -> [UInt8]? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw failure("opening \(path)")
        }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size >= 0 else { throw failure("reading \(path)") }
        var failed: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let n = pread(descriptor, buffer.baseAddress.map { $0 + count }, size - count, off_t(count))
                if n < 0 && errno == EINTR { continue }
                if n < 0 { failed = errno }
                if n <= 0 { break }
                count += n
            }
        }
        if failed != 0 { throw failure("reading \(path)", failed) }
        return bytes
    }

    /// Makes the names in a directory durable.
    static func syncDirectory(_ path: String) throws(StoreError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opening \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("syncing \(path)") }
    }

    static func size(_ path: String) throws(StoreError) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("looking at \(path)") }
        return Int(status.st_size)
    }

    static func rename(_ old: String, _ new: String) throws(StoreError) {
        guard Glibc.rename(old, new) == 0 else { throw failure("renaming \(old)") }
    }

    static func names(in directory: String) throws(StoreError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw .io(errno: ENOENT, doing: "listing \(directory)")
        }
    }
}

/// Holds a directory for this process alone, until it is released. The system releases it when the process dies.
final class DirectoryLock: Sendable {
    /// -1 after the release.
    private let descriptor: Monitor<Int32>

    /// Throws `.busy` when another process, or another store of this one, holds it.
    init(_ path: String) throws(StoreError) {
        let descriptor = try Files.open(path, flags: O_RDWR | O_CREAT)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            throw number == EWOULDBLOCK ? .busy(path) : Files.failure("locking \(path)", number)
        }
        self.descriptor = Monitor(descriptor)
    }

    deinit { release() }

    func release() {
        descriptor.withLock { descriptor in
            // Closing alone would leave the lock to a child that has been forked and has not yet replaced its program.
            if descriptor >= 0 {
                flock(descriptor, LOCK_UN)
                close(descriptor)
            }
            descriptor = -1
        }
    }
}
