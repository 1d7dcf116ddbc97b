import ArgumentParser
import Audit
import Gateway
import Store

struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Find any entry that was changed, removed, moved, doubled or cut off.",
        discussion: """
            Example: millgate audit verify var/audit --key certs/dev/audit.key

            May run while the gateway writes. Without --key the chain is checked, but somebody who rewrote all of it
            from some entry on would not be noticed. Exit code 1 when something is wrong, with file and line.
            """)

    @Argument(help: "Directory of the log.")
    var directory = "var/audit"

    @Option(help: "File with the log's key; repeat it for keys of earlier times.")
    var key: [String] = []

    @Option(help: "The oldest segment that must be there, where older ones were archived.")
    var firstSegment = 1

    func validate() throws {
        if firstSegment < 1 { throw ValidationError("--first-segment is at least 1.") }
    }

    func run() throws {
        let report = try verify(keys: key.map(Self.read))
        for note in report.notes { print("note: \(directory)/\(note)") }
        for finding in report.findings { print("\(directory)/\(finding)") }
        if report.findingsTotal > report.findings.count {
            print("… and \(report.findingsTotal - report.findings.count) more")
        }
        let what =
            "\(report.lines) lines in \(report.segments) segments, "
            + "entries \(report.firstSequence) to \(report.lastSequence)"
        if report.isIntact {
            print("intact: \(what)" + (report.isAuthenticated ? ", authenticated" : "; give --key to authenticate it"))
        } else {
            print("NOT intact: \(report.findingsTotal) findings; \(what)")
            throw ExitCode.failure
        }
    }

    private func verify(keys: [AuditKey]) throws -> AuditReport {
        do throws(StoreError) {
            if try !AuditDirectory.segments(in: directory).isEmpty {
                return try AuditDirectory.verify(directory, keys: keys, firstSegment: firstSegment)
            }
        } catch {
            throw failure("\(directory): \(error)")
        }
        throw failure("\(directory): no audit log here")
    }

    private static func read(_ path: String) throws -> AuditKey {
        do throws(SecretError) {
            let secret = try SecretReference.file(path).resolve { complain("warning: " + $0) }
            if let key = AuditKey(secret: secret) { return key }
        } catch {
            throw failure("\(error)", .configuration)
        }
        throw failure("\(path): a key has at least \(AuditKey.secretBytesMin) bytes", .configuration)
    }
}
