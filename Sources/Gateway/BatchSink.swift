import Bytes
import Contracts
import HTTP
import JSON
import Reactor
import Server
import Services
import Store

/// Brings the body of one `batch.submit` onto the disk as it comes, with a bounded part of it in memory.
///
/// Lives on the loop; the disk's work is done on the store's thread. A cut upload keeps what came: the same key goes on.
final class BatchSink {
    /// What waits in memory before the client is held back. Default 512 KiB.
    static let pendingBytesMax = 524_288
    /// What is written at a time, unless less is left.
    private static let writeBytes = 131_072

    private let worker: Worker
    private let number: UInt64
    private let batches: BatchRunner
    private var id: String?
    private var position = 0
    private var pending: [UInt8] = []
    private var isWriting = false
    private var isEnded = false
    private var isGone = false
    private var isPaused = false

    init(_ worker: Worker, number: UInt64, _ batches: BatchRunner) {
        self.worker = worker
        self.number = number
        self.batches = batches
    }

    private var store: BatchStore { batches.store }
    private var governed: GovernedCall? { worker.governed[number] }

    /// Finds or makes the batch; until then the client is held back.
    ///
    /// - Parameter offset: of the field `Upload-Offset`, where the client goes on.
    func open(_ new: BatchRecord, offset: Int?) {
        let (store, handle, number) = (store, worker.reactor.handle, number)
        isWriting = true
        worker.reactor.spawn {
            let opened: Result<(record: BatchRecord, position: Int), BatchRefusal>
            do throws(BatchRefusal) {
                opened = .success(try await store.open(new, offset: offset))
            } catch {
                opened = .failure(error)
            }
            handle.post { reactor in
                guard let sink = reactor.local(Worker.self)?.sinks[number] else {
                    if case .success(let found) = opened { store.release(found.record.id) }
                    return
                }
                sink.isWriting = false
                switch opened {
                case .success(let found):
                    sink.id = found.record.id
                    sink.position = found.position
                    sink.step()
                case .failure(let refusal): sink.refuse(refusal)
                }
            }
        }
    }

    func take(_ bytes: Span<UInt8>) {
        guard !isGone else { return }
        if position + pending.count + bytes.count > store.limits.bytesMax {
            refuse(.tooLarge)
            return
        }
        pending.append(copying: bytes)
        if pending.count >= Self.pendingBytesMax, !isPaused {
            isPaused = true
            governed?.holdBody()
        }
        step()
    }

    func end() {
        isEnded = true
        step()
    }

    /// The client left or its body broke off: what came is written, so that it can go on there.
    func leave() {
        isEnded = false
        isGone = true
        step()
    }

    // MARK: On the disk

    private func step() {
        guard let id, !isWriting else { return }
        if pending.isEmpty || (pending.count < Self.writeBytes && !isEnded && !isGone) {
            if isGone { close() } else if isEnded { finish(id) }
            return
        }
        isWriting = true
        let chunk = pending
        pending = []
        let (store, handle, number, position) = (store, worker.reactor.handle, number, position)
        worker.reactor.spawn {
            var refusal: BatchRefusal?
            do throws(BatchRefusal) {
                try await store.write(id, at: position, chunk)
            } catch {
                refusal = error
            }
            let came = refusal
            handle.post { $0.local(Worker.self)?.sinks[number]?.written(chunk.count, came) }
        }
    }

    private func written(_ count: Int, _ refusal: BatchRefusal?) {
        isWriting = false
        if let refusal { return refuse(refusal) }
        position += count
        if isPaused, pending.count < Self.pendingBytesMax {
            isPaused = false
            governed?.resumeBody()
        }
        step()
    }

    private func finish(_ id: String) {
        isWriting = true
        let (store, handle, number, position) = (store, worker.reactor.handle, number, position)
        worker.reactor.spawn {
            let received: Result<ReceivedBatch, BatchRefusal>
            do throws(BatchRefusal) {
                let (record, isRepetition) = try await store.received(id, total: position, now: Clock.wall())
                received = .success(ReceivedBatch(record: record, isRepetition: isRepetition))
            } catch {
                received = .failure(error)
            }
            handle.post { reactor in
                guard let sink = reactor.local(Worker.self)?.sinks[number] else { return store.release(id) }
                switch received {
                case .success(let batch):
                    sink.close()
                    sink.governed?.run(with: batch)
                case .failure(let refusal): sink.refuse(refusal)
                }
            }
        }
    }

    private func refuse(_ refusal: BatchRefusal) {
        let governed = governed
        if refusal == .tooLarge, let id {
            let store = store
            worker.reactor.spawn { await store.discard(id) }
        }
        isGone = true
        pending = []
        close()
        governed?.refuse(BatchSubmission.problem(refusal, store.limits))
    }

    private func close() {
        if let id { store.release(id) }
        worker.sinks[number] = nil
    }
}

extension Worker {
    /// What of a request for `batch.submit` is known before its body; nil where it is refused.
    func batchSink(
        _ exchange: Exchange, _ context: RequestContext, _ call: ServiceCall, _ caller: Caller
    ) -> (sink: BatchSink, record: BatchRecord, offset: Int?)? {
        guard let batches = runner.batches else {
            refuse(exchange, .problem(Problem(.unavailable, "batches are not taken yet", retryAfter: 1)))
            return nil
        }
        let type = call.contentType?.lowercased().split(separator: ";").first.map { $0.filter { $0 != " " } }
        guard type == BatchSubmission.mediaType else {
            refuse(
                exchange,
                .problem(Problem(.unsupportedMediaType, "send `Content-Type: \(BatchSubmission.mediaType)`")))
            return nil
        }
        if case .length(let count) = exchange.head.framing, count > Int64(batches.store.limits.bytesMax) {
            refuse(exchange, .problem(BatchSubmission.problem(.tooLarge, batches.store.limits)))
            return nil
        }
        let key: String
        do throws(Problem) {
            key = try BatchSubmission.key(call.idempotencyKey)
        } catch {
            refuse(exchange, .problem(error))
            return nil
        }
        var offset: Int?
        let head = exchange.head
        let bytes = exchange.headBytes
        for index in 0..<head.count where bytes.extracting(head[index].nameRange).equalsIgnoringCase("upload-offset") {
            guard let number = Int(bytes.extracting(head[index].valueRange).text), number >= 0 else {
                refuse(
                    exchange,
                    .problem(
                        .invalidInput([Violation(.header("Upload-Offset"), "is no number of bytes")])))
                return nil
            }
            offset = number
        }
        let record = BatchRecord(
            id: BatchSubmission.id(reactor.wall), caller: caller.identity, idempotencyKey: key,
            createdAt: reactor.wall,
            context: BatchContext(
                principal: caller.principal, facts: facts(exchange), protocol: exchange.wireProtocol.name,
                traceID: context.trace.traceID
            ).json)
        return (BatchSink(self, number: context.number, batches), record, offset)
    }
}
