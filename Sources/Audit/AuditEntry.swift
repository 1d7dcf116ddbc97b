import Bytes
import JSON

/// One entry of the audit log as a value. Off the hot path; `AuditLine` writes the same members faster.
package struct AuditEntry: Sendable, Equatable {
    package var time: WallInstant
    package var kind: AuditKind
    package var requestID: String?
    /// 32 hexadecimal digits. (W3C Trace Context §3.2.2.3)
    package var traceID: String?
    package var caller: AuditCaller?
    package var origin: AuditOrigin?
    package var decision: AuditDecision?
    /// Method and path as sent; nil for what is not about one request.
    package var method: String?
    package var target: String?
    package var site: String?
    package var workCenter: String?
    /// Where the policy asked for it.
    package var productCategory: String?
    /// Odoo records touched, `mrp.production,17`.
    package var records: [String] = []
    package var status: Int?
    package var outcome: AuditOutcome?
    package var microseconds: Int?
    /// SHA-256 of the request's body as received.
    package var bodyDigest: AuditDigest?
    /// The body, where policy asks for it, after `Redaction`.
    package var body: JSONValue?
    /// What of the request's input the policy looks at, so that the decision can be made again.
    package var input: JSONObject?
    /// For people: why. Never a secret.
    package var detail: String?

    package init(time: WallInstant, kind: AuditKind, requestID: String? = nil) {
        self.time = time
        self.kind = kind
        self.requestID = requestID
    }

    /// Appends the line as the log takes it: an object without number and link, and a line end.
    package func append<S: ByteSink>(to sink: inout S) {
        sink.append("{\"time\":\"")
        time.appendRFC3339(to: &sink)
        sink.append("\",\"kind\":\"")
        sink.append(kind.word)
        sink.append(UInt8(ascii: "\""))
        var identity = AuditFragment()
        identity.add("request", requestID)
        identity.add("trace", traceID)
        AuditLine.append(identity, to: &sink)
        if let caller { AuditLine.append(caller.fragment, to: &sink) }
        if let origin { AuditLine.append(origin.fragment, to: &sink) }
        if let decision { AuditLine.append(decision.fragment, to: &sink) }
        var rest = AuditFragment()
        rest.add("method", method)
        rest.add("target", target)
        rest.add("site", site)
        rest.add("work_center", workCenter)
        rest.add("product_category", productCategory)
        rest.add("records", records)
        rest.add("status", status)
        rest.add("outcome", outcome.map { $0.word.bytes.text })
        rest.add("us", microseconds)
        rest.add("body_sha256", bodyDigest?.text)
        rest.add("body", body)
        rest.add("input", input.map { JSONValue.object($0) })
        rest.add("detail", detail)
        AuditLine.append(rest, to: &sink)
        sink.append("}\n")
    }

    /// The line of `append(to:)`.
    package var line: [UInt8] {
        var out: [UInt8] = []
        append(to: &out)
        return out
    }
}
