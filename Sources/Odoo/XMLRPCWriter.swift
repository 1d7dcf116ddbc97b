import Bytes
import JSON

/// Writes XML-RPC answers as Odoo does (recordings 225 to 230).
enum XMLRPCWriter {
    static func response(_ value: JSONValue) -> [UInt8] {
        var out = Array("<?xml version=\"1.0\"?>\n<methodResponse>\n<params>\n<param>\n".utf8)
        append(value, to: &out)
        out += "</param>\n</params>\n\n</methodResponse>\n".utf8
        return out
    }

    static func fault(code: JSONValue, text: String) -> [UInt8] {
        var out = Array("<?xml version=\"1.0\"?>\n<methodResponse>\n<fault>\n".utf8)
        append(["faultCode": code, "faultString": .string(text)], to: &out)
        out += "</fault>\n\n</methodResponse>\n".utf8
        return out
    }

    private static func append(_ value: JSONValue, to out: inout [UInt8]) {
        out += "<value>".utf8
        switch value {
        // Odoo cannot write nothing and answers a fault, although the work is done (recording 227). An empty value is
        // `false` everywhere else in Odoo.
        case .null: out += "<boolean>0</boolean>".utf8
        case .bool(let flag): out += (flag ? "<boolean>1</boolean>" : "<boolean>0</boolean>").utf8
        case .number(let number): append(number, to: &out)
        case .string(let text):
            out += "<string>".utf8
            append(text, to: &out)
            out += "</string>".utf8
        case .array(let elements):
            out += "<array><data>\n".utf8
            for element in elements { append(element, to: &out) }
            out += "</data></array>".utf8
        case .object(let object):
            out += "<struct>\n".utf8
            for (name, member) in object.members {
                out += "<member>\n<name>".utf8
                append(name, to: &out)
                out += "</name>\n".utf8
                append(member, to: &out)
                out += "</member>\n".utf8
            }
            out += "</struct>".utf8
        }
        out += "</value>\n".utf8
    }

    /// An integer of 32 bits, else a double; `1.0` stays one.
    private static func append(_ number: JSONNumber, to out: inout [UInt8]) {
        if Int32(number.text) != nil {
            out += "<int>\(number.text)</int>".utf8
        } else if Int64(number.text) != nil {
            // Beyond what the protocol knows; readers that know it take this extension.
            out += "<i8>\(number.text)</i8>".utf8
        } else {
            out += "<double>\(number.text)</double>".utf8
        }
    }

    /// Control characters are left out, as Odoo does: XML cannot hold them.
    private static func append(_ text: String, to out: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): out += "&amp;".utf8
            case UInt8(ascii: "<"): out += "&lt;".utf8
            case UInt8(ascii: ">"): out += "&gt;".utf8
            case 0..<32 where byte != 9 && byte != 10 && byte != 13: break
            case 13: out += "&#13;".utf8
            default: out.append(byte)
            }
        }
    }
}
