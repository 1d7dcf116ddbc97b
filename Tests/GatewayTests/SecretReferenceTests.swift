import Foundation
import Testing

@testable import Gateway

@Suite struct SecretReferenceTests {
    /// Runs `body` with a file of this content and mode, and removes it.
    func withFile<T>(_ content: [UInt8], mode: Int = 0o600, _ body: (String) throws -> T) throws -> T {
        let path = NSTemporaryDirectory() + "/secret-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(content), attributes: [.posixPermissions: mode]))
        return try body(path)
    }

    @Test(arguments: [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("a\n\n", "a\n\n")])
    func oneLineBreakAtTheEndIsNotPartOfTheSecret(content: String, secret: String) throws {
        try withFile(Array(content.utf8)) { path in
            let resolved = try SecretReference.file(path).resolve()
            #expect(resolved == Array(secret.utf8))
        }
    }

    @Test func bytesThatAreNoTextStayAsTheyAre() throws {
        try withFile([0, 1, 2, 10]) { path in
            let resolved = try SecretReference.file(path).resolve()
            #expect(resolved == [0, 1, 2, 10])
        }
    }

    @Test func aFileThatOthersMayReadIsWarnedOf() throws {
        for (mode, count) in [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)] {
            try withFile(Array("s3cret".utf8), mode: mode) { path in
                var warnings: [String] = []
                _ = try SecretReference.file(path).resolve { warnings.append($0) }
                #expect(warnings.count == count)
                #expect(warnings.allSatisfy { $0.hasPrefix(path) && !$0.contains("s3cret") })
                let link = path + ".link"
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
                defer { try? FileManager.default.removeItem(atPath: link) }
                warnings = []
                _ = try SecretReference.file(link).resolve { warnings.append($0) }
                #expect(warnings.count == count)
            }
        }
    }

    @Test func theEnvironmentGivesSecrets() throws {
        let environment = ["KEY": "s3cret\n", "EMPTY": ""]
        #expect(try SecretReference.environment("KEY").resolve(environment: environment) == Array("s3cret".utf8))
        #expect(throws: SecretError.self) { try SecretReference.environment("EMPTY").resolve(environment: environment) }
        #expect(throws: SecretError.self) { try SecretReference.environment("NONE").resolve(environment: environment) }
    }

    @Test func whatCannotBeReadIsSaid() throws {
        func message(_ path: String) -> String {
            do {
                _ = try SecretReference.file(path).resolve()
                return ""
            } catch {
                return error.description
            }
        }
        #expect(message("/nowhere/key") == "/nowhere/key: no such file")
        #expect(message("/tmp").hasSuffix("is a directory, not a file"))
        try withFile([]) { #expect(message($0).hasSuffix("the secret is empty")) }
        try withFile([10]) { #expect(message($0).hasSuffix("the secret is empty")) }
        try withFile(Array(repeating: 65, count: SecretReference.bytesMax + 1)) {
            #expect(message($0).hasSuffix("too large for a secret"))
        }
    }
}
