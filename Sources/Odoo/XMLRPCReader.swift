import Bytes
import JSON

/// Why a text is no XML-RPC call.
package struct XMLRPCError: Error, Sendable, Hashable {
    package let message: String
    /// Of the body, from 0.
    package let offset: Int
}

/// Reads an XML-RPC call (http://xmlrpc.com/spec.md) as values.
///
/// An own reader of the few kinds of element that the protocol has, not a library for XML: there is no DTD to refuse
/// too late, no entity to expand, no name space, attribute, comment or processing instruction. What the protocol does
/// not need is an error. Bounded in depth and number of values; texts are bounded by the body.
package struct XMLRPCReader {
    /// Deepest nesting of arrays and structs.
    package static let depthMax = RPCReader.depthMax
    /// Most values of one call. Default 200,000: a `load` of 10,000 rows with 20 columns.
    package static let valuesMax = 200_000

    private let bytes: [UInt8]
    private var place = 0
    private var values = 0

    package static func methodCall(_ bytes: [UInt8]) throws(XMLRPCError) -> (method: String, arguments: [JSONValue]) {
        var reader = XMLRPCReader(bytes)
        return try reader.methodCall()
    }

    /// The value of an answer, or its fault's code and text: for tests and for servers that speak nothing else.
    package static func methodResponse(_ bytes: [UInt8]) throws(XMLRPCError) -> JSONValue {
        var reader = XMLRPCReader(bytes)
        return try reader.methodResponse()
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func error(_ message: String) -> XMLRPCError { XMLRPCError(message: message, offset: place) }

    // MARK: The message

    private mutating func methodCall() throws(XMLRPCError) -> (String, [JSONValue]) {
        try prolog()
        try open("methodCall")
        try open("methodName")
        let method = try text(until: "methodName")
        guard !method.isEmpty, method.utf8.count <= 255 else {
            throw error("the method has no name, or too long a one")
        }
        var arguments: [JSONValue] = []
        skipSpace()
        if takeOpen("params") {
            skipSpace()
            while takeOpen("param") {
                arguments.append(try value(depth: 1))
                try close("param")
                skipSpace()
            }
            try close("params")
        } else if takeEmpty("params") {
            arguments = []
        }
        try close("methodCall")
        skipSpace()
        guard place == bytes.count else { throw error("something follows the call") }
        return (method, arguments)
    }

    private mutating func methodResponse() throws(XMLRPCError) -> JSONValue {
        try prolog()
        try open("methodResponse")
        skipSpace()
        let result: JSONValue
        if takeOpen("fault") {
            result = ["fault": try value(depth: 1)]
            try close("fault")
        } else {
            try open("params")
            try open("param")
            result = try value(depth: 1)
            try close("param")
            try close("params")
        }
        try close("methodResponse")
        return result
    }

    /// An optional XML declaration; only UTF-8, which ASCII is.
    private mutating func prolog() throws(XMLRPCError) {
        if starts(with: [0xEF, 0xBB, 0xBF]) { place += 3 }
        if starts(with: Array("<?xml".utf8)) {
            guard let end = bytes[place...].firstIndex(of: UInt8(ascii: ">")), end < place + 200,
                bytes[end - 1] == UInt8(ascii: "?")
            else { throw error("the XML declaration does not end") }
            let declaration = String(decoding: bytes[place..<end], as: UTF8.self).lowercased()
            if let encoding = declaration.firstRange(of: "encoding") {
                let rest = declaration[encoding.upperBound...]
                guard ["utf-8", "utf8", "us-ascii", "ascii"].contains(where: rest.contains) else {
                    throw error("only UTF-8 is read")
                }
            }
            place = end + 1
        }
        skipSpace()
        if starts(with: Array("<!".utf8)) { throw error("a document type, an entity or a comment is not read") }
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(XMLRPCError) -> JSONValue {
        if depth > Self.depthMax { throw error("values nest deeper than \(Self.depthMax)") }
        values += 1
        if values > Self.valuesMax { throw error("more than \(Self.valuesMax) values") }
        skipSpace()
        if takeEmpty("value") { return .string("") }
        try open("value", skippingSpace: false)
        let start = place
        skipSpace()
        guard starts(with: [UInt8(ascii: "<")]), !starts(with: Array("</".utf8)) else {
            // Without a type it is a text, spaces and all.
            place = start
            return .string(try text(until: "value"))
        }
        let result = try typed(depth: depth)
        try close("value")
        return result
    }

    private mutating func typed(depth: Int) throws(XMLRPCError) -> JSONValue {
        if takeEmpty("nil") || takeEmpty("ex:nil") { return .null }
        if takeEmpty("string") || takeEmpty("base64") { return .string("") }
        if takeEmpty("struct") { return .object(JSONObject()) }
        if takeOpen("struct") { return .object(try members(depth: depth)) }
        if takeOpen("array") { return .array(try elements(depth: depth)) }
        for name in ["int", "i4", "i8", "string", "boolean", "double", "dateTime.iso8601", "base64", "nil"]
        where takeOpen(name) {
            return try scalar(name, try text(until: name))
        }
        throw error("unknown type of value")
    }

    private mutating func elements(depth: Int) throws(XMLRPCError) -> [JSONValue] {
        var elements: [JSONValue] = []
        skipSpace()
        if !takeEmpty("data") {
            try open("data")
            skipSpace()
            while !takeClose("data") {
                elements.append(try value(depth: depth + 1))
                skipSpace()
            }
        }
        try close("array")
        return elements
    }

    private mutating func members(depth: Int) throws(XMLRPCError) -> JSONObject {
        var members = JSONObject()
        skipSpace()
        while takeOpen("member") {
            try open("name")
            let name = try text(until: "name")
            let value = try value(depth: depth + 1)
            if members.contains(name) { throw error("a member's name occurs twice") }
            members[name] = value
            try close("member")
            skipSpace()
        }
        try close("struct")
        return members
    }

    private func scalar(_ type: String, _ text: String) throws(XMLRPCError) -> JSONValue {
        switch type {
        case "string": return .string(text)
        case "int", "i4", "i8":
            guard let number = Int64(text.trimmedSpaces), type == "i8" || Int32(exactly: number) != nil else {
                throw error("the integer is none, or does not fit")
            }
            return JSONValue(Int(number))
        case "boolean":
            switch text.trimmedSpaces {
            case "1": return .bool(true)
            case "0": return .bool(false)
            default: throw error("a boolean is 0 or 1")
            }
        case "double":
            guard let number = Self.number(text.trimmedSpaces) else { throw error("the double is none") }
            return .number(number)
        case "dateTime.iso8601":
            guard let time = Self.time(text.trimmedSpaces) else {
                throw error("expected a time such as 20261125T06:30:00")
            }
            return .string(time)
        // Odoo's binary fields take base64 as text.
        case "base64":
            let digits = text.utf8.filter { ![9, 10, 13, 32].contains($0) }
            let allowed = digits.allSatisfy {
                $0 &- 48 < 10 || $0 &- 65 < 26 || $0 &- 97 < 26 || $0 == 43 || $0 == 47 || $0 == 61
            }
            guard allowed, digits.count % 4 == 0 else { throw error("the base64 is none") }
            return .string(String(decoding: digits, as: UTF8.self))
        default:
            guard text.isEmpty else { throw error("nil holds nothing") }
            return .null
        }
    }

    /// XML-RPC allows `+1`, `1.` and `.5`; JSON does not.
    private static func number(_ text: String) -> JSONNumber? {
        var text = text
        if text.hasPrefix("+") { text.removeFirst() }
        let isNegative = text.hasPrefix("-")
        if isNegative { text.removeFirst() }
        if text.hasPrefix(".") { text = "0" + text }
        if text.hasSuffix(".") { text += "0" }
        while text.count > 1, text.hasPrefix("0"), text.dropFirst().first?.isNumber == true { text.removeFirst() }
        return JSONNumber((isNegative ? "-" : "") + text)
    }

    /// `20261125T06:30:00` as Odoo's `2026-11-25 06:30:00`; with hyphens in the date too.
    private static func time(_ text: String) -> String? {
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let digits = parts[0].filter { $0 != "-" }
        guard digits.count == 8, parts[1].count == 8 else { return nil }
        let date = [digits.prefix(4), digits.dropFirst(4).prefix(2), digits.suffix(2)].map(String.init)
        let odoo = date.joined(separator: "-") + " " + parts[1]
        return WallInstant(odoo) == nil ? nil : odoo
    }

    // MARK: Elements and texts

    private func starts(with text: [UInt8]) -> Bool {
        guard place + text.count <= bytes.count else { return false }
        for i in text.indices where bytes[place + i] != text[i] { return false }
        return true
    }

    private mutating func skipSpace() {
        while place < bytes.count, [9, 10, 13, 32].contains(bytes[place]) { place += 1 }
    }

    /// `<name>`, with spaces before the `>`. An attribute is an error where an element must be.
    private mutating func takeOpen(_ name: String) -> Bool { take(prefix: "<", name, end: ">") }
    private mutating func takeEmpty(_ name: String) -> Bool { take(prefix: "<", name, end: "/>") }
    private mutating func takeClose(_ name: String) -> Bool { take(prefix: "</", name, end: ">") }

    private mutating func take(prefix: String, _ name: String, end: String) -> Bool {
        let start = place
        let opening = Array((prefix + name).utf8)
        guard starts(with: opening) else { return false }
        place += opening.count
        skipSpace()
        let ending = Array(end.utf8)
        guard starts(with: ending) else {
            place = start
            return false
        }
        place += ending.count
        return true
    }

    private mutating func open(_ name: String, skippingSpace: Bool = true) throws(XMLRPCError) {
        if skippingSpace { skipSpace() }
        if !takeOpen(name) { throw error("expected <\(name)>") }
    }

    private mutating func close(_ name: String) throws(XMLRPCError) {
        skipSpace()
        if !takeClose(name) { throw error("expected </\(name)>") }
    }

    /// Up to the end of the element; the five entities of XML and numbers of characters are read.
    private mutating func text(until name: String) throws(XMLRPCError) -> String {
        var out: [UInt8] = []
        while true {
            guard place < bytes.count else { throw error("the text does not end") }
            switch bytes[place] {
            case UInt8(ascii: "<"):
                guard takeClose(name) else { throw error("expected </\(name)>") }
                guard let text = String(validating: out, as: UTF8.self) else { throw error("the text is no UTF-8") }
                return text
            case UInt8(ascii: "&"): try reference(into: &out)
            case 0..<32 where ![9, 10, 13].contains(bytes[place]): throw error("a control character")
            // A line ends by a line feed, however it was sent. (XML 1.0 §2.11)
            case 13:
                out.append(10)
                place += 1
                if place < bytes.count, bytes[place] == 10 { place += 1 }
            default:
                out.append(bytes[place])
                place += 1
            }
        }
    }

    private mutating func reference(into out: inout [UInt8]) throws(XMLRPCError) {
        guard let end = bytes[place...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
            throw error("'&' begins no reference")
        }
        let name = String(decoding: bytes[place + 1..<end], as: UTF8.self)
        switch name {
        case "lt": out.append(UInt8(ascii: "<"))
        case "gt": out.append(UInt8(ascii: ">"))
        case "amp": out.append(UInt8(ascii: "&"))
        case "quot": out.append(UInt8(ascii: "\""))
        case "apos": out.append(UInt8(ascii: "'"))
        default:
            let value: UInt32? =
                name.hasPrefix("#x")
                ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            guard let value, let scalar = Unicode.Scalar(value), value >= 32 || [9, 10, 13].contains(value),
                name.dropFirst().first != "+", value != 0xFFFE, value != 0xFFFF
            else { throw error("'&\(name.prefix(10));' is no reference that is read") }
            out += String(Character(scalar)).utf8
        }
        place = end + 1
    }
}

extension String {
    fileprivate var trimmedSpaces: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
