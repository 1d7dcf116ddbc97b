import Bytes

/// An attempt in a line, as `tail` shows it.
package struct AttemptLine: Sendable {
    /// Counts attempts since the start.
    package var number: UInt64
    package var endpoint: String
    package var event: String
    package var type: String
    package var subject: String
    package var attempt: Int
    package var time: WallInstant
    package var duration: Nanoseconds
    package var status: Int?
    /// Empty for a delivery.
    package var reason: String
}

/// The latest attempts of all endpoints, in memory.
struct RecentAttempts {
    /// Lines kept. Default 512.
    static let countMax = 512

    private var lines: [AttemptLine] = []
    private var next = 0
    private var number: UInt64 = 0

    mutating func add(_ line: AttemptLine) {
        var line = line
        number += 1
        line.number = number
        if lines.count < Self.countMax { lines.append(line) } else { lines[next] = line }
        next = (next + 1) % Self.countMax
    }

    /// Those behind a number, the oldest first.
    func after(_ number: UInt64, endpoint: String?) -> [AttemptLine] {
        lines.filter { $0.number > number && (endpoint == nil || $0.endpoint == endpoint) }
            .sorted { $0.number < $1.number }
    }
}
