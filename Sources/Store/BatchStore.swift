import Bytes
import JSON
import Synchronization

/// Batches on the disk: for each a directory with what came (`input.ndjson`), what came of it (`results.ndjson`) and whose
/// it is (`batch.json`). Everything that touches a file runs on one thread.
///
/// A batch is acknowledged when its lines are synced. Results are written in the order of the lines; where a crash has cut
/// one off, it is removed and its line is carried out again, which the ledger makes harmless.
package final class BatchStore: Sendable {
    package let limits: BatchLimits
    private let directory: String
    private let thread: FileThread
    private let state = Mutex(Index())

    struct Index {
        var records: [String: BatchRecord] = [:]
        var byKey: [String: String] = [:]
        /// Batches that a request brings at the moment.
        var claimed: Set<String> = []
        var results: [String: ResultIndex] = [:]
        /// Of all inputs and results.
        var bytes = 0
    }

    package init(directory: String, limits: BatchLimits = BatchLimits()) throws(StoreError) {
        try Files.makeDirectory(directory)
        let lock = try DirectoryLock(directory + "/lock")
        self.directory = directory
        self.limits = limits
        var index = Index()
        for name in try Files.names(in: directory) where name != "lock" {
            guard let (record, results) = try Self.recover(directory + "/" + name) else {
                // It was not even begun: nobody was told of it.
                try? FileRange.removeDirectory(directory + "/" + name)
                continue
            }
            index.records[record.id] = record
            index.byKey[Self.key(record.caller, record.idempotencyKey)] = record.id
            index.results[record.id] = results
            index.bytes += record.receivedBytes + record.resultBytes
        }
        thread = try FileThread("batch-store", lock: lock)
        let found = index
        state.withLock { $0 = found }
    }

    package func close() async { await thread.close() }

    // MARK: Looking

    package func record(_ id: String) -> BatchRecord? { state.withLock { $0.records[id] } }

    /// All that are received and not completed, oldest first.
    package func unfinished() -> [BatchRecord] {
        state.withLock { $0.records.values.filter { $0.state == .received } }.sorted { $0.id < $1.id }
    }

    /// Batches by state, and bytes of all.
    package var counts: (states: [BatchRecord.State: Int], bytes: Int) {
        state.withLock { index in
            (Dictionary(index.records.values.map { ($0.state, 1) }, uniquingKeysWith: +), index.bytes)
        }
    }

    // MARK: Receiving

    /// A batch to be brought: the one with this key, where it is there already.
    ///
    /// - Parameter offset: where the client goes on; nil where it begins anew and is compared as far as it came before.
    /// - Returns: the batch, and where the next byte belongs.
    package func open(
        _ new: BatchRecord, offset: Int?
    ) async throws(BatchRefusal) -> (record: BatchRecord, position: Int) {
        try await thread.perform(refused: { .store($0) }) { [self] () throws(BatchRefusal) in
            let found = try state.withLock { index throws(BatchRefusal) -> BatchRecord? in
                guard let id = index.byKey[Self.key(new.caller, new.idempotencyKey)],
                    let record = index.records[id]
                else {
                    let open = index.records.values.count { $0.caller == new.caller && $0.state != .completed }
                    if open >= limits.openPerCallerMax || index.records.count >= limits.countMax { throw .tooMany }
                    if index.bytes >= limits.diskBytesMax { throw .full }
                    if let offset, offset != 0 { throw .offset(received: 0) }
                    return nil
                }
                if let offset, offset != record.receivedBytes { throw .offset(received: record.receivedBytes) }
                guard index.claimed.insert(id).inserted else { throw .busy }
                return record
            }
            if let found { return (found, offset ?? 0) }
            do throws(StoreError) {
                try Files.makeDirectory(path(new.id))
                try save(new)
                try Files.syncDirectory(directory)
            } catch {
                throw .store(error)
            }
            state.withLock { index in
                index.records[new.id] = new
                index.byKey[Self.key(new.caller, new.idempotencyKey)] = new.id
                index.claimed.insert(new.id)
                index.results[new.id] = ResultIndex()
            }
            return (new, 0)
        }
    }

    /// Bytes at a place of the input: compared where it is there already, written where it is not.
    package func write(_ id: String, at position: Int, _ bytes: [UInt8]) async throws(BatchRefusal) {
        try await thread.perform(refused: { .store($0) }) { [self] () throws(BatchRefusal) in
            guard let record = record(id) else { throw .notFound }
            let known = min(bytes.count, max(0, record.receivedBytes - position))
            do throws(StoreError) {
                if known > 0, try FileRange.read(input(id), from: position, count: known) != Array(bytes.prefix(known))
                {
                    throw StoreError.duplicateID
                }
            } catch {
                throw error == .duplicateID ? BatchRefusal.differs : .store(error)
            }
            if known == bytes.count { return }
            guard record.state == .receiving else { throw .differs }
            if position + bytes.count > limits.bytesMax { throw .tooLarge }
            if state.withLock({ $0.bytes }) + bytes.count - known > limits.diskBytesMax { throw .full }
            do throws(StoreError) {
                try DiskFile(input(id), disk: .real).write(Array(bytes.dropFirst(known)), at: position + known)
            } catch {
                throw error == .diskFull ? BatchRefusal.full : .store(error)
            }
            state.withLock { index in
                index.records[id]?.receivedBytes = position + bytes.count
                index.bytes += bytes.count - known
            }
        }
    }

    /// All of it came: synced, and counted.
    /// - Parameter total: how long it is; less than came before under this key is another batch.
    /// - Returns: the batch, and whether it was received before.
    package func received(
        _ id: String, total: Int, now: WallInstant
    ) async throws(BatchRefusal) -> (record: BatchRecord, isRepetition: Bool) {
        try await thread.perform(refused: { .store($0) }) { [self] () throws(BatchRefusal) in
            guard var record = record(id) else { throw .notFound }
            guard total == record.receivedBytes else { throw .differs }
            if record.state != .receiving { return (record, true) }
            do throws(StoreError) {
                let file = try DiskFile(input(id), disk: .real)
                // A crash may have left more than was counted.
                try file.truncate(to: total)
                try file.sync()
                record.lines = try Self.countLines(input(id), total)
                record.state = .received
                record.changedAt = now
                try save(record)
            } catch {
                throw error == .diskFull ? BatchRefusal.full : .store(error)
            }
            let done = record
            state.withLock { $0.records[id] = done }
            return (done, false)
        }
    }

    /// The request that brought it has ended.
    package func release(_ id: String) { state.withLock { _ = $0.claimed.remove(id) } }

    /// Forgets a batch that could not be taken, unless it was received.
    package func discard(_ id: String) async {
        try? await thread.perform(refused: { $0 }) { [self] () throws(StoreError) in
            guard let record = record(id), record.state == .receiving else { return }
            try remove(record)
        }
    }

    // MARK: Carrying out

    package func read(_ id: String, from offset: Int, count: Int) async throws(StoreError) -> [UInt8] {
        let limit = record(id)?.receivedBytes ?? 0
        let count = min(count, max(0, limit - offset))
        let path = input(id)
        return try await thread.perform(refused: { $0 }) { () throws(StoreError) in
            try FileRange.read(path, from: offset, count: count)
        }
    }

    /// The result of a line, behind those before it.
    ///
    /// - Parameters:
    ///   - line: with its line end.
    ///   - next: where the line after it begins in the input.
    package func append(
        _ id: String, number: Int, outcome: String, _ line: [UInt8], next: Int, now: WallInstant
    ) async throws(StoreError) {
        try await thread.perform(refused: { $0 }) { [self] () throws(StoreError) in
            guard let record = record(id) else { throw .notFound }
            if state.withLock({ $0.bytes }) + line.count > limits.diskBytesMax { throw .diskFull }
            try DiskFile(results(id), disk: .real).write(line, at: record.resultBytes)
            state.withLock { index in
                index.results[id]?.note(number, at: record.resultBytes)
                index.records[id]?.lastLine = number
                index.records[id]?.inputOffset = next
                index.records[id]?.resultBytes += line.count
                index.bytes += line.count
                index.records[id]?.outcomes[outcome, default: 0] += 1
                index.records[id]?.changedAt = now
            }
        }
    }

    /// Every line has its result.
    package func complete(_ id: String, now: WallInstant) async throws(StoreError) {
        try await thread.perform(refused: { $0 }) { [self] () throws(StoreError) in
            guard var record = record(id), record.state == .received else { return }
            if record.resultBytes > 0 { try DiskFile(results(id), disk: .real).sync() }
            record.state = .completed
            record.changedAt = now
            try save(record)
            let done = record
            state.withLock { $0.records[id] = done }
        }
    }

    // MARK: Results

    /// Results behind a line, whole lines, at most so many and about so many bytes.
    package func results(
        _ id: String, after line: Int, limit: Int, bytesMax: Int
    ) async throws(StoreError) -> BatchResults {
        guard let place = state.withLock({ $0.results[id]?.place(before: line) }), let record = record(id) else {
            throw .notFound
        }
        let path = results(id)
        return try await thread.perform(refused: { $0 }) { () throws(StoreError) in
            var page = BatchResults(last: line)
            var offset = place
            var rest: [UInt8] = []
            while offset < record.resultBytes {
                let chunk = try FileRange.read(path, from: offset, count: min(65_536, record.resultBytes - offset))
                if chunk.isEmpty { break }
                offset += chunk.count
                rest += chunk
                var start = rest.startIndex
                while let end = rest[start...].firstIndex(of: 10) {
                    let number = BatchResults.number(of: rest[start..<end]) ?? 0
                    if number > line {
                        if page.count == limit || page.bytes.count >= bytesMax {
                            page.hasMore = true
                            return page
                        }
                        page.bytes += rest[start...end]
                        page.last = number
                        page.count += 1
                    }
                    start = end + 1
                }
                rest.removeSubrange(..<start)
            }
            return page
        }
    }

    // MARK: Order

    /// Forgets what was completed long ago, and what was begun and left.
    package func purge(completedBefore: WallInstant, leftBefore: WallInstant) async throws(StoreError) {
        let old = state.withLock { index in
            index.records.values.filter { record in
                switch record.state {
                case .completed: record.changedAt < completedBefore
                case .receiving: record.createdAt < leftBefore && !index.claimed.contains(record.id)
                case .received: false
                }
            }
        }
        for record in old {
            try await thread.perform(refused: { $0 }) { [self] () throws(StoreError) in try remove(record) }
        }
    }
}

