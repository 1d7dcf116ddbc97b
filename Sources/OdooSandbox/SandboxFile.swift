import Foundation
import Synchronization

/// The file of a sandbox that outlives its process (`millgate sandbox --state`).
package final class SandboxFile: Sendable {
    private let handle: Mutex<FileHandle>
    /// What was in it.
    let content: [UInt8]

    /// Opens the file, or makes it.
    package init(path: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            try Data().write(to: URL(fileURLWithPath: path))
        }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        content = [UInt8](try file.readToEnd() ?? Data())
        handle = Mutex(file)
    }

    /// Cuts off what lies behind; the end is there then.
    func keep(_ count: Int) throws {
        try handle.withLock { file in
            try file.truncate(atOffset: UInt64(count))
            try file.seekToEnd()
        }
    }

    /// Returns when the kernel has it: the process may end then.
    func append(_ line: [UInt8]) {
        handle.withLock { file in
            do {
                try file.write(contentsOf: Data(line))
            } catch {
                // A database that cannot keep what it answers must not answer.
                preconditionFailure("the sandbox's state cannot be written: \(error)")
            }
        }
    }
}
