import Documents

/// What holds for all rules of a policy: `bundle.yaml`.
package struct BundleSettings: Sendable, Hashable {
    /// In observe mode nothing is refused by the policy; what would be is counted and written down. Default enforce.
    package var mode = Rule.Mode.enforce
    /// What a refused caller is told where its rule does not say. Default `rule`.
    package var disclosure = Disclosure.rule
    /// For people: in logs and reports.
    package var name = ""

    static func read(_ files: PolicyFiles, reader: DocumentReader) -> BundleSettings {
        var settings = BundleSettings()
        guard let file = files.bundle else { return settings }
        reader.read(file.text, file: file.path) { map in
            settings.name = map.string("name", default: "")
            settings.mode = map.optional("mode")?.choice(Rule.Mode.self, what: "mode") ?? .enforce
            settings.disclosure =
                map.optional("disclosure")?.choice(Disclosure.self, what: "disclosure") ?? .rule
        }
        return settings
    }
}
