import Bytes
import JSON

/// The files of a log: `audit-00000001.jsonl` and so on. Each begins with a header line and, once closed, ends with a
/// seal. Both are lines of the chain and carry a MAC over the link before them and their own bytes before `,"mac":`.
package enum AuditSegment {
    /// Version of the format that headers name. A reader refuses what it does not know.
    package static let format = 1
    /// Name of the file with the `AuditHead`.
    package static let headFileName = "audit.head"

    static let headerStart: StaticString = "{\"kind\":\"segment\","
    static let sealStart: StaticString = "{\"kind\":\"seal\","
    static let headerDomain: StaticString = "millgate audit segment 1"
    static let sealDomain: StaticString = "millgate audit seal 1"
    /// `,"mac":"`, 43 characters, `"`.
    static let macTail = 8 + AuditDigest.textCount + 1

    /// Name of the file of segment `number`, which is at least 1.
    package static func fileName(_ number: Int) -> String {
        let digits = String(number)
        return "audit-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".jsonl"
    }

    /// The number in a segment's file name; nil when the name is none.
    package static func number(ofFileName name: String) -> Int? {
        guard name.hasPrefix("audit-"), name.hasSuffix(".jsonl"),
            let number = Int(name.dropFirst(6).dropLast(6)), number > 0, fileName(number) == name
        else { return nil }
        return number
    }

    /// The header of segment `number`, as an object to be chained after `chain`.
    package static func header(_ number: Int, after chain: AuditChain, time: WallInstant, key: AuditKey) -> [UInt8] {
        var out: [UInt8] = []
        out.append(headerStart)
        out.append("\"format\":")
        out.append(decimal: format)
        out.append(",\"segment\":")
        out.append(decimal: number)
        out.append(",\"time\":\"")
        time.appendRFC3339(to: &out)
        out.append("\",\"previous\":\"")
        chain.link.appendText(to: &out)
        out.append("\",\"key\":\"")
        out.append(text: key.id)
        out.append("\"")
        return closed(out, domain: headerDomain, link: chain.link, key: key)
    }

    /// The seal of segment `number` with `lines` lines before the seal.
    package static func seal(
        _ number: Int, lines: Int, after chain: AuditChain, time: WallInstant, key: AuditKey
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.append(sealStart)
        out.append("\"segment\":")
        out.append(decimal: number)
        out.append(",\"time\":\"")
        time.appendRFC3339(to: &out)
        out.append("\",\"lines\":")
        out.append(decimal: lines)
        out.append(",\"key\":\"")
        out.append(text: key.id)
        out.append("\"")
        return closed(out, domain: sealDomain, link: chain.link, key: key)
    }

    private static func closed(
        _ object: [UInt8], domain: StaticString, link: AuditDigest, key: AuditKey
    ) -> [UInt8] {
        var out = object
        let mac = key.mac(domain, link: link, object.span)
        out.append(",\"mac\":\"")
        mac.appendText(to: &out)
        out.append("\"}")
        return out
    }
}
