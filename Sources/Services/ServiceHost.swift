import Bytes
import Reactor

/// Time, and work beside the request, as the services need them. The production one is a reactor's handle.
package protocol ServiceHost: Sendable {
    var monotonic: MonotonicInstant { get }
    var wall: WallInstant { get }
    func sleep(_ duration: Nanoseconds) async
    /// Starts work that goes on when the request is over.
    func spawn(_ body: @escaping @Sendable () async -> Void)
}

/// What a call works with. Each reactor has its own, so that a call stays on its loop.
package struct ServiceWorld: Sendable {
    package let odoo: any OdooPort
    package let host: any ServiceHost

    package init(odoo: any OdooPort, host: any ServiceHost) {
        self.odoo = odoo
        self.host = host
    }
}

/// The reactor as a host. The clocks are given, because only the reactor's own room reads them.
package struct ReactorHost: ServiceHost {
    private let handle: ReactorHandle
    private let readMonotonic: @Sendable () -> MonotonicInstant
    private let readWall: @Sendable () -> WallInstant

    package init(
        _ handle: ReactorHandle, monotonic: @escaping @Sendable () -> MonotonicInstant,
        wall: @escaping @Sendable () -> WallInstant
    ) {
        self.handle = handle
        readMonotonic = monotonic
        readWall = wall
    }

    package var monotonic: MonotonicInstant { readMonotonic() }
    package var wall: WallInstant { readWall() }
    package func sleep(_ duration: Nanoseconds) async { await handle.sleep(duration) }
    package func spawn(_ body: @escaping @Sendable () async -> Void) { handle.spawn(body) }
}
