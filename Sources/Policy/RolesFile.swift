import Documents

/// Reads `roles.yaml`.
enum RolesFile {
    /// Most roles: a `RoleSet` has this many bits.
    static let rolesMax = 64

    static func read(_ files: PolicyFiles, reader: DocumentReader) -> [Role] {
        guard let file = files.roles else { return [] }
        var roles: [Role] = []
        var heirs: [Heir] = []
        reader.read(file.text, file: file.path) { map in
            map.required("roles")?.mapping { (names: DocumentMapping) in
                let entries = names.entries
                if entries.isEmpty { names.report("no roles") }
                if entries.count > rolesMax { names.report("more than \(rolesMax) roles") }
                for (key, name, value) in entries.prefix(rolesMax) {
                    if !PolicyName.isValid(name) {
                        reader.report("role name \(key.kind) must be \(PolicyName.rule)", at: key)
                    }
                    let place = "\(file.name):\(key.mark.line)"
                    value.mapping { role in roles.append(read(role, name: name, place: place, heirs: &heirs)) }
                }
            }
        }
        for heir in heirs { inherit(heir, &roles) }
        return roles
    }

    /// A role that inherits others, which may stand further down.
    private struct Heir {
        let name: String
        let inherited: [(name: String, value: DocumentValue)]
    }

    private static func read(
        _ map: DocumentMapping, name: String, place: String, heirs: inout [Heir]
    ) -> Role {
        let description = map.requiredString("description")
        let isService = map.bool("service", default: false)
        let inherited = map.list("inherits") { value in value.string().map { ($0, value) } }
        if !inherited.isEmpty { heirs.append(Heir(name: name, inherited: inherited)) }
        let conditions = map.required("any")?.list(minCount: 1) { value in
            value.mapping { map -> RoleCondition? in
                let condition = condition(map)
                switch condition {
                case .claimContains, .claimEquals:
                    // Whoever writes claims about people must not be able to make one of them a machine.
                    if isService { map.report("a service role is held by a client_id, subject or certificate") }
                default: break
                }
                return condition
            }
        }
        return Role(
            name: name, description: description, conditions: conditions ?? [], isService: isService, place: place)
    }

    private static func inherit(_ heir: Heir, _ roles: inout [Role]) {
        guard let index = roles.firstIndex(where: { $0.name == heir.name }) else { return }
        for (name, value) in heir.inherited {
            guard let other = roles.firstIndex(where: { $0.name == name }) else {
                value.report(
                    "unknown role \(value.node.kind)" + Suggestion.clause(for: name, among: roles.map(\.name)))
                continue
            }
            let closure = Role.closures(roles)[other]
            if closure >> UInt64(index) & 1 == 1 {
                value.report("'\(heir.name)' and '\(name)' would inherit each other")
            } else {
                roles[index].inherits.append(other)
            }
        }
    }

    private static let forms = ["claim", "client_id", "subject", "certificate"]

    static func condition(_ map: DocumentMapping) -> RoleCondition? {
        let given = forms.filter { map.optional($0) != nil }
        guard given.count == 1 else {
            // A misspelt form is reported as an unknown key already, with what was meant.
            let known = forms + ["contains", "equals", "issuer"]
            if given.count > 1 || map.keys.allSatisfy(known.contains) {
                map.report("exactly one of \(forms.joined(separator: ", ")) is needed")
            }
            _ = (map.optional("contains"), map.optional("equals"), map.optional("issuer"))
            return nil
        }
        switch given[0] {
        case "claim": return claim(map)
        case "client_id": return .client(id: map.requiredString("client_id"), issuer: map.requiredString("issuer"))
        case "subject": return .subject(map.requiredString("subject"), issuer: map.requiredString("issuer"))
        default: return map.mapping("certificate", certificate)
        }
    }

    /// A service account in a rule: by client or by subject, with its issuer.
    static func account(_ map: DocumentMapping) -> RoleCondition? {
        switch (map.optional("client_id"), map.optional("subject")) {
        case (let value?, nil): return .client(id: value.string() ?? "", issuer: map.requiredString("issuer"))
        case (nil, let value?): return .subject(value.string() ?? "", issuer: map.requiredString("issuer"))
        case (nil, nil), (_?, _?):
            map.report("a service account needs either 'client_id' or 'subject'")
            _ = map.optional("issuer")
            return nil
        }
    }

    private static func claim(_ map: DocumentMapping) -> RoleCondition? {
        let claim = map.requiredString("claim")
        let issuer = map.string("issuer")
        switch (map.optional("contains"), map.optional("equals")) {
        case (let value?, nil): return .claimContains(claim: claim, value: value.string() ?? "", issuer: issuer)
        case (nil, let value?): return .claimEquals(claim: claim, value: value.string() ?? "", issuer: issuer)
        case (nil, nil), (_?, _?):
            map.report("a claim needs either 'contains' or 'equals'")
            return nil
        }
    }

    static func certificate(_ map: DocumentMapping) -> RoleCondition? {
        switch (map.optional("thumbprint"), map.optional("subject")) {
        case (let value?, nil):
            // SHA-256 in base64url (RFC 8705 §3.1).
            guard let text = value.string() else { return nil }
            guard text.utf8.count == 43, text.utf8.allSatisfy(isBase64URL) else {
                value.report("a thumbprint is the SHA-256 of the certificate in base64url, 43 characters")
                return nil
            }
            return .certificate(thumbprint: text)
        case (nil, let value?): return .certificateSubject(value.string() ?? "", issuer: map.string("issuer"))
        case (nil, nil), (_?, _?):
            map.report("a certificate needs either 'thumbprint' or 'subject'")
            return nil
        }
    }

    private static func isBase64URL(_ byte: UInt8) -> Bool {
        switch byte {
        case 65...90, 97...122, 48...57, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
