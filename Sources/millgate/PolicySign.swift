import ArgumentParser
import Documents
import Foundation
import Gateway
import Identity
import Policy

struct PolicySign: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign the policies of a directory.",
        discussion: """
            Example: millgate keys new --kind ed25519 --kid policies --out keys
                     millgate policy sign --key keys/policies.key

            Writes manifest.json, the digests of all files, and manifest.sig, its Ed25519 signature, into the directory.
            A gateway with `policies: {directory: policies, verify: keys/policies.jwk}` enforces nothing else.
            """)

    @OptionGroup var options: PolicyOptions
    @Option(help: "The private key (PEM, Ed25519).")
    var key: String

    func run() throws {
        let loaded = try options.load()
        guard let pem = PrivateFiles.text(key) else { throw failure("\(key): cannot be read") }
        do {
            let signer = try SigningKey.read(privatePEM: pem)
            guard signer.algorithm == .eddsa else { throw KeyError("not an Ed25519 key") }
            let manifest = loaded.bundle.expected.bytes
            guard let signature = try signer.sign(manifest) else { throw KeyError("no private key") }
            let directory = loaded.bundle.directory
            try Data(manifest).write(
                to: URL(fileURLWithPath: "\(directory)/\(BundleManifest.name)"), options: .atomic)
            try Data(signature).write(
                to: URL(fileURLWithPath: "\(directory)/\(BundleManifest.signatureName)"), options: .atomic)
            print("signed \(loaded.bundle.files.count) files; digest \(loaded.bundle.digest.prefix(16))")
        } catch {
            throw failure("\(key): \(error)")
        }
    }
}

struct PolicyVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the signature of the policies of a directory.",
        discussion: """
            Example: millgate policy verify --key keys/policies.jwk

            Names each file that was changed, added or removed since. Exit code 1 when the gateway would refuse them.
            """)

    @OptionGroup var options: PolicyOptions
    @Option(help: "The public key. (default: `policies.verify` of the configuration)")
    var key: String?

    func run() throws {
        do throws(DocumentErrors) {
            let configuration = try ConfigurationFile.read(options.config)
            let bundle = try PolicyBundle.read(options.policies ?? configuration.policies)
            guard let file = key ?? configuration.policyKey else {
                throw DocumentErrors([
                    DocumentError(
                        file: options.config, line: 1, column: 1,
                        message: "no key: give --key, or `policies: {verify: KEY}` in the configuration")
                ])
            }
            try bundle.verify(try BundleKey(file: file))
            print("good: \(bundle.files.count) files are as they were signed; digest \(bundle.digest.prefix(16))")
        } catch {
            for one in error.errors { complain("\(one)") }
            throw ExitCode.failure
        }
    }
}

struct PolicyRollback: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to policies that were in force before.",
        discussion: """
            Example: millgate policy rollback

            The gateway keeps a copy of each version that came into force. This enforces the one before the last, or the
            one whose digest begins with --to, within about four seconds (at once on SIGHUP), whatever the files say, until
            --release. --list shows the versions.
            """)

    @OptionGroup var options: PolicyOptions
    @Option(help: "Beginning of the digest to go back to.")
    var to: String?
    @Flag(help: "Enforce the files again.")
    var release = false
    @Flag(help: "List the versions that were kept, the last in force at the end.")
    var list = false

    func run() throws {
        let store: BundleStore
        do throws(DocumentErrors) {
            store = BundleStore(state: try ConfigurationFile.read(options.config).state)
        } catch {
            for one in error.errors { complain("\(one)") }
            throw ExitCode.configuration
        }
        do throws(FilesError) {
            if list {
                for digest in store.history { print(digest + (digest == store.pinned ? "  pinned" : "")) }
                return
            }
            if release {
                try store.release()
                print("the files are enforced again")
                return
            }
            let digest = try target(store)
            _ = try check(store, digest)
            try store.pin(digest)
            print("pinned \(digest): enforced within four seconds, until `millgate policy rollback --release`")
        } catch {
            throw failure("\(error)")
        }
    }

    private func target(_ store: BundleStore) throws(FilesError) -> String {
        let history = store.history
        if let to {
            let matching = history.filter { $0.hasPrefix(to) }
            guard matching.count == 1, let only = matching.first else {
                throw FilesError(
                    description: matching.isEmpty ? "no version that was kept begins with \(to)" : "\(to) is not unique"
                )
            }
            return only
        }
        guard history.count > 1 else { throw FilesError(description: "no earlier version was kept") }
        return history[history.count - 2]
    }

    /// Whether the copy is still good.
    private func check(_ store: BundleStore, _ digest: String) throws(FilesError) -> PolicyBundle {
        do throws(DocumentErrors) {
            return try store.bundle(digest)
        } catch {
            throw FilesError(description: error.description)
        }
    }
}
