@testable import OdooSandbox

/// The recordings that the sandbox does not play, each with the reason.
enum ReplayScope {
    private static let reasons: [(numbers: [ClosedRange<Int>], reason: String)] = [
        ([716...717], "two at the same moment"),
        ([204...206], "the recorded body is cut or chunked: the server's business"),
        ([208...208, 211...212, 601...601, 603...603, 622...623, 625...625], "connections: the server's business"),
        ([210...210], "the web client's session"),
        ([225...230], "XML-RPC: only pages, so that the gateway's closing of it can be tested"),
        ([501...506, 522...522], "automation rules and outgoing webhooks"),
    ]
    /// The same numbers mean different recordings on the versions.
    private static let reasons17: [(numbers: [ClosedRange<Int>], reason: String)] = [
        ([720...720], "onchange: the web client's")
    ]
    private static let reasons19: [(numbers: [ClosedRange<Int>], reason: String)] = [
        ([722...722], "onchange: the web client's")
    ]

    /// Why a recording is out of scope; nil when it is played.
    static func reason(_ number: Int, _ version: SandboxVersion) -> String? {
        (reasons + (version.is19 ? reasons19 : reasons17))
            .first { $0.numbers.contains { $0.contains(number) } }?.reason
    }

    static let allReasons = Set((reasons + reasons17 + reasons19).map(\.reason))
}
