import Bytes
import Foundation
import JSON
import Reactor
import Server
import Synchronization

/// One line per request for operators: to standard error or to a file, as JSON or text. Lines are gathered and written
/// by a thread of their own, so that a slow disk never holds a reactor; beyond a bound they are dropped and counted.
/// What must not be lost stands in the audit log.
package final class AccessLog: Sendable {
    private struct State {
        var lines: [UInt8] = []
        var dropped = 0
        var isClosed = false
    }

    /// Bytes that may wait to be written. Default 4 MiB.
    private static let waitingBytesMax = 4_194_304
    private let state = Mutex(State())
    private let condition = DispatchSemaphore(value: 0)
    private let format: LogConfiguration.Format
    private let handle: FileHandle

    /// `path` is a file that is appended to; nil means standard error.
    package init(path: String?, format: LogConfiguration.Format) throws {
        self.format = format
        if let path {
            if !FileManager.default.fileExists(atPath: path) {
                _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o640])
            }
            handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
        } else {
            handle = .standardError
        }
        let me = self
        try ThreadCalls.start(name: "access-log") { me.write() }
    }

    private func write() {
        while true {
            condition.wait()
            let (lines, closed) = state.withLock { state in
                defer { state.lines = [] }
                return (state.lines, state.isClosed)
            }
            if !lines.isEmpty { try? handle.write(contentsOf: Data(lines)) }
            if closed { return }
        }
    }

    /// Lines lost because the disk did not keep up.
    package var dropped: Int { state.withLock { $0.dropped } }

    package func close() {
        state.withLock { $0.isClosed = true }
        condition.signal()
    }

    /// What a line says.
    struct Line {
        var time: WallInstant
        var requestID: String
        var traceID: String
        var peer: String
        var subject: String?
        var method: String
        var target: String
        var status: Int
        var microseconds: Int64
        var bytesIn: Int64
        var bytesOut: Int64
        var route: String?
        var `protocol`: String
    }

    func append(_ line: Line) {
        var out: [UInt8] = []
        switch format {
        case .json:
            out =
                JSONValue.object(
                    JSONObject([
                        ("time", .string(line.time.rfc3339)), ("request", .string(line.requestID)),
                        ("trace", .string(line.traceID)), ("peer", .string(line.peer)),
                        ("subject", line.subject.map { .string($0) } ?? .null), ("method", .string(line.method)),
                        ("target", .string(line.target)), ("status", JSONValue(line.status)),
                        ("us", JSONValue(Int(line.microseconds))), ("bytes_in", JSONValue(Int(line.bytesIn))),
                        ("bytes_out", JSONValue(Int(line.bytesOut))),
                        ("route", line.route.map { .string($0) } ?? .null), ("protocol", .string(line.protocol)),
                    ])
                ).bytes
        case .text:
            // A target is visible ASCII by the codec's rules; a subject may hold anything and is quoted as JSON.
            let subject = line.subject.map { JSONValue.string($0).text } ?? "-"
            out = Array(
                "\(line.time.rfc3339) \(line.peer) \(subject) \(line.method) \(line.target) \(line.protocol) \(line.status) \(line.microseconds)us \(line.bytesOut)B \(line.requestID)"
                    .utf8)
        }
        out.append(10)
        let taken = state.withLock { state in
            if state.lines.count + out.count > Self.waitingBytesMax {
                state.dropped += 1
                return false
            }
            state.lines += out
            return true
        }
        if taken { condition.signal() }
    }
}

extension Worker {
    func logAccess(_ exchange: Exchange, _ context: RequestContext, duration: Nanoseconds) {
        let buffer = context.line
        let line = buffer.readable
        let method = line.extracting(0..<context.methodBytes).text
        let target = line.extracting(context.methodBytes..<line.count).text
        shared.accessLog?.append(
            AccessLog.Line(
                time: reactor.wall, requestID: requestID(context), traceID: context.trace.traceID,
                peer: exchange.origin.peerHost, subject: context.caller?.principal.subject, method: method,
                target: target, status: exchange.status, microseconds: duration / 1_000,
                bytesIn: exchange.requestBodyBytes, bytesOut: exchange.responseBodyBytes,
                route: context.route >= 0 ? context.snapshot.routes[context.route].name : nil,
                protocol: exchange.wireProtocol.name))
    }
}
