import Bytes
import JSON
import Testing

@testable import OdooSandbox

@Suite struct PageTests {
    /// Path, status on 17, status on 19.
    static let pages: [(String, Int, Int)] = [
        ("/", 303, 303), ("/web", 303, 303), ("/odoo", 404, 303), ("/web/login", 200, 200), ("/web/health", 200, 200),
        ("/web/version", 404, 200), ("/web/database/manager", 200, 200), ("/web/database/selector", 200, 200),
        ("/xmlrpc/2/common", 200, 200), ("/no/such/page", 404, 404), ("/websocket", 400, 400), ("/json/2", 404, 404),
        ("/sandbox/nope", 404, 404), ("/web/static/big?size=10", 200, 200),
    ]

    @Test(arguments: pages)
    func pagesAnswerWithTheirStatus(path: String, status17: Int, status19: Int) {
        #expect(SandboxClient(.v17).send("GET", path).status == status17)
        #expect(SandboxClient(.v19).send("GET", path).status == status19)
    }

    @Test func theBigFileIsAsBigAsAsked() {
        let client = SandboxClient(.v19)
        #expect(client.send("GET", "/web/static/big").body.count == 4 << 20)
        #expect(client.send("GET", "/web/static/big?size=1000").body.count == 1000)
        #expect(client.send("GET", "/web/static/big?size=-1").body.isEmpty)
        #expect(
            client.send("GET", "/web/static/big?size=1000").body == client.send("GET", "/web/static/big?size=1000").body
        )
    }

    @Test func theCookieIsNeverSecure() {
        let cookies = SandboxClient(.v19).send("GET", "/web/login").fields.filter { $0.name == "Set-Cookie" }
        #expect(cookies.count == 1)
        #expect(cookies.first?.value.contains("Secure") == false)
    }

    @Test func theWebSocketHandshakeIsThatOfTheRFC() {
        let answer = SandboxClient(.v19).send(
            "GET", "/websocket?version=19.0-1",
            fields: [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ])
        #expect(answer.status == 101)
        #expect(answer.isUpgrade)
        #expect(answer.fields.first { $0.name == "Sec-WebSocket-Accept" }?.value == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    /// FIPS 180 examples, and lengths around the block.
    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
        (String(repeating: "a", count: 64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
    ])
    func sha1(text: String, digest: String) {
        #expect(Hex.encode(SHA1.digest(Array(text.utf8))) == digest)
    }
}
