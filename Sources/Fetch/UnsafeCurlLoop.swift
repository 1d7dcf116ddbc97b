import Bytes
import CSystem
import Glibc
import Reactor

/// libcurl's multi handle on a reactor: the connections of one client.
///
/// libcurl says which sockets it wants to hear of and when it wants to be called again
/// (`curl_multi_socket_action(3)`); `CurlSockets` brings the former, for all loops of the reactor.
final class CurlLoop {
    private let configuration: FetchConfiguration
    private let sockets: CurlSockets
    private let reactor: Reactor
    private var number: UInt32 = 0
    private var multi: OpaquePointer?
    private var isClosing = false
    /// Handles that are set up and wait for another request.
    private var idle: [UnsafeMutableRawPointer] = []
    private var transfers: [UInt64: CurlTransfer] = [:]
    /// Whether it stands in the list of those that `sockets` calls at the end of the turn.
    var isDue = false
    /// When libcurl wants to be called; the timer may fire before, and goes back then.
    private var deadline = CurlLoop.never
    private var timer: (at: MonotonicInstant, action: Reactor.ScheduledAction)?

    private static let never = MonotonicInstant(nanoseconds: .max)
    private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(_ configuration: FetchConfiguration, sockets: CurlSockets) throws(ReactorError) {
        self.configuration = configuration
        self.sockets = sockets
        reactor = sockets.reactor
        guard Self.isInitialised, let multi = curl_multi_init() else { throw .tls("libcurl cannot be started") }
        self.multi = OpaquePointer(multi)
        number = sockets.add(self)
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
                let loop = Unmanaged<CurlLoop>.fromOpaque(me).takeUnretainedValue()
                loop.sockets.watch(socket, what, of: loop.number)
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
        isClosing = true
        for (_, transfer) in transfers { finish(transfer, .failure(.closed)) }
        transfers = [:]
        endMulti()
        if let timer { reactor.cancel(timer.action) }
        timer = nil
        sockets.remove(number)
    }

    private func endMulti() {
        guard let multi else { return }
        self.multi = nil
        for handle in idle { curl_easy_cleanup(handle) }
        idle = []
        curl_multi_cleanup(UnsafeMutableRawPointer(multi))
    }

    // MARK: Requests

    func begin(
        _ request: OutboundRequest, number: UInt64,
        done: @escaping (Result<OutboundResponse, FetchError>) -> Void
    ) {
        guard let multi, !isClosing else { return done(.failure(.closed)) }
        guard transfers.count < configuration.requestsMax else { return done(.failure(.tooManyRequests)) }
        let handle = CurlTransfer.isReusable(request) ? idle.popLast() : nil
        guard let transfer = CurlTransfer(request, configuration, number: number, handle: handle, done: done) else {
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
        if let multi {
            curl_multi_remove_handle(UnsafeMutableRawPointer(multi), transfer.handle)
            if idle.count < configuration.connectionsMax, let handle = transfer.giveBack() { idle.append(handle) }
        }
        transfer.finish(result)
    }

    // MARK: Time

    private func schedule(_ milliseconds: Int) {
        if milliseconds < 0 {
            deadline = Self.never
        } else if milliseconds == 0 {
            // A request has just begun, or libcurl goes on with one: at the end of this turn, without a timer.
            deadline = Self.never
            sockets.call(self)
        } else {
            deadline = Clock.monotonic() + .milliseconds(Int64(milliseconds))
            setTimer()
        }
    }

    /// Deadlines mostly move later; one timer for many of them.
    private func setTimer() {
        if let timer {
            if timer.at <= deadline { return }
            reactor.cancel(timer.action)
        }
        timer = (deadline, reactor.schedule(at: deadline) { [weak self] _ in self?.timerFired() })
    }

    private func timerFired() {
        timer = nil
        guard deadline != Self.never else { return }
        guard deadline <= reactor.now else { return setTimer() }
        deadline = Self.never
        timedOut()
    }

    func timedOut() { act(CURL_SOCKET_BAD, 0) }

    // MARK: Readiness

    func act(_ socket: curl_socket_t, _ mask: Int32) {
        guard let multi else { return }
        var running: Int32 = 0
        curl_multi_socket_action(UnsafeMutableRawPointer(multi), socket, mask, &running)
        collect()
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
