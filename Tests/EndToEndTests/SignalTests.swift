import Foundation
import Glibc
import JSON
import Testing

/// The running gateway and what it is told by signals.
@Suite struct SignalTests {
    /// The shipped installation on free ports.
    static func install(_ millgate: Millgate) throws {
        try CheckCommandTests.install(millgate)
        for old in ["\":8080\"", "\":8443\"", "127.0.0.1:9090"] {
            try CheckCommandTests.edit(millgate, "deploy/millgate.yaml", "address: " + old, "address: \"127.0.0.1:0\"")
        }
    }

    static func wait(_ seconds: Double, until isSo: () -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            if isSo() { return true }
            usleep(10_000)
        }
        return isSo()
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalStopsTheGatewayAndClosesItsLog(signal: Int32) throws {
        try Millgate.inDirectory { millgate in
            try Self.install(millgate)
            let process = try millgate.start(["serve", "--address-file", "addresses.json"])
            #expect(Self.wait(20) { millgate.contains("admin", "addresses.json") })

            // A reload is asked for first: it must neither stop the gateway nor be lost.
            process.send(SIGHUP)
            #expect(Self.wait(10) { millgate.contains("SIGHUP", "var/audit/audit-00000001.jsonl") })
            #expect(process.isRunning)
            process.send(signal)
            #expect(Self.wait(20) { !process.isRunning })
            #expect(process.status == 0)
            let verified = try millgate.run(["audit", "verify", "var/audit", "--key", "certs/dev/audit.key"])
            #expect(verified.status == 0, "\(verified.output)")
            let last = try millgate.run(["audit", "show", "var/audit", "--last", "1"])
            #expect(last.output.contains("the log was closed"), "\(last.output)")
        }
    }

    @Test func followingTheLogShowsWhatIsWrittenUntilItIsStopped() throws {
        try Millgate.inDirectory { millgate in
            let file = "log/audit-00000001.jsonl"
            let line = "{\"kind\":\"outcome\",\"subject\":\"anna\",\"seq\":"
            try millgate.write("\(line)1}\n\(line)2}\n\(line)3", to: file)
            let process = try millgate.start(["audit", "show", "log", "--follow"], output: "shown")
            // An unfinished line waits for its end.
            #expect(Self.wait(10) { millgate.contains("#2  outcome  anna  -\n", "shown") })
            #expect(!millgate.contains("#3", "shown"))
            let log = try FileHandle(forWritingTo: millgate.directory.appendingPathComponent(file))
            try log.seekToEnd()
            try log.write(contentsOf: Data("}\n\(line)4}\n".utf8))
            try log.close()
            try millgate.write("\(line)5}\n", to: "log/audit-00000002.jsonl")
            #expect(Self.wait(10) { millgate.contains("#5  outcome  anna  -\n", "shown") })
            #expect(try millgate.text("shown").split(separator: "\n").count == 5)
            process.send(SIGINT)
            #expect(Self.wait(10) { !process.isRunning })
        }
    }
}
