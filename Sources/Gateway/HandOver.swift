import Bytes
import Reactor
import Server

// An upgrade without a lost request: another program takes the place of this one in the same process.
//
//     retire ──1 s──▶ drain ──requests done──▶ stores closed ──execve──▶ stores opened ──▶ accepting
//     answers say         new connections wait in the backlogs of the listening
//     "close"             sockets, which stay open throughout
//
// Ledger and audit log have one owner at any moment: the old program closes them before the new one exists. That is why
// the process is replaced and not joined by a second one, which would have to wait for the locks of `var/` anyway; and
// the process id stays, so that systemd, a container or a supervisor sees nothing of it.

/// A listening socket that the program before this one in the same process has left open.
package struct InheritedListener: Sendable, Equatable {
    package var name: String
    package var descriptor: Int32

    package init(name: String, descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
    }

    /// The environment variable that tells of them: `plain=7,plain=8,tls=9`.
    package static let variable = "MILLGATE_LISTENERS"

    package static func text(_ listeners: [InheritedListener]) -> String {
        listeners.map { "\($0.name)=\($0.descriptor)" }.joined(separator: ",")
    }

    /// What `text` wrote; anything else is left out.
    package static func parse(_ text: String) -> [InheritedListener] {
        text.split(separator: ",").compactMap { part in
            guard let equals = part.lastIndex(of: "="), let number = Int32(part[part.index(after: equals)...]),
                number > 2
            else { return nil }
            return InheritedListener(name: String(part[..<equals]), descriptor: number)
        }
    }

    /// Those whose socket listens at `address` as the configuration has it now; port 0 is any. Others are closed.
    static func fitting(
        _ name: String, _ address: SocketAddress, of all: inout [InheritedListener]
    ) -> [(descriptor: Int32, address: SocketAddress)] {
        let mine = all.filter { $0.name == name }
        all.removeAll { $0.name == name }
        return mine.compactMap { one in
            guard let found = Listener.inheritedAddress(one.descriptor) else { return nil }
            if found.host == address.host && (address.port == 0 || found.port == address.port) {
                return (one.descriptor, found)
            }
            Descriptor.discard(one.descriptor)
            return nil
        }
    }
}

extension GatewayProcess {
    /// Lets requests in flight finish and closes the stores, as `stop` does, but so that no request is lost: the listening
    /// sockets stay open for the program that comes next.
    package func handOver(to program: String) async -> [InheritedListener] {
        _ = await askServers { server in server.retire() }
        await home.sleep(snapshot.configuration.server.retireTime)
        let listeners = await askServers { server in
            server.descriptorsForExec().map { InheritedListener(name: $0.name, descriptor: $0.descriptor) }
        }.flatMap(\.self)
        log.notice("handing over", metadata: ["program": "\(program)", "listeners": "\(listeners.count)"])
        await close(note: "hand over to \(program)")
        return listeners
    }
}
