import ArgumentParser
import CSystem
import Gateway

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the versions of millgate and of the libraries it uses.")

    func run() {
        print("millgate \(Version.current)")
        if let openssl = OpenSSL_version(OPENSSL_VERSION) { print(String(cString: openssl)) }
        if let sqlite = sqlite3_libversion() { print("SQLite \(String(cString: sqlite))") }
    }
}
