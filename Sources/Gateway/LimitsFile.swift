import Documents
import Policy

/// Reads `limits/*.yaml` of a bundle: limits as the configuration has them, kept with the rules by the same people.
enum LimitsFile {
    /// - Throws: everything that is wrong, roles and operations that the policy does not know included.
    static func read(
        _ files: [(path: String, text: String)], policy: PolicySet
    ) throws(DocumentErrors) -> [LimitEntry] {
        var entries: [LimitEntry] = []
        var errors: [DocumentError] = []
        for (path, text) in files {
            let (found, reader) = ConfigurationReader.limits(text: text, file: path)
            errors += reader.errors
            for (entry, mark) in found {
                if entries.contains(where: { $0.name == entry.name }) {
                    errors.append(DocumentError(mark, "a second limit '\(entry.name)'"))
                }
                entries.append(entry)
                let roles = policy.roles.map(\.name)
                for role in entry.roles where !roles.contains(role) {
                    errors.append(
                        DocumentError(mark, "unknown role '\(role)'" + Suggestion.clause(for: role, among: roles)))
                }
                for pattern in entry.operations where pattern != "*" && !RPCOperation.isOperation(pattern) {
                    let isKnown =
                        pattern.hasSuffix(".*")
                        ? policy.operations.contains { $0.hasPrefix(pattern.dropLast()) }
                        : policy.operations.contains(pattern)
                    if isKnown { continue }
                    errors.append(
                        DocumentError(
                            mark,
                            "unknown operation '\(pattern)'" + Suggestion.clause(for: pattern, among: policy.operations)
                        ))
                }
            }
        }
        guard errors.isEmpty else { throw DocumentErrors(errors) }
        return entries
    }
}
