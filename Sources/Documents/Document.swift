import Yams

/// Reads YAML text into nodes.
package enum Document {
    /// The root of the document. A document without content is an empty mapping.
    ///
    /// - Throws: the first error of syntax, or all uses of what we do not accept.
    package static func parse(_ text: String, file: String) throws(DocumentErrors) -> DocumentNode {
        let start = DocumentMark(file: file, line: 1, column: 1)
        if text.utf8.count > DocumentLimits.bytesMax {
            throw DocumentErrors([DocumentError(start, "longer than \(DocumentLimits.bytesMax) bytes")])
        }
        if let alias = AliasScan.firstAlias(in: text, file: file) {
            throw DocumentErrors([DocumentError(alias, "aliases are not supported")])
        }
        // Yams keeps a pointer into the string's storage, and a string of up to 15 bytes has none.
        let stored = text.utf8.count < 16 ? text + "\n################" : text
        do {
            let parser = try Yams.Parser(yaml: stored, resolver: .basic, constructor: .default, encoding: .utf8)
            // The parser owns the anchors; nodes point to them weakly.
            return try withExtendedLifetime(parser) {
                guard let root = try parser.singleRoot() else {
                    return DocumentNode(mark: start, content: .mapping([]))
                }
                var conversion = Conversion(file: file)
                let node = conversion.convert(root, depth: 1, after: start)
                if !conversion.errors.isEmpty { throw DocumentErrors(conversion.errors) }
                if node.isNull { return DocumentNode(mark: start, content: .mapping([])) }
                return node
            }
        } catch let errors as DocumentErrors {
            throw errors
        } catch let error as YamlError {
            throw DocumentErrors([describe(error, text: text, file: file)])
        } catch {
            throw DocumentErrors([DocumentError(start, "not readable as YAML")])
        }
    }

    /// A parser's error in one line.
    private static func describe(_ error: YamlError, text: String, file: String) -> DocumentError {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // Inside the text: a short one was made longer.
        func at(_ mark: Yams.Mark) -> DocumentMark {
            if mark.line <= lines.count { return DocumentMark(file: file, line: mark.line, column: mark.column) }
            return DocumentMark(file: file, line: lines.count, column: (lines.last?.unicodeScalars.count ?? 0) + 1)
        }
        func sentence(_ context: YamlError.Context?, _ problem: String) -> String {
            guard let context, !context.text.isEmpty else { return problem }
            return "\(context.text): \(problem)"
        }
        switch error {
        case .scanner(let context?, _, let mark, _) where context.text == "while scanning an alias":
            return DocumentError(at(mark), "a text that begins with '*' must be quoted")
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            return DocumentError(at(mark), sentence(context, problem))
        case .composer(_, let problem, let mark, _):
            return DocumentError(at(mark), problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            let first = at(context.mark)
            let message = "duplicate key '\(Suggestion.shortened(key))'"
            guard let second = secondPlace(of: key, after: first, in: text) else {
                return DocumentError(first, message)
            }
            return DocumentError(second, message + ", first on line \(first.line)")
        case .reader(let problem, let offset, _, let yaml):
            var line = 1
            var column = 1
            for character in yaml.prefix(offset ?? 0) {
                if character.isNewline {
                    line += 1
                    column = 1
                } else {
                    column += character.unicodeScalars.count
                }
            }
            return DocumentError(file: file, line: line, column: column, message: problem)
        default:
            return DocumentError(file: file, line: 1, column: 1, message: "not readable as YAML")
        }
    }

    /// Where a key of a block mapping stands again: below its first place, in the same column. Yams tells only one.
    private static func secondPlace(of key: String, after first: DocumentMark, in text: String) -> DocumentMark? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(first.line)
        for (number, line) in lines.enumerated() {
            let scalars = line.unicodeScalars
            guard scalars.prefix(first.column - 1).allSatisfy({ $0 == " " }) else { continue }
            let rest = String(String.UnicodeScalarView(scalars.dropFirst(first.column - 1)))
            let forms = [key + ":", "\"\(key)\":", "'\(key)':"]
            guard forms.contains(where: rest.hasPrefix) else { continue }
            return DocumentMark(file: first.file, line: first.line + number + 1, column: first.column)
        }
        return nil
    }
}

/// Turns Yams' nodes into ours and refuses what we do not accept.
private struct Conversion {
    let file: String
    var errors: [DocumentError] = []

    init(file: String) { self.file = file }

    mutating func convert(_ node: Yams.Node, depth: Int, after: DocumentMark, isKey: Bool = false) -> DocumentNode {
        let mark = node.mark.map { DocumentMark(file: file, line: $0.line, column: $0.column) } ?? after
        if node.anchor != nil { report("anchors are not supported", mark) }
        if depth > DocumentLimits.depthMax {
            report("nested deeper than \(DocumentLimits.depthMax)", mark)
            return DocumentNode(mark: mark, content: .sequence([]))
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain
            // Quoted scalars carry the string tag by themselves, and so do keys once Yams has compared them.
            let tag = scalar.tag.rawValue
            let isTagged = !tag.isEmpty && (tag != Yams.Tag.Name.str.rawValue || isPlain && !isKey)
            if isTagged { report("tags are not supported", mark) }
            return DocumentNode(mark: mark, content: .scalar(scalar.string, isPlain: isPlain))
        case .sequence(let sequence):
            checkTag(sequence.tag, Yams.Tag.Name.seq, mark)
            return DocumentNode(
                mark: mark, content: .sequence(sequence.map { convert($0, depth: depth + 1, after: mark) }))
        case .mapping(let mapping):
            checkTag(mapping.tag, Yams.Tag.Name.map, mark)
            var members: [(key: DocumentNode, value: DocumentNode)] = []
            for (key, value) in mapping {
                guard case .scalar = key else {
                    let place = key.mark.map { DocumentMark(file: file, line: $0.line, column: $0.column) }
                    report("a key must be plain text", place ?? mark)
                    continue
                }
                let name = convert(key, depth: depth + 1, after: mark, isKey: true)
                members.append((name, convert(value, depth: depth + 1, after: name.mark)))
            }
            return DocumentNode(mark: mark, content: .mapping(members))
        case .alias:
            report("aliases are not supported", mark)
            return DocumentNode(mark: mark, content: .scalar("", isPlain: true))
        }
    }

    private mutating func checkTag(_ tag: Yams.Tag, _ usual: Yams.Tag.Name, _ mark: DocumentMark) {
        if !tag.rawValue.isEmpty, tag.rawValue != usual.rawValue { report("tags are not supported", mark) }
    }

    private mutating func report(_ message: String, _ mark: DocumentMark) {
        if errors.count < DocumentLimits.errorsMax { errors.append(DocumentError(mark, message)) }
    }
}

extension Yams.Node {
    fileprivate var anchor: Yams.Anchor? {
        switch self {
        case .scalar(let scalar): scalar.anchor
        case .sequence(let sequence): sequence.anchor
        case .mapping(let mapping): mapping.anchor
        case .alias: nil
        }
    }
}
