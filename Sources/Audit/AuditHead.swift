import Bytes
import JSON

/// Where the log ends, authenticated: without it, a log whose last entries were cut off would still be a good chain.
///
/// The file has two slots of 512 bytes, each a line of JSON padded with spaces, written in turn: a write that is torn by
/// a power failure leaves the other slot. The head is written after the lines it speaks of are on disk, so that a crash
/// between the two leaves a log that is ahead of its head, never behind.
package struct AuditHead: Sendable, Equatable {
    /// Bytes of one slot: a disk sector, which is written whole or not at all.
    package static let slotBytes = 512
    /// Bytes of the file.
    package static let fileBytes = 2 * slotBytes

    /// Counts the writes of the head from 1. Even ones go to the second slot.
    package var generation: Int
    /// Segment that holds the last line.
    package var segment: Int
    /// Number of the last line and its link.
    package var chain: AuditChain
    package var time: WallInstant

    private static let domain: StaticString = "millgate audit head 1"

    package init(generation: Int, segment: Int, chain: AuditChain, time: WallInstant) {
        self.generation = generation
        self.segment = segment
        self.chain = chain
        self.time = time
    }

    /// Offset of the slot in the file.
    package var offset: Int { generation % 2 == 1 ? 0 : Self.slotBytes }

    /// The 512 bytes of the slot.
    package func bytes(key: AuditKey) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(Self.slotBytes)
        out.append("{\"generation\":")
        out.append(decimal: generation)
        out.append(",\"segment\":")
        out.append(decimal: segment)
        out.append(",\"seq\":")
        out.append(decimal: chain.sequence)
        out.append(",\"chain\":\"")
        chain.link.appendText(to: &out)
        out.append("\",\"time\":\"")
        time.appendRFC3339(to: &out)
        out.append("\",\"key\":\"")
        out.append(text: key.id)
        out.append("\"")
        let mac = key.mac(Self.domain, link: chain.link, out.span)
        out.append(",\"mac\":\"")
        mac.appendText(to: &out)
        out.append("\"}")
        while out.count < Self.slotBytes - 1 { out.append(UInt8(ascii: " ")) }
        out.append(10)
        return out
    }

    /// What a head file says.
    package enum Reading: Sendable, Equatable {
        /// No file.
        case missing
        /// Neither slot holds a head made with one of the keys.
        case damaged
        /// The newer head. `torn`: the other slot is neither empty nor a head, as a power failure may leave it.
        case head(AuditHead, torn: Bool)
    }

    /// - Parameter keys: those accepted; with none, MACs are not checked.
    package static func read(_ file: [UInt8]?, keys: [AuditKey]) -> Reading {
        guard let file else { return .missing }
        guard file.count == fileBytes else { return .damaged }
        let slots = [Array(file[..<slotBytes]), Array(file[slotBytes...])]
        let heads = slots.map { slot($0, keys: keys) }
        guard let newest = heads.compactMap(\.self).max(by: { $0.generation < $1.generation }) else { return .damaged }
        let torn = zip(slots, heads).contains { slot, head in head == nil && slot.contains { $0 != 0 } }
        return .head(newest, torn: torn)
    }

    private static func slot(_ bytes: [UInt8], keys: [AuditKey]) -> AuditHead? {
        guard let close = bytes.lastIndex(of: UInt8(ascii: "}")), close >= AuditSegment.macTail,
            let json = try? JSONValue.parse(Array(bytes[...close])), let generation = json["generation"]?.int,
            let segment = json["segment"]?.int, let sequence = json["seq"]?.int,
            let linkText = json["chain"]?.string, let link = AuditDigest(text: linkText.utf8.span),
            let time = json["time"]?.string.flatMap({ WallInstant($0) }),
            let macText = json["mac"]?.string, let mac = AuditDigest(text: macText.utf8.span),
            generation > 0, segment > 0 || sequence == 0, sequence >= 0
        else { return nil }
        let head = AuditHead(
            generation: generation, segment: segment, chain: AuditChain(sequence: sequence, link: link), time: time)
        if keys.isEmpty { return head }
        guard let key = keys.first(where: { $0.id == json["key"]?.string }) else { return nil }
        let made = key.mac(domain, link: link, bytes.span.extracting(0..<close - AuditSegment.macTail))
        // Written again, it must be the same bytes: nothing may hide in the padding or in a second spelling.
        return made.bytes.span.equalsInConstantTime(mac.bytes.span) && head.bytes(key: key) == bytes ? head : nil
    }
}
