import Bytes
import Testing

@testable import HTTP

@Suite struct FieldNameTests {
    private static let known = FieldName.allCases.filter { $0 != .other }

    /// The name a head reader finds in front of `: x`, with enough bytes behind it and with few.
    private func scanned(_ name: [UInt8]) -> [FieldName] {
        var found: [FieldName] = []
        for rest in [": x\r\n\r\n", ": " + String(repeating: "x", count: 40) + "\r\n\r\n"] {
            let bytes = name + Array(rest.utf8)
            found.append(FieldName.scan(bytes.span, at: 0).name)
        }
        return found
    }

    private func named(_ bytes: [UInt8]) -> FieldName { FieldName(bytes.span) }

    @Test func everyKnownNameIsFoundInAnyCase() {
        for name in Self.known {
            let text = Array("\(name.text)".utf8)
            for bytes in [text, Array("\(name.text)".lowercased().utf8), Array("\(name.text)".uppercased().utf8)] {
                #expect(scanned(bytes) == [name, name], "\(name)")
                #expect(named(bytes) == name)
            }
            #expect(text.count <= FieldName.lengthMax)
        }
        #expect(Set(Self.known.map { "\($0.text)".lowercased() }).count == Self.known.count)
        #expect(FieldName.allCases.count <= 64)
    }

    @Test func nothingElseIsTakenForAKnownName() {
        for name in Self.known {
            let text = Array("\(name.text)".utf8)
            for at in text.indices {
                for byte in UInt8.min...UInt8.max {
                    var changed = text
                    changed[at] = byte
                    let isSame =
                        Array("\(name.text)".lowercased().utf8)
                        == changed.map {
                            $0 >= 65 && $0 <= 90 ? $0 + 32 : $0
                        }
                    // Another known name is one letter away from none, but a colon cuts the name short.
                    if isSame || byte == UInt8(ascii: ":") { continue }
                    #expect(scanned(changed) == [.other, .other], "\(name) with \(byte) at \(at)")
                    #expect(named(changed) == .other)
                }
            }
            for changed in [text + [0x73], Array(text.dropLast()), [0x78] + text, text + [0x20], text + [0]] {
                let found = named(changed)
                #expect(found == .other || "\(found.text)".count == changed.count)
                #expect(scanned(changed) == [found, found])
            }
        }
    }

    @Test func namesOfAnyLengthAreSafe() {
        for length in 0...80 {
            let name = [UInt8](repeating: 0x61, count: length)
            #expect(scanned(name) == [.other, .other])
            #expect(named(name) == .other)
        }
        for length in 0..<30 {
            let bytes = [UInt8](repeating: 0x3a, count: length)
            for at in 0...length {
                let found = FieldName.scan(bytes.span, at: at).name
                #expect(found == .other)
            }
        }
    }
}
