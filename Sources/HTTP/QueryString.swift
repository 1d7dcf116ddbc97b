import Bytes

/// The parameters of a query, in their order, repeated ones kept: `a=1&b=&c`. (WHATWG URL, application/x-www-form-urlencoded)
package struct QueryString: Sendable {
    package var parameters: [(name: String, value: String)]

    /// Most parameters. More are refused; bounds the work per request.
    package static let parametersMax = 200

    /// - Parameter query: what stands behind the `?`. Empty pieces between `&` are passed over.
    /// - Returns: nil where a percent-encoding is malformed, the text is not UTF-8, a name is empty, or there are too many.
    package init?(_ query: Span<UInt8>) {
        parameters = []
        var start = 0
        while start < query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.count
            if end > start {
                let piece = query.extracting(start..<end)
                let equals = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.count
                let valueStart = min(equals + 1, piece.count)
                guard parameters.count < Self.parametersMax, equals > 0,
                    let name = PercentDecoding.decode(piece.extracting(0..<equals), plusIsSpace: true),
                    let value = PercentDecoding.decode(
                        piece.extracting(valueStart..<piece.count), plusIsSpace: true)
                else { return nil }
                parameters.append((name, value))
            }
            start = end + 1
        }
    }

    /// The first value of a parameter.
    package subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// All values of a parameter.
    package func all(_ name: String) -> [String] { parameters.filter { $0.name == name }.map(\.value) }
}
