import Bytes
import JSON
import Testing

@testable import Identity

/// The examples of RFC 7515 appendix A and RFC 8037 appendix A.4. Their payloads have no `sub` or `aud`, so the keys
/// are asked, not the whole verifier.
struct SpecificationVectorTests {
    struct Vector: CustomTestStringConvertible {
        let name: String
        let jwk: String
        let token: String
        var testDescription: String { name }
    }

    static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    static let vectors: [Vector] = [
        Vector(
            name: "RFC 7515 A.1, HS256",
            jwk: """
                {"kty":"oct","alg":"HS256",
                 "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}
                """,
            token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + payload
                + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        Vector(
            name: "RFC 7515 A.2, RS256",
            jwk: """
                {"kty":"RSA","alg":"RS256","e":"AQAB",
                 "n":"\(
                    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL"
                        + "-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"
                        + "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmou"
                        + "dF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ")"}
                """,
            token: "eyJhbGciOiJSUzI1NiJ9." + payload
                + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbd"
                + "s9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZR"
                + "mB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98"
                + "rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"),
        Vector(
            name: "RFC 7515 A.3, ES256",
            jwk: """
                {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                 "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
                """,
            token: "eyJhbGciOiJFUzI1NiJ9." + payload
                + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
        Vector(
            name: "RFC 8037 A.4, Ed25519",
            jwk: #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            token: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
                + ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
    ]

    @Test(arguments: vectors)
    func theExamplesOfTheSpecificationsVerify(_ vector: Vector) throws {
        let key = try #require(try KeySet.parse(Array(vector.jwk.utf8)).keys.first)
        let parts = try #require(Parts(vector.token))
        #expect(key.accepts(parts.signed, parts.signature))
        var other = parts.signed
        other[other.count - 3] ^= 1
        #expect(!key.accepts(other, parts.signature))
        for bit in 0..<8 {
            var flipped = parts.signature
            flipped[flipped.count / 2] ^= 1 << bit
            #expect(!key.accepts(parts.signed, flipped))
        }
        #expect(!key.accepts(parts.signed, []))
        #expect(!key.accepts(parts.signed, Array(parts.signature.dropLast())))
        #expect(!key.accepts(parts.signed, parts.signature + [0]))
    }

    /// RFC 8037 A.3 gives the thumbprint of its key.
    @Test func theThumbprintIsThatOfTheSpecification() throws {
        let key = try #require(try KeySet.parse(Array(Self.vectors[3].jwk.utf8)).keys.first?.publicKey)
        #expect(JWK.thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }
}
