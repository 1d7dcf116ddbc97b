import Foundation
import Reactor
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ChildProcessTests {
    static func run(
        _ program: String, _ arguments: [String], change: (inout ChildProcess.Configuration) -> Void = { _ in }
    ) async throws -> (end: ChildProcess.End, text: String) {
        let file = FileManager.default.temporaryDirectory.appending(path: "millgate-child-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        var configuration = ChildProcess.Configuration(program, arguments)
        configuration.output = file.path
        configuration.errors = file.path
        change(&configuration)
        let end = try await ChildProcess(configuration).end()
        return (end, try String(contentsOf: file, encoding: .utf8))
    }

    @Test func whatItPrintsAndHowItEndsIsTold() async throws {
        let result = try await Self.run("sh", ["-c", "echo out; echo err >&2; exit 7"])
        #expect(result.end == .exit(7))
        #expect(result.text == "out\nerr\n")
    }

    @Test func aSignalIsTold() async throws {
        #expect(try await Self.run("sh", ["-c", "kill -9 $$"]).end == .signal(9))
    }

    @Test func itGetsItsEnvironmentDirectoryAndInput() async throws {
        let result = try await Self.run("sh", ["-c", "echo $COLOUR; pwd; cat; test -n \"$PATH\""]) {
            $0.environment = ["COLOUR": "teal=ish"]
            $0.directory = "/usr"
        }
        #expect(result.end == .exit(0))
        #expect(result.text == "teal=ish\n/usr\n")
    }

    /// A child that could write to a store or a socket of its parent would keep it open.
    @Test func noOtherDescriptorReachesIt() async throws {
        let held = try FileHandle(forReadingFrom: URL(filePath: "/dev/null"))
        let result = try await Self.run("sh", ["-c", "ls /proc/self/fd | wc -l"])
        // The three streams, and the directory that `ls` reads.
        #expect(result.text == "4\n")
        try held.close()
    }

    @Test func noSignalIsBlockedOrIgnored() async throws {
        let result = try await Self.run("grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"])
        // But for signals 32 and 33, which are the C library's own.
        let text = result.text.replacing("0000000180000000", with: "0000000000000000")
        #expect(text == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
    }

    @Test func whatIsNotThereIsAnError() async throws {
        #expect(throws: ReactorError.system(call: "posix_spawn", code: 2)) {
            try ChildProcess(.init("/no/such/program"))
        }
    }

    @Test func itCanBeEndedAndAskedTwice() async throws {
        let child = try ChildProcess(.init("sleep", ["60"]))
        #expect(child.ended == nil)
        child.send(15)
        #expect(child.wait() == .signal(15))
        #expect(child.ended == .signal(15))
        child.send(9)
        #expect(await child.end() == .signal(15))
    }
}
