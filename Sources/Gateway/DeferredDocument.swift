import Synchronization

/// A document that is made when it is first asked for, or by `prepare` in the background: it takes as long as a third of a
/// start, and few processes are ever asked for it.
final class DeferredDocument: Sendable {
    private let made = Mutex<[UInt8]?>(nil)
    private let make: @Sendable () -> [UInt8]

    init(_ make: @escaping @Sendable () -> [UInt8]) { self.make = make }

    var bytes: [UInt8] {
        made.withLock { made in
            if let made { return made }
            let bytes = make()
            made = bytes
            return bytes
        }
    }

    /// Makes it now; who asks meanwhile waits for it.
    func prepare() { _ = bytes }
}
