import Bytes
import JSON

/// Everything that is not RPC: pages, redirects, health, static files, and the error pages of Werkzeug.
enum Pages {
    private static let server = (name: "Server", value: "Werkzeug/2.2.2 Python/3.11.2")
    private static let html = (name: "Content-Type", value: "text/html; charset=utf-8")
    /// Never `Secure`, as Odoo's is.
    static let cookie = (
        name: "Set-Cookie", value: "session_id=SANDBOXSESSION; Max-Age=604800; HttpOnly; Path=/"
    )

    static func json(_ status: Int, _ value: JSONValue) -> SandboxAnswer {
        SandboxAnswer(
            status: status,
            fields: [
                server, ("Content-Type", "application/json; charset=utf-8"), ("X-Content-Type-Options", "nosniff"),
            ], body: value.bytes)
    }

    static func text(_ status: Int, _ text: String) -> SandboxAnswer {
        SandboxAnswer(status: status, fields: [server, html], body: Array(text.utf8))
    }

    static func page(
        _ status: Int, _ body: String, _ fields: [(name: String, value: String)] = []
    ) -> SandboxAnswer {
        SandboxAnswer(status: status, fields: [server, html] + fields, body: Array(body.utf8))
    }

    static func plain(_ value: JSONValue, _ fields: [(name: String, value: String)]) -> SandboxAnswer {
        SandboxAnswer(
            status: 200, fields: [server, ("Content-Type", "application/json")] + fields, body: value.bytes)
    }

    static func bytes(_ body: [UInt8], type: String) -> SandboxAnswer {
        SandboxAnswer(
            status: 200, fields: [server, ("Content-Type", type), ("Cache-Control", "public, max-age=604800")],
            body: body)
    }

    /// Werkzeug's own page.
    static func error(_ status: Int, _ title: String, _ text: String) -> SandboxAnswer {
        page(
            status,
            "<!doctype html>\n<html lang=en>\n<title>\(status) \(title)</title>\n<h1>\(title)</h1>\n<p>\(text)</p>\n")
    }

    static func redirect(to path: String) -> SandboxAnswer {
        page(
            303,
            "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
                + "<p>You should be redirected automatically to the target URL: <a href=\"\(path)\">\(path)</a>. "
                + "If not, click the link.\n", [("Location", path), cookie])
    }

    /// Odoo's own page, which says much about itself.
    static func notFound(_ path: String) -> SandboxAnswer {
        SandboxAnswer(
            status: 404, fields: [server, ("Content-Type", "text/html;charset=utf-8"), cookie],
            body: Array(
                ("<!DOCTYPE html>\n<html>\n<head><title>404: Not Found | Odoo</title>"
                    + "<script>odoo = {csrf_token: \"5f1d\", debug: \"\"};</script></head>\n<body>"
                    + "<h1>Error 404</h1><p>We couldn't find the page you're looking for!</p></body>\n</html>\n").utf8))
    }

    /// Without a database chosen (recording 350).
    static var noDatabase: SandboxAnswer {
        page(
            404,
            "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and the "
                + "requested URL was not found in the server-wide controllers.</p>\n<p>Please verify the hostname, "
                + "<a href=/web/login>login</a> and try again.</p>\n\n"
                + "<!-- Alternatively, use the X-Odoo-Database header. -->\n")
    }

    static var internalError: SandboxAnswer {
        error(
            500, "Internal Server Error",
            "The server encountered an internal error and was unable to complete your request. Either the server is "
                + "overloaded or there is an error in the application.")
    }

    /// A wrong Content-Type or method: 415 on 19, 400 on 17 (recordings 196 to 200, 343).
    static func unsupported(_ request: SandboxRequest, _ version: SandboxVersion, type: String) -> SandboxAnswer {
        let path = type == "json2" ? "/json/2/&lt;__model__&gt;/&lt;__method__&gt;" : "/jsonrpc"
        let is19 = version.is19
        let kind = type == "json2" ? "json2" : is19 ? "jsonrpc" : "json"
        let guess = is19 && request.method == "GET" ? "[&#39;http&#39;, &#39;json2&#39;]" : "[&#39;http&#39;]"
        let text = "Request inferred type is compatible with \(guess) but &#39;\(path)&#39; is type=&#39;\(kind)&#39;."
        guard is19 else { return error(400, "Bad Request", text) }
        var answer = error(
            415, "Unsupported Media Type",
            text + "<br><br>Please verify the Content-Type request header and try again.")
        let accepted = type == "json2" ? "application/json" : "application/json, application/json-rpc"
        answer.fields.append(("Accept", accepted))
        return answer
    }

