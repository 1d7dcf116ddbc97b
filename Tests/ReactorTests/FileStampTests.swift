import Foundation
import Reactor
import Testing

@Test func aFileThatIsWrittenOrReplacedHasAnotherStampAndOneThatIsReadHasNot() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "millgate-stamp-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(FileStamp(of: path) == nil)
    try Data("one".utf8).write(to: URL(fileURLWithPath: path))
    let first = try #require(FileStamp(of: path))
    _ = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(FileStamp(of: path) == first)
    // As an editor does that writes beside and renames: another file, of the same size.
    try Data("two".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    #expect(FileStamp(of: path) != first)
    try Data("longer".utf8).write(to: URL(fileURLWithPath: path))
    #expect(FileStamp(of: path) != first)
}
