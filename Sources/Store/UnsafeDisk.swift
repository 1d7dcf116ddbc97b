import Bytes
import CSystem
import Glibc

/// The system calls with which the audit log writes, as values: a test replaces them to fill or break the disk.
struct Disk: Sendable {
    /// Writes at an offset, as `pwrite` does: gives the bytes written, or a negative `errno`.
    var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int
    /// Makes the file's content durable, as `fdatasync` does: gives 0 or an `errno`.
    var sync: @Sendable (_ descriptor: Int32) -> Int32

    static let real = Disk(
        write: { descriptor, bytes, offset in
            let written = pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
            return written < 0 ? -Int(errno) : written
        },
        sync: { descriptor in fdatasync(descriptor) == 0 ? 0 : errno })
}

/// An open file that is written at known offsets. Not Sendable: it belongs to the log's thread.
final class DiskFile {
    let path: String
    private let descriptor: Int32
    private let disk: Disk

    /// Opens for writing, and creates with mode 0600 where there is none.
    init(_ path: String, disk: Disk) throws(StoreError) {
        descriptor = try Files.open(path, flags: O_RDWR | O_CREAT)
        self.path = path
        self.disk = disk
    }

    deinit { close(descriptor) }

    /// Writes all bytes, or throws; then some of them may be there.
    func write(_ bytes: IOBuffer, at offset: Int) throws(StoreError) {
        let failure = bytes.withReadable { write($0, at: offset) }
        if failure != 0 { throw Files.failure("writing \(path)", failure) }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
        let failure = bytes.withUnsafeBytes { write($0, at: offset) }
        if failure != 0 { throw Files.failure("writing \(path)", failure) }
    }

    /// 0 or an `errno`.
    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
        var done = 0
        while done < bytes.count {
            let n = disk.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[done...]), offset + done)
            if n == -Int(EINTR) { continue }
            if n < 0 { return Int32(-n) }
            if n == 0 { return ENOSPC }
            done += n
        }
        return 0
    }

    func sync() throws(StoreError) {
        let failure = disk.sync(descriptor)
        if failure != 0 { throw Files.failure("syncing \(path)", failure) }
    }

    func truncate(to bytes: Int) throws(StoreError) {
        guard ftruncate(descriptor, off_t(bytes)) == 0 else { throw Files.failure("truncating \(path)") }
    }
}
