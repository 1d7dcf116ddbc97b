import Bytes

/// What is decided of a frame by its header alone: whether its kind is within budget, and whether its stream may have it.
extension HTTP2Session {
    /// Judges a frame whose header ends at `end`; false ends the connection, and the frame is not looked at.
    func judge(
        _ header: HTTP2FrameHeader, feedingBefore end: Int, _ bytes: Span<UInt8>, _ fed: inout Int
    ) -> Bool {
        let id = header.stream
        switch header.kind {
        case .headers:
            continuations = 0
            controls.earn(4)
            if id > 0, id <= history.last {
                guard isInOrder(header, end, bytes, &fed) else { return false }
            } else if id & 1 == 1 {
                history.open(id)
            }
            if header.hasEndStream { history.end(id) }
            return true
        case .data:
            if id > 0, history.wasEnded(id) || !history.wasOpened(id), id <= history.last {
                guard isInOrder(header, end, bytes, &fed) else { return false }
            }
            if header.hasEndStream { history.end(id) }
            // A padded frame may be all padding; it is charged where it is small. Empty ones that end a stream are usual.
            let isEmpty = header.length == 0 && !header.hasEndStream || header.isPadded && header.length <= 256
            return isEmpty ? charge(.emptyDataFlood) : true
        case .continuation:
            continuations += 1
            if continuations > limits.continuationsMax {
                cutOff(.continuationFlood)
                return false
            }
            return true
        case .reset:
            history.end(id)
            return chargeReset()
        case .settings: return header.hasEndStream && !isSettled ? true : charge(.settingsFlood)
        case .ping: return header.hasEndStream && isPingOutstanding ? true : charge(.pingFlood)
        case .priority:
            // A stream that depends on itself is an error (RFC 7540 §5.3.1), though dependencies are not kept; the stream of
            // a PRIORITY frame may be idle and cannot be reset then, so the connection ends.
            guard id != 0, header.dependency != id else { return fault(.protocolError) }
            return charge(.priorityFlood)
        case .windowUpdate: return charge(.windowUpdateFlood)
        case .pushPromise, .goAway, nil: return charge(.unknownFrameFlood)
        }
    }

    /// Whether HEADERS or DATA may come on a stream that was used, or skipped, before: the library forgets closed streams.
    private func isInOrder(
        _ header: HTTP2FrameHeader, _ end: Int, _ bytes: Span<UInt8>, _ fed: inout Int
    ) -> Bool {
        let id = header.stream
        if !history.wasOpened(id) { return fault(.protocolError) }
        guard history.wasEnded(id) else { return true }
        // What came before may have ended the stream, or had it answered. The header itself is still held back.
        feed(bytes, &fed, to: max(fed, end - 9))
        guard reason == nil else { return false }
        // Half-closed streams are the library's to answer for.
        return hasStream(id) || fault(.streamClosed)
    }

    /// Takes one from the budget of frames that carry nothing; false when there is none left.
    private func charge(_ reason: HTTP2CutOff) -> Bool {
        if controls.spend(now: now) { return true }
        cutOff(reason)
        return false
    }

    func chargeReset() -> Bool {
        if resets.spend(now: now) { return true }
        cutOff(.resetFlood)
        return false
    }

    /// Ends the connection with this error; always false.
    func fault(_ code: HTTP2ErrorCode) -> Bool {
        if reason == nil {
            goodbyeCode = code
            cutOff(.protocolError)
        }
        return false
    }
}
