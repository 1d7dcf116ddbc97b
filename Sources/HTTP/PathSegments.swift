import Bytes

/// The decoded segments of a path, for governed routes: `/v1/production-orders/WH%20MO%2012` is three.
package enum PathSegments {
    /// Most segments. More are refused.
    package static let segmentsMax = 32

    /// - Parameter path: in origin-form, without the query.
    /// - Returns: nil where the path does not begin with `/`, where a segment is empty (but for one trailing `/`), is `.` or
    ///   `..`, decodes to `/`, `\` or a control character, or where the decoded text is not UTF-8. `/` alone has none.
    package static func split(_ path: Span<UInt8>) -> [String]? {
        guard path.count > 0, path[0] == UInt8(ascii: "/") else { return nil }
        var segments: [String] = []
        var start = 1
        while start < path.count {
            let end = path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? path.count
            guard segments.count < segmentsMax, end > start,
                let segment = PercentDecoding.decode(path.extracting(start..<end)),
                segment != ".", segment != "..",
                !segment.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == 0x2f || $0 == 0x5c })
            else { return nil }
            segments.append(segment)
            start = end + 1
        }
        return segments
    }
}
