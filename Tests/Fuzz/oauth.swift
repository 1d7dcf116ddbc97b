// Any bytes as what issuers and clients send besides tokens: metadata, published keys, forms, times. Never a crash; what
// is read of a form reads the same again, and a time survives writing.
#if !FUZZ
    import Bytes
    import Identity
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOAuth(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let text = String(decoding: bytes, as: UTF8.self)
    switch start[0] {
    case UInt8(ascii: "m"):
        guard let metadata = try? IssuerMetadata(bytes, issuer: "https://id.example", allowsLoopback: false) else {
            return 0
        }
        guard metadata.keysURL.hasPrefix("https://") else { fatalError("keys from somewhere else") }
    case UInt8(ascii: "k"):
        guard let set = try? KeySet.parsePublished(bytes) else { return 0 }
        guard set.keys.allSatisfy({ $0.publicKey != nil }), set.keys.count <= KeySet.publishedKeysMax else {
            fatalError("a published secret is a key")
        }
    case UInt8(ascii: "t"):
        guard let time = WallInstant(rfc3339: text) else { return 0 }
        guard let again = WallInstant(rfc3339: time.rfc3339), abs(again - time) < 1_000_000 else {
            fatalError("a time does not survive writing and reading")
        }
    case UInt8(ascii: "c"):
        guard (CacheControl.maxAge(text) ?? 0) >= 0 else { fatalError("an age below nothing") }
        _ = IssuerURL.metadata(of: text)
        _ = IssuerURL.fault(text, allowsLoopback: true)
        _ = ClientAssertion.claimedClient(text)
    default:
        guard FormParameters(bytes) != nil else { return 0 }
        guard FormParameters(bytes + Array("&".utf8)) != nil else { fatalError("an empty part matters") }
    }
    return 0
}
