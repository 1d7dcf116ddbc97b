import Testing
import Upstream

@testable import Gateway

@Suite struct ConfigurationRPCTests {
    private func complaints(_ more: String) -> [String] {
        ConfigurationReaderTests.complaints(ConfigurationReaderTests.minimal(more))
    }

    @Test func anRPCRouteHasNoServerAndKeysOfItsOwn() throws {
        let read = try ConfigurationReaderTests.read(
            ConfigurationReaderTests.minimal(
                """
                routes:
                  - name: scripts
                    kind: rpc
                    paths: [/jsonrpc, /xmlrpc/2, /json]
                    protocol: json2
                    token_as_password: false
                    body_max: 2MiB
                odoo:
                  accounts:
                    - {name: readers, login: reader, key: {env: READER_KEY}, roles: [auditor]}
                """))
        #expect(read.routes.map(\.path) == ["/jsonrpc", "/xmlrpc/2", "/json"])
        for route in read.routes {
            #expect(route.kind == .rpc && route.upstream == nil)
            #expect(route.relayProtocol == .json2 && !route.takesTokenAsPassword)
            #expect(route.bodyBytesMax == 2 << 20)
        }
        #expect(read.odoo.accounts.map(\.login) == ["reader"])
    }

    @Test func whatAnRPCRouteCannotHaveIsAnError() {
        func route(_ more: String) -> [String] { complaints("routes:\n  - {name: s, kind: rpc, \(more)}\n") }
        #expect(route("path: /web").first?.contains("'/web' is none of Odoo's interfaces") == true)
        #expect(route("path: /").first?.contains("is none of Odoo's interfaces") == true)
        #expect(route("path: /jsonrpc, access: open").first?.contains("asks for a token") == true)
        #expect(route("path: /jsonrpc, protocol: soap").first?.contains("soap") == true)
        #expect(route("path: /jsonrpc, upstream: odoo").first?.contains("unknown key 'upstream'") == true)
        #expect(route("path: /jsonrpc").isEmpty)
    }

    @Test func limitsMayNameMethodsOfOdoo() {
        func limit(_ operation: String) -> [String] {
            complaints("limits:\n  - {name: l, key: subject, quota: 1, window: 1s, operations: [\"\(operation)\"]}\n")
        }
        for operation in ["odoo.rpc:*", "odoo.rpc:mrp.production.*", "odoo.rpc:mrp.production.write"] {
            #expect(limit(operation).isEmpty, "\(operation)")
        }
        #expect(!limit("odoo.rpc:mrp production").isEmpty)
    }
}
