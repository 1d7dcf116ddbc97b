/// One label of a metric with all the values it can have, known when the metric is made.
///
/// A value is named by its position on the hot path. So the number of time series is bounded by construction: nothing
/// that a client sends can become a label.
package struct Label: Sendable {
    package let name: String
    package let values: [String]

    package init(_ name: String, _ values: [String]) {
        self.name = name
        self.values = values
    }
}

/// The label `status` for HTTP responses: every status code registered by IANA, and `other`.
package enum StatusLabel {
    private static let codes: [Int] = [
        100, 101, 102, 103, 104, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307,
        308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423,
        424, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
    ]

    /// Position by code, 100 to 599.
    private static let positions: [UInt8] = {
        var positions = [UInt8](repeating: UInt8(codes.count), count: 500)
        for (position, code) in codes.enumerated() { positions[code - 100] = UInt8(position) }
        return positions
    }()

    package static let label = Label("status", codes.map { String($0) } + ["other"])

    /// Position of a status code among the label's values; that of `other` for codes that are not registered. 499,
    /// the client has gone away, is not registered but counted as usual.
    package static func position(_ status: Int) -> Int {
        status >= 100 && status < 600 ? Int(positions[status - 100]) : codes.count
    }
}
