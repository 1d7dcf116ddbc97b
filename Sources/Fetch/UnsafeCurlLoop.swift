import Bytes
import CSystem
import Glibc
import Reactor

/// libcurl's multi handle on a reactor.
///
/// libcurl says which sockets it wants to hear of and when it wants to be called again
/// (`curl_multi_socket_action(3)`). The sockets are kept in an epoll set of their own, whose descriptor is this object:
/// the reactor sees it readable while any of them is ready. So libcurl may open, close and reuse numbers as it likes
/// without the reactor's registrations being touched.
final class CurlLoop: Descriptor {
    private let configuration: FetchConfiguration
    private var multi: OpaquePointer?
    private var transfers: [UInt64: CurlTransfer] = [:]

    /// Sockets that are handed to libcurl in one go.
    private static let batch = 64
    private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(_ configuration: FetchConfiguration, reactor: Reactor) throws(ReactorError) {
        self.configuration = configuration
        guard Self.isInitialised, let multi = curl_multi_init() else { throw .tls("libcurl cannot be started") }
        self.multi = OpaquePointer(multi)
        let set = epoll_create1(Int32(EPOLL_CLOEXEC))
        if set < 0 {
            curl_multi_cleanup(multi)
            throw .system(call: "epoll_create1", code: errno)
        }
        try super.init(fd: set, reactor: reactor, events: .readLevel)
        // One stream at a time on a connection, also over HTTP/2: libcurl before 8.1 forgets, under `socket_action`, a
        // stream whose window opens while another stream of the connection reads the socket; its upload then hangs
        // until the timeout.
        csystem_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        csystem_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.connectionsMax)
        csystem_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.hostConnectionsMax)
        csystem_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.connectionsMax)
        // The callbacks get this object unretained: `close` and `deinit` end the multi handle, and with it the calls.
        csystem_curl_multi_set_callbacks(
            multi,
            { _, socket, what, me, _ in
                guard let me else { return 0 }
                Unmanaged<CurlLoop>.fromOpaque(me).takeUnretainedValue().watch(socket, what)
                return 0
            },
            { _, milliseconds, me in
                guard let me else { return 0 }
                Unmanaged<CurlLoop>.fromOpaque(me).takeUnretainedValue().schedule(milliseconds)
                return 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { endMulti() }

    /// Ends all that is under way with `closed`.
    func close() {
        for (_, transfer) in transfers { finish(transfer, .failure(.closed)) }
        transfers = [:]
        endMulti()
        closeDescriptor()
    }

    private func endMulti() {
        guard let multi else { return }
        self.multi = nil
        curl_multi_cleanup(UnsafeMutableRawPointer(multi))
    }

    // MARK: Requests

    func begin(
        _ request: OutboundRequest, number: UInt64,
        done: @escaping (Result<OutboundResponse, FetchError>) -> Void
    ) {
        guard let multi else { return done(.failure(.closed)) }
        guard transfers.count < configuration.requestsMax else { return done(.failure(.tooManyRequests)) }
        guard let transfer = CurlTransfer(request, configuration, number: number, done: done) else {
            return done(.failure(.failed(code: Int(CURLE_OUT_OF_MEMORY.rawValue))))
        }
        transfers[number] = transfer
        let code = curl_multi_add_handle(UnsafeMutableRawPointer(multi), transfer.handle)
        if code != CURLM_OK {
            transfers[number] = nil
            transfer.finish(.failure(.failed(code: Int(code.rawValue))))
        }
    }

    func cancel(_ number: UInt64) {
        guard let transfer = transfers.removeValue(forKey: number) else { return }
        finish(transfer, .failure(.cancelled))
    }

    /// A transfer must leave the multi handle before its own handle may end.
    private func finish(_ transfer: CurlTransfer, _ result: Result<OutboundResponse, FetchError>) {
        if let multi { curl_multi_remove_handle(UnsafeMutableRawPointer(multi), transfer.handle) }
        transfer.finish(result)
    }

    // MARK: What libcurl asks

    private func watch(_ socket: curl_socket_t, _ what: Int32) {
        var event = epoll_event()
        event.data.fd = socket
        switch what {
        case CURL_POLL_IN: event.events = EPOLLIN.rawValue
        case CURL_POLL_OUT: event.events = EPOLLOUT.rawValue
        case CURL_POLL_INOUT: event.events = EPOLLIN.rawValue | EPOLLOUT.rawValue
        default:
            // Closing a descriptor takes it out of the set as well; then this finds nothing.
            _ = epoll_ctl(fd, EPOLL_CTL_DEL, socket, &event)
            return
        }
        if epoll_ctl(fd, EPOLL_CTL_MOD, socket, &event) < 0, errno == ENOENT {
            _ = epoll_ctl(fd, EPOLL_CTL_ADD, socket, &event)
        }
    }

    private func schedule(_ milliseconds: Int) {
        if milliseconds < 0 { return clearDeadline() }
        setDeadline(Clock.monotonic() + .milliseconds(Int64(milliseconds)))
    }

    // MARK: Readiness

    override func ready(_ events: ReadyEvents) {
        guard let multi, isOpen else { return }
        var list = [epoll_event](repeating: epoll_event(), count: Self.batch)
        let count = Int(epoll_wait(fd, &list, Int32(Self.batch), 0))
        for i in 0..<max(0, count) {
            let flags = list[i].events
            var mask: Int32 = 0
            if flags & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_IN }
            if flags & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
            if flags & EPOLLERR.rawValue != 0 { mask |= CURL_CSELECT_ERR }
            act(multi, list[i].data.fd, mask)
        }
        collect()
    }

    override func timedOut() {
        guard let multi else { return }
        act(multi, CURL_SOCKET_BAD, 0)
        collect()
    }

    private func act(_ multi: OpaquePointer, _ socket: curl_socket_t, _ mask: Int32) {
        var running: Int32 = 0
        curl_multi_socket_action(UnsafeMutableRawPointer(multi), socket, mask, &running)
    }

    /// Takes what has ended.
    private func collect() {
        while let multi {
            var left: Int32 = 0
            guard let message = curl_multi_info_read(UnsafeMutableRawPointer(multi), &left) else { return }
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let transfer = CurlTransfer.of(easy)
            else { continue }
            // The message is gone once its transfer leaves the multi handle.
            let code = message.pointee.data.result
            transfers[transfer.number] = nil
            finish(transfer, transfer.outcome(code))
        }
    }
}
