import Bytes
import Documents
import Policy

extension ConfigurationReader {
    /// Most limits that one request may be counted by.
    static let limitsPerRequestMax = 8

    /// `policies: DIRECTORY`, or `policies: {directory: …, verify: KEY}`.
    mutating func readPolicies(_ map: DocumentMapping) {
        guard let value = map.optional("policies") else { return }
        guard case .mapping = value.node.content else {
            result.policies = value.string() ?? result.policies
            return
        }
        section(map, "policies") { policies in
            result.policies = policies.string("directory", default: result.policies)
            result.policyKey = policies.string("verify")
        }
    }

    /// The limits of a file of their own, each with its place.
    static func limits(text: String, file: String) -> ([(LimitEntry, DocumentMark)], DocumentReader) {
        var this = ConfigurationReader(file: file, environment: [:])
        let reader = this.reader
        var marks: [DocumentMark] = []
        reader.read(text, file: file) { map in
            this.readLimits(map)
            marks = map.list("limits", minCount: 1) { $0.mark }
        }
        return (zip(this.result.limits, marks).map { ($0, $1) }, reader)
    }

    mutating func readLimits(_ map: DocumentMapping) {
        result.limits = entries(map, "limits", what: "limit") { entry, name in
            let key = entry.required("key")?.choice(LimitEntry.Key.self, what: "key") ?? .subject
            let quota = entry.requiredInt("quota", in: 1...1_000_000_000)
            let window = entry.required("window").flatMap { value -> Nanoseconds? in
                guard let window = value.duration(in: .seconds(1) ... .hours(24 * 366)) else { return nil }
                if window % .seconds(1) == 0 { return window }
                value.report("a window is whole seconds")
                return nil
            }
            var limit = LimitEntry(name: name, key: key, quota: quota, window: window ?? .seconds(1))
            limit.burst = entry.int("burst", in: 1...1_000_000_000)
            limit.roles = entry.list("roles") { Self.name($0) }
            limit.operations = entry.list("operations") { Self.pattern($0) }
            return limit
        }
        if let most = Self.mostLimitsOfOneRequest(result.limits), most.count > Self.limitsPerRequestMax {
            map.optional("limits")?.report(
                "\(most.count) limits would count a request for \(most.operation); at most "
                    + "\(Self.limitsPerRequestMax) may")
        }
    }

    /// The operation that the most limits count, and how many. Roles are not looked at: a caller may have them all.
    static func mostLimitsOfOneRequest(_ limits: [LimitEntry]) -> (count: Int, operation: String)? {
        // What any pattern can tell apart: each name, each noun's other operations, and everything else.
        var samples: Set<String> = ["any operation"]
        for pattern in limits.flatMap(\.operations) {
            samples.insert(pattern == "*" ? "any operation" : pattern)
        }
        return samples.sorted()
            .map { sample in
                let count = limits.count { limit in
                    limit.operations.isEmpty
                        || limit.operations.contains { pattern in
                            pattern == "*" || pattern == sample
                                || pattern.hasSuffix("*") && sample.hasPrefix(pattern.dropLast())
                        }
                }
                return (count, sample)
            }
            .max { $0.0 < $1.0 }
    }

    /// `*`, `production-order.*` or `production-order.confirm`.
    private static func pattern(_ value: DocumentValue) -> String? {
        guard let text = value.string() else { return nil }
        if isPattern(text) || RPCOperation.isPattern(text) { return text }
        value.report("expected an operation, 'production-order.*' or \"*\", not '\(Suggestion.shortened(text))'")
        return nil
    }

    static func isPattern(_ text: String) -> Bool {
        if text == "*" { return true }
        let halves = text.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count == 2, text.utf8.count <= 80 else { return false }
        func isWord(_ word: Substring) -> Bool {
            !word.isEmpty && word.utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 48 < 10 || $0 == 45 || $0 == 95 }
        }
        return isWord(halves[0]) && (halves[1] == "*" || isWord(halves[1]))
    }
}
