import Glibc

/// What changes when a file is written or replaced: its time, its size and which file it is.
public struct FileStamp: Hashable, Sendable {
    private let seconds: Int
    private let nanoseconds: Int
    private let size: Int
    private let inode: UInt

    /// Nil when there is no such file. One system call: files are looked at on the loop, every two seconds.
    public init?(of path: String) {
        var found = stat()
        guard stat(path, &found) == 0 else { return nil }
        seconds = found.st_mtim.tv_sec
        nanoseconds = found.st_mtim.tv_nsec
        size = Int(found.st_size)
        inode = UInt(found.st_ino)
    }
}
