/// Why a message is refused. A closed set: each case has a status for the sender of a request and a detail that is safe
/// to show. After an error the connection must be closed: where the next message begins is no longer known.
public enum HTTPError: UInt8, Error, Sendable, CaseIterable {
    // The request line.
    case requestLineMalformed
    case methodTooLong
    case targetTooLong
    case targetInvalid
    case targetFormInvalid
    case versionMalformed
    case versionUnsupported
    // The status line.
    case statusLineMalformed
    case switchingNotAsked
    case bodyNotAllowed
    // Lines and fields.
    case lineEndingInvalid
    case controlCharacter
    case foldedLine
    case whiteSpaceAroundFieldName
    case fieldNameInvalid
    case fieldNameAmbiguous
    case fieldValueInvalid
    case fieldLineTooLong
    case headTooLong
    case tooManyFields
    case connectionOptionForbidden
    case fieldRepeated
    // Who is asked.
    case hostMissing
    case hostRepeated
    case hostInvalid
    case hostDisagrees
    // Framing.
    case contentLengthRepeated
    case contentLengthInvalid
    case lengthAndTransferEncoding
    case transferEncodingRepeated
    case transferEncodingObfuscated
    case transferEncodingUnsupported
    case transferEncodingInOldVersion
    case expectationUnknown
    /// Extended CONNECT of a protocol that is not opened here. (RFC 8441 §4)
    case connectProtocolUnknown
    // The body.
    case bodyTooLarge
    case bodyIncomplete
    case chunkSizeInvalid
    case chunkExtension
    case chunkEndingInvalid
    case trailersTooLong
    case trailerForbidden
    // For drivers: the head or body did not come in time.
    case requestTimeout

    /// Status of the answer to a client that sent this. (RFC 9110 §15.5, RFC 6585 §5)
    public var status: Int {
        switch self {
        case .targetTooLong: 414
        case .methodTooLong, .transferEncodingUnsupported, .connectProtocolUnknown: 501
        case .versionUnsupported: 505
        case .fieldLineTooLong, .headTooLong, .tooManyFields, .trailersTooLong: 431
        case .expectationUnknown: 417
        case .bodyTooLarge: 413
        case .requestTimeout: 408
        default: 400
        }
    }

    /// Status of our answer when an upstream sent this: 502 Bad Gateway.
    public var gatewayStatus: Int { self == .requestTimeout ? 504 : 502 }

    /// What is wrong, in words that are safe to send and to log: no byte of the message is in them.
    public var detail: String {
        switch self {
        case .requestLineMalformed: "the request line is not `method SP target SP version`"
        case .methodTooLong: "the method is longer than any method known here"
        case .targetTooLong: "the request target is too long"
        case .targetInvalid: "the request target holds a character that must be percent-encoded"
        case .targetFormInvalid: "the request target has a form that its method does not allow"
        case .versionMalformed: "the protocol version is malformed"
        case .versionUnsupported: "only HTTP/1.0 and HTTP/1.1 are spoken here"
        case .statusLineMalformed: "the status line is malformed"
        case .switchingNotAsked: "101 was answered although no upgrade was asked for"
        case .bodyNotAllowed: "a body is announced where none is allowed"
        case .lineEndingInvalid: "a line does not end with CR LF"
        case .controlCharacter: "a field value holds a control character"
        case .foldedLine: "a field line is folded"
        case .whiteSpaceAroundFieldName: "white space stands before or after a field name"
        case .fieldNameInvalid: "a field name is empty or holds a character that is not allowed"
        case .fieldNameAmbiguous: "a field name with an underscore would be mistaken for a known field"
        case .fieldValueInvalid: "a field value holds a character that is not allowed"
        case .fieldLineTooLong: "a field line is too long"
        case .headTooLong: "the head is too long"
        case .tooManyFields: "the head has too many field lines"
        case .connectionOptionForbidden: "`Connection` is malformed or names a field that is meant for all recipients"
        case .fieldRepeated: "a field that may stand once is repeated"
        case .hostMissing: "`Host` is missing"
        case .hostRepeated: "`Host` is repeated"
        case .hostInvalid: "`Host` is not a host with an optional port"
        case .hostDisagrees: "`Host` and the request target name different hosts"
        case .contentLengthRepeated: "`Content-Length` is repeated"
        case .contentLengthInvalid: "`Content-Length` is not a decimal number in range"
        case .lengthAndTransferEncoding: "`Content-Length` and `Transfer-Encoding` exclude each other"
        case .transferEncodingRepeated: "`Transfer-Encoding` is repeated"
        case .transferEncodingObfuscated: "`Transfer-Encoding` is malformed"
        case .transferEncodingUnsupported: "only the transfer coding `chunked` is understood"
        case .transferEncodingInOldVersion: "`Transfer-Encoding` does not exist in HTTP/1.0"
        case .expectationUnknown: "only the expectation `100-continue` is understood"
        case .connectProtocolUnknown: "only the protocol `websocket` can be opened by CONNECT"
        case .bodyTooLarge: "the body is too large"
        case .bodyIncomplete: "the connection ended before the body did"
        case .chunkSizeInvalid: "a chunk size is not a hexadecimal number in range"
        case .chunkExtension: "chunk extensions are not accepted"
        case .chunkEndingInvalid: "a chunk does not end with CR LF"
        case .trailersTooLong: "the trailer section is too long"
        case .trailerForbidden: "the trailer section holds a field that may not stand there"
        case .requestTimeout: "the request did not arrive in time"
        }
    }
}
