import ArgumentParser
import Foundation

extension ExitCode {
    /// `EX_CONFIG`: the configuration, or a file that it names, is wrong.
    static let configuration = ExitCode(78)
}

/// Prints to standard error.
func complain(_ message: String) {
    FileHandle.standardError.write(Data((message + "\n").utf8))
}

/// Prints why a command ends to standard error, and gives what to throw for it.
func failure(_ message: String, _ code: ExitCode = .failure) -> ExitCode {
    complain("millgate: " + message)
    return code
}
