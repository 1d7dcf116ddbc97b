import Bytes

/// What must hold in a complete head of a response, and what follows from it. (RFC 9112 §6.3, RFC 9110 §15)
enum ResponseRules {
    static func apply(
        to head: MessageHead, _ bytes: Span<UInt8>, method: Method, upgradeRequested: Bool, bodyMax: Int64
    ) throws(HTTPError) {
        let state = head.state
        let status = head.status
        let present = state.pointee.present
        let repeated = state.pointee.repeated
        if repeated & FieldName.contentLength.bit != 0 { throw .contentLengthRepeated }
        if repeated & FieldName.transferEncoding.bit != 0 { throw .transferEncodingRepeated }

        var options = FieldRules.ConnectionOptions()
        if present & FieldName.connection.bit != 0 { options = try FieldRules.connection(of: head, bytes) }
        var keepAlive = state.pointee.version == 1 ? true : options.keepAlive
        if options.close { keepAlive = false }

        if options.upgrade, present & FieldName.upgrade.bit != 0, state.pointee.version == 1 {
            state.pointee.upgrade = true
            state.pointee.isWebSocketUpgrade = FieldRules.isWebSocket(head, bytes)
        }
        // Bytes behind a 101 that nobody asked for would be taken for answers to later requests.
        if status == 101, !upgradeRequested || !state.pointee.upgrade { throw .switchingNotAsked }

        // The fields are checked even where they do not count, so that a malformed one is never passed on.
        var length: Int64?
        if let line = head.first(.contentLength) { length = try FieldRules.contentLength(line, bytes) }
        let transferEncoding = head.first(.transferEncoding)
        if let line = transferEncoding {
            if length != nil { throw .lengthAndTransferEncoding }
            if state.pointee.version == 0 { throw .transferEncodingInOldVersion }
            try FieldRules.transferEncoding(line, bytes)
        }

        let isTunnel = method == .connect && status / 100 == 2
        if status < 200 || status == 204 || isTunnel {
            // No body and no framing may be announced here; a reader that believed it would wait for, or swallow, the next
            // response. A length of zero is common and harmless. (RFC 9110 §8.6, RFC 9112 §6.1)
            if transferEncoding != nil || length ?? 0 != 0 { throw .bodyNotAllowed }
            state.pointee.framing = .none
        } else if status == 304 || method == .head {
            state.pointee.framing = .none
        } else if transferEncoding != nil {
            state.pointee.framing = .chunked
        } else if let length {
            if length > bodyMax { throw .bodyTooLarge }
            state.pointee.framing = .length(length)
        } else {
            state.pointee.framing = .untilClose
            keepAlive = false
        }
        state.pointee.keepAlive = keepAlive
    }
}
