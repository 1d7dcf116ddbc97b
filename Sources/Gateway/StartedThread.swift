import Documents
import Reactor

extension SecondThread {
    /// A thread of its own, not one of the pool's: those may all wait for a disk.
    static let started = SecondThread { work in
        do throws(ReactorError) {
            return try ThreadCalls.begin(name: "second", work)
        } catch {
            // Without one the caller does everything.
            return {}
        }
    }
}