    /// The answer of a fault that lets nothing happen; nil for the others.
    static func fault(_ kind: SandboxFault.Kind, delay: Nanoseconds) -> SandboxAnswer? {
        var answer: SandboxAnswer
        switch kind {
        case .http500: answer = internalError
        case .html502:
            answer = page(
                502,
                "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center><h1>502 Bad Gateway</h1>"
                    + "</center>\n<hr><center>nginx</center>\n</body>\n</html>\n")
        case .closeBeforeEffect:
            answer = SandboxAnswer(status: 0, fields: [], body: [], fault: .closeWithoutAnswer)
        case .delay, .delayBeforeEffect, .closeAfterEffect, .serializationFailure: return nil
        }
        answer.delay = delay
        return answer
    }
}

extension SandboxWorld {
    mutating func page(_ request: SandboxRequest, _ path: String) -> SandboxAnswer {
        let is19 = version.is19
        switch path {
        case "/": return Pages.redirect(to: is19 ? "/odoo" : "/web")
        case "/odoo" where is19: return Pages.redirect(to: "/web/login?redirect=%2Fodoo%3F")
        case "/web": return Pages.redirect(to: "/web/login")
        case "/web/health":
            var health: JSONObject = ["status": "pass"]
            if is19, request.query("db_server_status") != nil { health["db_server_status"] = true }
            return Pages.plain(.object(health), [("Cache-Control", "no-store")])
        case "/web/version" where is19:
            return Pages.plain(
                ["version_info": [JSONValue(version.rawValue), 0, 0, "final", 0, ""], "version": "19.0"],
                [Pages.cookie])
        case "/web/login": return login
        case "/web/static/big": return big(request)
        case "/websocket": return webSocket(request)
        case "/xmlrpc/2/common", "/xmlrpc/2/object", "/xmlrpc/common", "/xmlrpc/object", "/xmlrpc/2/db", "/xmlrpc/db":
            return xmlRPC
        default: break
        }
        if path.hasPrefix("/web/database/") { return databaseManager }
        if path.hasPrefix("/web/dataset/call_kw") {
            return failure(
                Raised("odoo.http.SessionExpiredException", "Session expired", status: 200, code: 100), .null)
        }
        return Pages.notFound(path)
    }

    private var login: SandboxAnswer {
        var fields = [
            (name: "X-Frame-Options", value: "SAMEORIGIN"),
            (name: "Content-Security-Policy", value: "frame-ancestors 'self'"), Pages.cookie,
        ]
        if version.is19 { fields.append((name: "Cache-Control", value: "no-cache")) }
        return Pages.page(
            200,
            "<!DOCTYPE html>\n<html>\n<head><title>Odoo</title></head>\n<body>\n"
                + "<form class=\"oe_login_form\" role=\"form\" method=\"post\" action=\"/web/login\">"
                + "<input type=\"hidden\" name=\"csrf_token\" value=\"5f1d\"/><input name=\"login\"/>"
                + "<input type=\"password\" name=\"password\"/><button type=\"submit\">Log in</button></form>\n"
                + "<p>Odoo sandbox \(version.rawValue).0</p>\n</body>\n</html>\n", fields)
    }

    private var databaseManager: SandboxAnswer {
        Pages.page(
            200,
            "<!DOCTYPE html>\n<html>\n<head><title>Odoo</title></head>\n<body><h1>Database manager</h1>"
                + "<a href=\"#\">\(configuration.database)</a></body>\n</html>\n")
    }

    /// Only as much as shows that the door is open.
    private var xmlRPC: SandboxAnswer {
        var answer = Pages.text(
            200,
            "<?xml version=\"1.0\"?>\n<methodResponse>\n<params>\n<param>\n<value><boolean>0</boolean></value>\n"
                + "</param>\n</params>\n</methodResponse>\n")
        answer.fields = answer.fields.map {
            $0.name == "Content-Type" ? ($0.name, "text/xml; charset=utf-8") : $0
        }
        return answer
    }

    /// A file for proxies to carry; `?size=` bytes, at most 64 MiB.
    private mutating func big(_ request: SandboxRequest) -> SandboxAnswer {
        let size = min(max(request.query("size").flatMap { Int($0) } ?? configuration.bigFileSize, 0), 64 << 20)
        if bigFile.count != size {
            bigFile = [UInt8](repeating: 0, count: size)
            for i in 0..<size { bigFile[i] = UInt8(truncatingIfNeeded: i &* 31 &+ (i >> 8)) }
        }
        return Pages.bytes(bigFile, type: "application/octet-stream")
    }

    /// The upgrade answer (recordings 221 to 224, 624); the frames are the glue's.
    private func webSocket(_ request: SandboxRequest) -> SandboxAnswer {
        guard request.method == "GET", request.field("Upgrade")?.lowercased() == "websocket",
            let key = request.field("Sec-WebSocket-Key")
        else {
            return Pages.error(
                400, "Bad Request", "The browser (or proxy) sent a request that this server could not understand.")
        }
        guard configuration.upgradesWebSockets else { return Pages.internalError }
        var answer = Pages.page(101, "")
        answer.fields += [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", SHA1.webSocketAccept(key)),
            Pages.cookie,
        ]
        return answer
    }
}
