import CSystem
import Glibc

/// Parts of files: what batches are read and written by.
enum FileRange {
    /// At most `count` bytes from `offset`; fewer at the end of the file, none where there is none.
    static func read(_ path: String, from offset: Int, count: Int) throws(StoreError) -> [UInt8] {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return [] }
            throw Files.failure("opening \(path)")
        }
        defer { close(descriptor) }
        var failed: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let n = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
                if n < 0 && errno == EINTR { continue }
                if n < 0 { failed = errno }
                if n <= 0 { break }
                filled += n
            }
        }
        if failed != 0 { throw Files.failure("reading \(path)", failed) }
        return bytes
    }

    /// The size in bytes; 0 where there is no file.
    static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Removes a directory of files and nothing else; what is not there is not missed.
    static func removeDirectory(_ path: String) throws(StoreError) {
        for name in (try? Files.names(in: path)) ?? [] { unlink(path + "/" + name) }
        guard rmdir(path) == 0 || errno == ENOENT else { throw Files.failure("removing \(path)") }
    }
}
