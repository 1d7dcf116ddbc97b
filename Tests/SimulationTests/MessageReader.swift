/// Reads whole messages of HTTP/1.1 for the scripts. It shares nothing with the codec under test, trusts what it reads, and
/// looks at each byte about once, because bytes come one by one here.
struct MessageReader {
    struct Message {
        var startLine: String
        var fields: [String: String]
        var body: [UInt8]

        var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    }

    private enum Mode {
        case none
        case length(Int)
        case chunkSize
        case chunk(Int)
        case trailer
        case untilEnd
    }

    private var buffer: [UInt8] = []
    private var position = 0
    private var scanned = 0
    private var message: Message?
    private var mode = Mode.none
    let isRequest: Bool
    /// Whether what came is no message at all.
    private(set) var isBroken = false

    init(isRequest: Bool) { self.isRequest = isRequest }

    /// The message of which the head has come and not yet all.
    var begun: Message? { message }
    var isEmpty: Bool { message == nil && position == buffer.count }

    mutating func feed(_ bytes: ArraySlice<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next whole message. `toHead`: the answer to HEAD has no body. `ended`: nothing more comes.
    mutating func next(toHead: Bool, ended: Bool) -> Message? {
        while !isBroken {
            guard message != nil else {
                guard let line = takeHead() else { return nil }
                begin(line, toHead: toHead)
                continue
            }
            switch mode {
            case .none: return take()
            case .length(let left), .chunk(let left):
                let n = min(left, buffer.count - position)
                message?.body.append(contentsOf: buffer[position..<position + n])
                position += n
                var isChunk = false
                if case .chunk = mode { isChunk = true }
                if n == left {
                    if !isChunk { return take() }
                    // The line end behind a chunk was counted as part of it.
                    message?.body.removeLast(2)
                    mode = .chunkSize
                    scanned = position
                } else {
                    mode = isChunk ? .chunk(left - n) : .length(left - n)
                    return nil
                }
            case .chunkSize:
                guard let line = takeLine() else { return nil }
                guard let size = Int(line, radix: 16) else {
                    isBroken = true
                    return nil
                }
                mode = size == 0 ? .trailer : .chunk(size + 2)
            case .trailer:
                guard let line = takeLine() else { return nil }
                if line.isEmpty { return take() }
            case .untilEnd:
                message?.body.append(contentsOf: buffer[position...])
                position = buffer.count
                return ended ? take() : nil
            }
        }
        return nil
    }

    private mutating func take() -> Message? {
        defer {
            message = nil
            mode = .none
            scanned = position
            if position == buffer.count {
                buffer.removeAll(keepingCapacity: true)
                position = 0
                scanned = 0
            }
        }
        return message
    }

    private mutating func takeLine() -> String? {
        var i = max(scanned, position)
        while i + 1 < buffer.count {
            if buffer[i] == 13 && buffer[i + 1] == 10 {
                let line = String(decoding: buffer[position..<i], as: UTF8.self)
                position = i + 2
                scanned = position
                return line
            }
            i += 1
        }
        scanned = max(position, buffer.count - 1)
        return nil
    }

    private mutating func takeHead() -> [String]? {
        var i = max(scanned, position)
        while i + 3 < buffer.count {
            if buffer[i] == 13, buffer[i + 1] == 10, buffer[i + 2] == 13, buffer[i + 3] == 10 {
                let lines = String(decoding: buffer[position..<i], as: UTF8.self).split(separator: "\r\n").map(
                    String.init)
                position = i + 4
                scanned = position
                return lines
            }
            i += 1
        }
        scanned = max(position, buffer.count - 3)
        return nil
    }

    private mutating func begin(_ lines: [String], toHead: Bool) {
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = parts[1].trimmingPrefix { $0 == " " }.description
        }
        let made = Message(startLine: lines.first ?? "", fields: fields, body: [])
        if !isRequest, !made.startLine.hasPrefix("HTTP/1.1 ") {
            isBroken = true
            return
        }
        message = made
        let isBodyless = !isRequest && (made.status < 200 || made.status == 204 || made.status == 304 || toHead)
        if isBodyless {
            mode = .none
        } else if fields["transfer-encoding"] == "chunked" {
            mode = .chunkSize
        } else if let length = fields["content-length"].flatMap({ Int($0) }) {
            mode = length == 0 ? .none : .length(length)
        } else {
            mode = isRequest ? .none : .untilEnd
        }
    }
}
