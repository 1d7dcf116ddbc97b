import Bytes
import Contracts
import Events
import JSON
import Policy
import Store

/// `event.read`: the event log as a feed that is pulled. The gateway answers the same endpoint as server-sent events.
struct ReadEvents: ReadService {
    let operation = "event.read"
    let endpoints: Set = ["feed"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let feed = try EventFeed(request)
        var cursor = try await feed.start(after: request.text("after"), since: request.text("since"))
        let limit = min(max(request.int("limit") ?? 100, 1), EventFeed.limitMax)
        let host = request.call.world.host
        let end = host.monotonic + .seconds(Int64(min(max(request.int("wait") ?? 0, 0), EventFeed.waitMax)))
        while true {
            let page = try await feed.page(after: cursor, limit: limit)
            cursor = page.cursor
            let left = end - host.monotonic
            if page.events.isEmpty, !page.hasMore, left > 0 {
                await feed.wait(after: cursor, for: left, host)
                continue
            }
            return ReadResult(
                json: [
                    "events": .array(page.events.map { CloudEvent($0).json }), "cursor": .string(String(cursor)),
                    "has_more": .bool(page.hasMore),
                ], records: [], resource: Resource(), decision: nil)
        }
    }
}

extension EventFeed {
    /// The feed that a request asks for.
    init(_ request: ReadRequest) throws(ServiceStop) {
        guard let patterns = [EventPattern](list: request.text("type") ?? "") else {
            throw .invalid(
                Violation(.query("type"), "names events, such as production-order.released or production-order.*"))
        }
        let permits = request.call.permits
        self.init(request.ledger, patterns: patterns) { permits?($0, $1).eventMask }
    }
}
