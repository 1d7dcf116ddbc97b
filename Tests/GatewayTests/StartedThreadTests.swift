import Documents
import Synchronization
import Testing

@testable import Gateway

/// Files that are read on two threads say what they say on one.
@Suite struct StartedThreadTests {
    private static let files = (0..<60).map { number in
        (path: "f/\(number).yaml", text: number % 7 == 3 ? "a: [\n" : "name: n\(number)\nspare: \(number)\n")
    }

    private static func read(_ second: SecondThread) -> (names: [String], errors: [String]) {
        let reader = DocumentReader()
        let read = DocumentFiles.read(files, reporting: reader, with: second) { path, mapping, reader in
            if mapping.requiredString("name") == "n5" { reader.report("no five", at: mapping.node) }
            return path + " " + mapping.requiredString("name")
        }
        for one in read { #expect(one.value.hasPrefix(one.mark.file + " ")) }
        return (read.map(\.value), reader.errors.map(\.description))
    }

    @Test func valuesAndErrorsComeInTheOrderOfTheFiles() {
        let alone = Self.read(.none)
        #expect(alone.names.count == 51)
        // Nine that are no YAML, a key that nobody asked for in each other one, and five.
        #expect(alone.errors.count == min(61, DocumentLimits.errorsMax))
        #expect(alone.errors.first == "f/0.yaml:2:1: unknown key 'spare'")
        for _ in 0..<50 {
            let both = Self.read(.started)
            #expect(both.names == alone.names && both.errors == alone.errors)
        }
    }

    @Test func theSecondThreadIsWaitedFor() {
        let done = CallCounter()
        let wait = SecondThread.started.begin { for _ in 0..<100_000 { done.count() } }
        wait()
        #expect(done.value == 100_000)
    }
}

private final class CallCounter: Sendable {
    private let number = Mutex(0)
    func count() { number.withLock { $0 += 1 } }
    var value: Int { number.withLock { $0 } }
}
