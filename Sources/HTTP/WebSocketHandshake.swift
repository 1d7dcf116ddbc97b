import Bytes

/// The opening handshake of WebSocket, as far as a gateway that hands the connection over must know it. (RFC 6455 §4)
package enum WebSocketHandshake {
    package enum Verdict: Sendable, Hashable {
        case valid
        /// Not a handshake: method, version, `Upgrade`, `Connection`, the key, or a body. To be answered with 400.
        case malformed
        /// Another version than 13: to be answered with 426 and `Sec-WebSocket-Version: 13`. (RFC 6455 §4.4)
        case versionUnsupported
    }

    /// Judges a request whose head is complete. Who forwards it writes `Connection` and `Upgrade` anew.
    package static func check(_ head: MessageHead, _ bytes: Span<UInt8>) -> Verdict {
        // A body would stand where the first frames are expected.
        guard head.method == .get, head.version == 1, head.isWebSocketUpgrade, !head.framing.mayHaveBytes,
            let key = head.first(.secWebSocketKey), isKey(bytes.extracting(key.valueRange)),
            let version = head.first(.secWebSocketVersion)
        else { return .malformed }
        return bytes.extracting(version.valueRange).equals("13") ? .valid : .versionUnsupported
    }

    /// Whether a complete response hands the connection over. That `Sec-WebSocket-Accept` fits the key is the client's to
    /// check, and it will.
    package static func isAccepted(_ head: MessageHead) -> Bool {
        head.status == 101 && head.isWebSocketUpgrade && head.first(.secWebSocketAccept) != nil
    }

    /// Base64 of 16 bytes: 22 characters, the last of which carries two bits, and two of padding.
    private static func isKey(_ key: Span<UInt8>) -> Bool {
        guard key.count == 24, key[22] == UInt8(ascii: "="), key[23] == UInt8(ascii: "=") else { return false }
        for i in 0..<22 {
            let byte = key[i]
            let isDigit = byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || byte == 43 || byte == 47  // + /
            if !isDigit { return false }
        }
        return [UInt8(ascii: "A"), UInt8(ascii: "Q"), UInt8(ascii: "g"), UInt8(ascii: "w")].contains(key[21])
    }
}
