/// Lends a thread to rooms that know none.
package struct SecondThread: Sendable {
    /// Runs work on another thread while the caller goes on; what it answers is called once, and returns when that work
    /// has ended.
    package let begin: @Sendable (@escaping @Sendable () -> Void) -> @Sendable () -> Void

    package init(_ begin: @escaping @Sendable (@escaping @Sendable () -> Void) -> @Sendable () -> Void) {
        self.begin = begin
    }

    /// The caller does everything.
    package static let none = SecondThread { _ in {} }
}