// MARK: - Files, on the thread

extension BatchStore {
    static func key(_ caller: String, _ key: String) -> String { caller + " " + key }

    private func path(_ id: String) -> String { directory + "/" + id }
    private func input(_ id: String) -> String { path(id) + "/input.ndjson" }
    private func results(_ id: String) -> String { path(id) + "/results.ndjson" }

    private func save(_ record: BatchRecord) throws(StoreError) {
        let path = path(record.id) + "/batch.json"
        let file = try DiskFile(path + ".new", disk: .real)
        try file.truncate(to: 0)
        try file.write(record.json.bytes, at: 0)
        try file.sync()
        try Files.rename(path + ".new", path)
        try Files.syncDirectory(self.path(record.id))
    }

    private func remove(_ record: BatchRecord) throws(StoreError) {
        try FileRange.removeDirectory(path(record.id))
        state.withLock { index in
            index.records[record.id] = nil
            index.byKey[Self.key(record.caller, record.idempotencyKey)] = nil
            index.results[record.id] = nil
            index.claimed.remove(record.id)
            index.bytes -= record.receivedBytes + record.resultBytes
        }
    }

    /// What a directory holds after a crash; nil where nothing was begun.
    private static func recover(_ path: String) throws(StoreError) -> (BatchRecord, ResultIndex)? {
        guard let bytes = try Files.read(path + "/batch.json"), let json = try? JSONValue.parse(bytes),
            var record = BatchRecord(json)
        else { return nil }
        record.receivedBytes = FileRange.size(path + "/input.ndjson")
        var index = ResultIndex()
        let file = path + "/results.ndjson"
        try eachLine(file, FileRange.size(file)) { line, start, end in
            guard let number = BatchResults.number(of: line) else { return }
            index.note(number, at: start)
            record.lastLine = number
            record.resultBytes = end
            record.outcomes[BatchResults.outcome(of: line), default: 0] += 1
        }
        if FileRange.size(file) > record.resultBytes {
            try DiskFile(file, disk: .real).truncate(to: record.resultBytes)
        }
        if record.state == .received, record.lastLine > 0 {
            var number = 0
            try eachLine(path + "/input.ndjson", record.receivedBytes) { _, _, end in
                number += 1
                if number == record.lastLine { record.inputOffset = end }
            }
            if number < record.lastLine { record.inputOffset = record.receivedBytes }
        }
        return (record, index)
    }

    /// Lines that have an end, and the last one without.
    private static func countLines(_ path: String, _ size: Int) throws(StoreError) -> Int {
        var count = 0
        var ended = 0
        try eachLine(path, size) { _, _, end in
            count += 1
            ended = end
        }
        return ended < size ? count + 1 : count
    }

    /// Every line that ends with a line feed. Of a long one only the beginning is given.
    private static func eachLine(
        _ path: String, _ size: Int, _ body: (_ line: ArraySlice<UInt8>, _ start: Int, _ end: Int) -> Void
    ) throws(StoreError) {
        var offset = 0
        var line: [UInt8] = []
        var start = 0
        while offset < size {
            let chunk = try FileRange.read(path, from: offset, count: min(262_144, size - offset))
            if chunk.isEmpty { return }
            var from = chunk.startIndex
            while let end = chunk[from...].firstIndex(of: 10) {
                if line.count < 256 { line += chunk[from..<end].prefix(256) }
                body(line[...], start, offset + end + 1)
                line.removeAll(keepingCapacity: true)
                start = offset + end + 1
                from = end + 1
            }
            if line.count < 256 { line += chunk[from...].prefix(256) }
            offset += chunk.count
        }
    }
}
