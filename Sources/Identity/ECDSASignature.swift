/// The two forms of an ECDSA signature: JWS has `r` and `s` side by side, each as long as a coordinate (RFC 7518 §3.4),
/// OpenSSL wants and gives a DER `SEQUENCE` of two `INTEGER`s (RFC 3279 §2.2.3).
enum ECDSASignature {
    /// DER of a raw signature. Nil unless it has exactly the length for the curve and neither half is zero: a verifier
    /// that forgot the zero check once accepted a blank signature for everything (CVE-2022-21449).
    static func der(raw: [UInt8], curve: EllipticCurve) -> [UInt8]? {
        let size = curve.coordinateBytes
        guard raw.count == size * 2 else { return nil }
        let r = raw[..<size].drop { $0 == 0 }
        let s = raw[size...].drop { $0 == 0 }
        guard let rTop = r.first, let sTop = s.first else { return nil }
        let rCount = r.count + (rTop >= 0x80 ? 1 : 0)
        let sCount = s.count + (sTop >= 0x80 ? 1 : 0)
        let length = rCount + sCount + 4
        var out: [UInt8] = []
        out.reserveCapacity(length + 3)
        out.append(0x30)
        // At most 2 × 69 bytes: one length byte, or 0x81 and one.
        if length >= 0x80 { out.append(0x81) }
        out.append(UInt8(length))
        for (half, count, top) in [(r, rCount, rTop), (s, sCount, sTop)] {
            out.append(0x02)
            out.append(UInt8(count))
            if top >= 0x80 { out.append(0) }
            out.append(contentsOf: half)
        }
        return out
    }

    /// The raw form of a DER signature; nil when it is not one for the curve.
    static func raw(der: [UInt8], curve: EllipticCurve) -> [UInt8]? {
        var rest = der[...]
        guard rest.popFirst() == 0x30, var length = rest.popFirst() else { return nil }
        if length == 0x81 {
            guard let long = rest.popFirst() else { return nil }
            length = long
        }
        guard rest.count == Int(length) else { return nil }
        var out: [UInt8] = []
        for _ in 0..<2 {
            guard rest.popFirst() == 0x02, let count = rest.popFirst(), rest.count >= Int(count) else { return nil }
            let half = rest.prefix(Int(count)).drop { $0 == 0 }
            rest = rest.dropFirst(Int(count))
            guard half.count <= curve.coordinateBytes else { return nil }
            out += Array(repeating: 0, count: curve.coordinateBytes - half.count) + half
        }
        return rest.isEmpty ? out : nil
    }
}
