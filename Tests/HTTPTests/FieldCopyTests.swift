import Bytes
import Testing

@testable import HTTP

/// What is passed on of a head's fields.
@Suite struct FieldCopyTests {
    /// The fields of a request as `appendFields` passes them on.
    private func copied(_ lines: [String], except: UInt64 = 0) throws -> String {
        let text = Array(("GET / HTTP/1.1\r\nHost: h\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        let head = MessageHead()
        var reader = RequestHeadReader()
        let step = try reader.read(text.span, into: head)
        guard case .complete = step else { return "incomplete" }
        let out = IOBuffer(capacity: 16)
        head.appendFields(of: text.span, except: except | FieldName.host.bit, to: out)
        return out.readable.text
    }

    @Test(arguments: [
        ([], ""),
        (["Accept: a"], "Accept: a\r\n"),
        (["Accept: a", "X-Other: b", "Cookie: c"], "Accept: a\r\nX-Other: b\r\nCookie: c\r\n"),
        // Another form is written anew, and what stands around it stays.
        (["Accept: a", "X-Other:b", "Cookie: c"], "Accept: a\r\nX-Other: b\r\nCookie: c\r\n"),
        (["X-One:\tb", "X-Two:  b ", "X-Three:", "X-Four: "], "X-One: b\r\nX-Two: b\r\nX-Three: \r\nX-Four: \r\n"),
        (["X-One: a\t", "Accept: b"], "X-One: a\r\nAccept: b\r\n"),
        // For the next hop only.
        (["TE: trailers", "Accept: a", "Keep-Alive: 1", "Cookie: c", "Proxy-X: d"], "Accept: a\r\nCookie: c\r\n"),
        (["Connection: x-secret", "X-Secret: 1", "Accept: a"], "Accept: a\r\n"),
    ])
    func onlyWhatIsMeantForTheEndIsPassedOn(lines: [String], expected: String) throws {
        #expect(try copied(lines) == expected)
    }

    @Test func excludedNamesAreLeftOutAndUnknownOnesNever() throws {
        let lines = ["Authorization: Bearer x", "X-Any: 1", "Via: 1.1 a", "Accept: b"]
        let except = FieldName.authorization.bit | FieldName.via.bit
        #expect(try copied(lines, except: except) == "X-Any: 1\r\nAccept: b\r\n")
        #expect(try copied(lines, except: .max) == "X-Any: 1\r\n")
    }

    /// Every subset of a few lines, of plain and other forms, against writing them one by one.
    @Test func copyingStretchesIsTheSameAsCopyingLines() throws {
        let forms = ["Accept: a", "X-A:b", "Cookie: c ", "TE: x", "Authorization: Bearer y", "X-B: d"]
        let plain = ["Accept: a\r\n", "X-A: b\r\n", "Cookie: c\r\n", "", "", "X-B: d\r\n"]
        for set in 0..<(1 << forms.count) {
            let chosen = forms.indices.filter { set >> $0 & 1 == 1 }
            let expected = chosen.map { plain[$0] }.joined()
            #expect(try copied(chosen.map { forms[$0] }, except: FieldName.authorization.bit) == expected)
        }
    }
}
