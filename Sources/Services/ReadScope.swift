import Bytes
import Contracts
import JSON
import Odoo
import Synchronization

/// The reads of one governed read: for which operation, how old an answer may be, and how old one was.
final class ReadScope: Sendable {
    let cache: ReadCache
    let operation: String
    let models: [String]
    let freshness: Nanoseconds
    private let oldest = Mutex<Nanoseconds>(0)

    /// - Parameter ageMax: what the caller accepts, `Cache-Control: max-age`; nil for what the contract says.
    init(_ cache: ReadCache, _ contract: Contract, ageMax: Nanoseconds?) {
        self.cache = cache
        operation = contract.operation
        models = contract.odoo.map(\.model)
        freshness = min(contract.freshness ?? 0, ageMax ?? .max)
    }

    private init(joining other: ReadScope) {
        cache = other.cache
        operation = other.operation
        models = other.models
        freshness = 0
    }

    /// Joins what is in flight, and takes nothing that is held: for who keeps what was read for a time of its own.
    var joining: ReadScope { ReadScope(joining: self) }

    /// Of the oldest answer that was used.
    var age: Nanoseconds { oldest.withLock { $0 } }

    func read(
        _ call: OdooCall, _ odoo: OdooSession, deadline: MonotonicInstant?,
        _ perform: () async throws(OdooError) -> JSONValue?
    ) async throws(OdooError) -> JSONValue? {
        let host = odoo.world.host
        let answer = try await cache.read(
            ReadCache.Key(operation: operation, call: call), models: models, freshness: freshness,
            admission: odoo.admission, deadline: deadline, now: { host.monotonic }, perform)
        if answer.age > 0 { oldest.withLock { $0 = max($0, answer.age) } }
        return answer.value
    }
}

/// What a write makes unusable of what was read before.
struct WriteScope: Sendable {
    let cache: ReadCache
    /// Nil for every model.
    let models: [String]?

    func invalidate() { cache.invalidate(models) }
}

/// `Cache-Control` of a request, as far as a cache that is not the caller's own heeds it. (RFC 9111 §5.2.1)
enum CacheDirectives {
    /// How old an answer may be; nil for any. `no-cache` and `no-store` ask for one of Odoo's own.
    static func ageMax(_ field: String?) -> Nanoseconds? {
        guard let field else { return nil }
        var ageMax: Nanoseconds?
        for part in field.lowercased().split(separator: ",") {
            let words = part.split(separator: "=", maxSplits: 1).map {
                $0.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
            }
            switch words.first {
            case "no-cache", "no-store": return 0
            case "max-age":
                guard words.count == 2, let seconds = Int64(words[1]), seconds >= 0 else { return 0 }
                ageMax = .seconds(min(seconds, 86_400))
            default: break
            }
        }
        return ageMax
    }
}

extension ServiceAnswer {
    /// Says how long the answer is fresh: for the caller's own cache, and for no other's. (RFC 9111 §5.1, §5.2.2)
    mutating func addFreshness(of contract: Contract, age: Nanoseconds) {
        guard let freshness = contract.freshness else {
            fields.append(("Cache-Control", "private, no-cache"))
            return
        }
        fields.append(("Cache-Control", "private, max-age=\(freshness / 1_000_000_000)"))
        fields.append(("Vary", "Authorization"))
        if age > 0 { fields.append(("Age", String((age + 999_999_999) / 1_000_000_000))) }
    }
}
