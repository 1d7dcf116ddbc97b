import Bytes
import Documents

/// The files of a policy by what they are, in a fixed order.
struct PolicyFiles {
    struct File {
        /// As given, for errors.
        let path: String
        /// `roles.yaml`, `bundle.yaml` or `access/NAME.yaml`, wherever the folder is: for the digest.
        let name: String
        let text: String
    }

    private(set) var roles: File?
    private(set) var bundle: File?
    private(set) var access: [File] = []

    init(_ files: [(path: String, text: String)], reader: DocumentReader) {
        for (path, text) in files.sorted(by: { $0.path < $1.path }) {
            let parts = path.split(separator: "/")
            let isAccess = parts.dropLast().last == "access"
            guard let last = parts.last, last.hasSuffix(".yaml"),
                isAccess || last == "roles.yaml" || last == "bundle.yaml"
            else {
                Self.report("not a policy file; expected roles.yaml, bundle.yaml or access/NAME.yaml", path, reader)
                continue
            }
            let file = File(path: path, name: isAccess ? "access/\(last)" : String(last), text: text)
            if isAccess {
                if access.contains(where: { $0.name == file.name }) { Self.report("given twice", path, reader) }
                access.append(file)
            } else if last == "bundle.yaml" {
                if bundle != nil { Self.report("a second bundle.yaml", path, reader) }
                bundle = file
            } else {
                if roles != nil { Self.report("a second roles.yaml", path, reader) }
                roles = file
            }
        }
        if roles == nil { Self.report("missing: it says who has which role", "roles.yaml", reader) }
        if access.isEmpty { Self.report("no access files: nothing would be allowed", "access", reader) }
    }

    /// Each name and text with its length, so that no two sets of files give the same bytes.
    var digestInput: [UInt8] {
        var out: [UInt8] = []
        for file in [roles, bundle].compactMap(\.self) + access.sorted(by: { $0.name < $1.name }) {
            for part in [file.name, file.text] {
                out.append(decimal: part.utf8.count)
                out.append(UInt8(ascii: ":"))
                out += part.utf8
            }
        }
        return out
    }

    private static func report(_ message: String, _ path: String, _ reader: DocumentReader) {
        reader.report(message, at: DocumentMark(file: path, line: 1, column: 1))
    }
}

/// Names that people invent: role names and rule ids.
enum PolicyName {
    /// Longest name, in bytes.
    static let bytesMax = 64

    /// Lower-case letters, digits, `-`, `.` and `_`, beginning with a letter: safe in logs, fields and metrics.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, first >= 97, first <= 122, name.utf8.count <= bytesMax else { return false }
        return name.utf8.allSatisfy {
            switch $0 {
            case 97...122, 48...57, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    static let rule = "lower-case letters, digits, '-', '.' and '_', beginning with a letter, at most \(bytesMax)"
}
