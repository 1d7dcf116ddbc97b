import Bytes
import Documents

extension ConfigurationReader {
    /// Paths that the governed services answer themselves, with all below them.
    package static let reservedPaths = ["/v1", "/openapi.json"]

    mutating func readUpstreams(_ map: DocumentMapping) {
        result.upstreams = entries(map, "upstreams", what: "upstream") { entry, name in
            guard let value = entry.required("url") else { return nil }
            let url = value.node.scalar == "odoo" ? "odoo" : Self.url(value)
            var upstream = UpstreamEntry(name: name, url: url ?? "")
            upstream.inFlightMax = entry.int("in_flight", in: 0...65_536, default: upstream.inFlightMax)
            upstream.queueMax = entry.int("queue", in: 0...65_536, default: upstream.queueMax)
            upstream.connectTimeout = timeout(entry, "connect_timeout", upstream.connectTimeout, max: .minutes(2))
            upstream.responseTimeout = timeout(entry, "response_timeout", upstream.responseTimeout)
            upstream.idleTimeout = timeout(entry, "idle_timeout", upstream.idleTimeout)
            upstream.stallTimeout = timeout(entry, "stall_timeout", upstream.stallTimeout)
            upstream.discardTimeout = entry.duration(
                "discard_timeout", in: 0 ... .minutes(60), default: upstream.discardTimeout)
            upstream.idleMax = entry.int("idle_connections", in: 0...65_536, default: upstream.idleMax)
            upstream.preservesHost = entry.bool("preserve_host", default: upstream.preservesHost)
            upstream.authoritiesFile = entry.string("authorities")
            if let path = entry.optional("health_path") { upstream.healthPath = Self.path(path) }
            upstream.healthInterval = entry.duration(
                "health_interval", in: .milliseconds(100) ... .minutes(60), default: upstream.healthInterval)
            upstream.hidesErrors = entry.bool("hide_errors", default: upstream.hidesErrors)
            return upstream
        }
    }

    mutating func readRoutes(_ map: DocumentMapping) {
        let upstreams = Set(result.upstreams.map(\.name)).subtracting([""])
        var lines: [String: Int] = [:]
        let routes = entries(map, "routes", what: "route") { entry, name -> [RouteEntry]? in
            var route = RouteEntry(name: name, path: "")
            route.access = entry.choice("access", default: route.access)
            route.kind = entry.choice("kind", default: route.kind)
            if route.kind == .rpc { return readRPC(entry, route, lines: &lines) }
            let upstream = { (value: DocumentValue) in value.choice(upstreams, what: "upstream") }
            route.upstream = entry.optional("upstream").flatMap(upstream)
            if route.access != .closed { _ = entry.required("upstream") }
            route.allowsWebSocket = entry.bool("websocket", default: route.allowsWebSocket)
            if let value = entry.optional("websocket_upstream") {
                route.webSocketUpstream = upstream(value)
                if !route.allowsWebSocket { value.report("without effect unless 'websocket' is true") }
            }
            route.methods = entry.list("methods") { $0.choice(Self.methods, what: "method") }
            if entry.optional("body_max") != nil {
                route.bodyBytesMax = Int64(entry.byteCount("body_max", in: 0...(1 << 40), default: 0))
            }
            route.forwardsAuthorization = entry.bool("forward_authorization", default: route.forwardsAuthorization)
            if entry.optional("audit") != nil { route.isAudited = entry.bool("audit", default: true) }
            route.admission =
                entry.optional("admission")?.choice(["realtime", "standard", "batch"], what: "admission class")
                ?? route.admission
            if let value = entry.optional("operation"), let operation = value.string() {
                if operation.hasPrefix("proxy."), Self.isPattern(operation), !operation.hasSuffix("*") {
                    route.operation = operation
                } else {
                    value.report("a route's operation is named like 'proxy.odoo-web'")
                }
            }
            return paths(entry, lines: &lines).map { path in
                var copy = route
                copy.path = path
                return copy
            }
        }
        result.routes = routes.flatMap(\.self)
    }

    /// A route whose calls are read and judged one by one. They go to the Odoo under `odoo`.
    private func readRPC(_ entry: DocumentMapping, _ route: RouteEntry, lines: inout [String: Int]) -> [RouteEntry] {
        var route = route
        route.operation = Self.rpcOperation
        if route.access == .open {
            entry.optional("access")?.report("an rpc route asks for a token; who may call what is in the policies")
        }
        route.relayProtocol = entry.choice("protocol", default: route.relayProtocol)
        route.takesTokenAsPassword = entry.bool("token_as_password", default: route.takesTokenAsPassword)
        route.bodyBytesMax = Int64(
            entry.byteCount("body_max", in: 1_024...(64 << 20), default: Self.rpcBodyBytesMax))
        route.admission =
            entry.optional("admission")?.choice(["realtime", "standard", "batch"], what: "admission class")
            ?? route.admission
        return paths(entry, lines: &lines).compactMap { path in
            let known = Self.rpcPaths.contains { path == $0 || path.hasPrefix($0 + "/") || $0.hasPrefix(path + "/") }
            if !known || path == "/web" || path == "/" {
                entry.report("'\(path)' is none of Odoo's interfaces: \(Self.rpcPaths.joined(separator: ", "))")
                return nil
            }
            var copy = route
            copy.path = path
            return copy
        }
    }

    /// Stands for the calls of a route in log lines and counts before a call is read.
    static let rpcOperation = "odoo.rpc"
    /// Largest body of a call. Default 1 MiB: it is read as a whole before it is judged.
    static let rpcBodyBytesMax = 1_048_576
    private static let rpcPaths = [
        "/jsonrpc", "/xmlrpc", "/web/dataset/call_kw", "/web/dataset/call_button", "/json/2",
    ]

    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    private func paths(_ map: DocumentMapping, lines: inout [String: Int]) -> [String] {
        var values: [DocumentValue] = []
        switch (map.optional("path"), map.optional("paths")) {
        case (let path?, nil): values = [path]
        case (nil, let paths?): values = paths.list(minCount: 1) { $0 }
        default: map.report("a route has either 'path' or 'paths'")
        }
        return values.compactMap { value in
            guard let path = Self.path(value) else { return nil }
            if let line = lines[path] {
                value.report("a second route for '\(path)', first on line \(line)")
            } else {
                lines[path] = value.mark.line
            }
            for reserved in Self.reservedPaths where path == reserved || path.hasPrefix(reserved + "/") {
                value.report("'\(reserved)' belongs to the governed services")
            }
            return path
        }
    }

    /// An absolute path without query, dot segments, empty segments or escapes; a trailing slash is dropped.
    static func path(_ value: DocumentValue) -> String? {
        guard var text = value.string() else { return nil }
        let allowed = { (byte: UInt8) in
            byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || "-._~!$&'()*+,;=:@/".utf8.contains(byte)
        }
        let segments = text.split(separator: "/", omittingEmptySubsequences: false)
        if text.hasPrefix("/"), text.utf8.allSatisfy(allowed), text.utf8.count <= 1_024,
            !segments.contains("."), !segments.contains(".."), !segments.dropFirst().dropLast().contains("")
        {
            if text.count > 1, text.hasSuffix("/") { text.removeLast() }
            return text
        }
        value.report("expected a path such as /web, not '\(Suggestion.shortened(text))'")
        return nil
    }
}
