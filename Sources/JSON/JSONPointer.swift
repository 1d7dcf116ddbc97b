/// JSON Pointer text (RFC 6901).
package enum JSONPointer {
    /// `pointer` with one more reference token, in which `~` and `/` are escaped.
    package static func appending(_ token: String, to pointer: String) -> String {
        var result = pointer + "/"
        for scalar in token.unicodeScalars {
            switch scalar {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    package static func appending(_ index: Int, to pointer: String) -> String { pointer + "/" + String(index) }
}
