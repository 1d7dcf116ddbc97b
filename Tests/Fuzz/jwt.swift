// Fuzzes what reads bytes from strangers: a token as it comes, a header and payload under a good signature (so that the
// claims are reached), a JWK set, and a certificate.
#if canImport(Bytes)
    import Bytes
#endif
#if canImport(JSON)
    import JSON
#endif
#if canImport(Identity)
    import Identity
#endif

private let secret = Array("a secret of sixty-four bytes, long enough for HS512 as well, 0123".utf8)
private let now = WallInstant(seconds: 1_790_000_000)

private let verifier: TokenVerifier? = {
    guard let key = try? VerificationKey(id: "k1", algorithm: .hs256, secret: secret),
        let keys = try? KeySet([key])
    else { return nil }
    let issuer = IssuerConfiguration(
        issuer: "i", audiences: ["a"], algorithms: [.hs256], keys: keys, requiredScopes: ["s"])
    return try? TokenVerifier(issuers: [issuer])
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJWT(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0, let verifier else { return 0 }
    let input = Array(UnsafeBufferPointer(start: data + 1, count: count - 1))
    switch data[0] % 5 {
    case 0:
        // Nobody who does not know the secret gets in: a token that is accepted is the fuzzer's lucky day.
        if (try? verifier.verify(input.span, now: now)) != nil { preconditionFailure("a forged token was accepted") }
    case 1:
        let text = Base64URL.encode(Array(#"{"alg":"HS256","kid":"k1"}"#.utf8)) + "." + Base64URL.encode(input)
        _ = try? verifier.verify(signed(text), now: now)
    case 2:
        let text =
            Base64URL.encode(input) + "."
            + Base64URL.encode(Array(#"{"iss":"i","sub":"x","aud":"a","exp":1790000600,"scope":"s"}"#.utf8))
        _ = try? verifier.verify(signed(text), now: now)
    case 3:
        _ = try? KeySet.parse(input, rsaAlgorithm: .rs256)
        _ = try? PublicKey.pem(input)
    default:
        _ = try? ClientCertificate(der: input)
    }
    return 0
}

private let code = try? MessageCode(secret: secret, algorithm: .hs256)

private func signed(_ text: String) -> String {
    let message = Array(text.utf8)
    return text + "." + Base64URL.encode(code?.code(message.span) ?? [])
}
