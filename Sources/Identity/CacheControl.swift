/// What is read of `Cache-Control`. (RFC 9111 §5.2.2)
package enum CacheControl {
    /// Seconds of `max-age`; 0 for `no-store` and `no-cache`; nil when neither is said. `private` and the rest do not
    /// matter to one who keeps the answer for itself.
    package static func maxAge(_ field: String?) -> Int64? {
        guard let field else { return nil }
        var age: Int64?
        for part in field.split(separator: ",") {
            let directive = part.filter { $0 != " " && $0 != "\t" && $0 != "\"" }.lowercased()
            if directive == "no-store" || directive == "no-cache" { return 0 }
            guard directive.hasPrefix("max-age="), age == nil else { continue }
            let digits = directive.dropFirst(8)
            guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { continue }
            age = Int64(digits) ?? .max
        }
        return age
    }
}
