/// Text of callers in fields that Odoo takes as HTML.
package enum OdooHTML {
    /// One paragraph for each line.
    package static func paragraphs(_ lines: [String]) -> String {
        lines.map { "<p>" + escaped($0) + "</p>" }.joined()
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
