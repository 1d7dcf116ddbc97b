import JSON
import Testing

@testable import Odoo

struct OdooLoadAnswerTests {
    @Test func theSameExternalIDGivesTheSameRecord() throws {
        for (version, first, again, id) in [
            (17, "709", "710", 122), (19, "709", "710", 127), (17, "712", "713", 51), (19, "720", "721", 42),
        ] {
            for number in [first, again] {
                #expect(OdooLoadAnswer(try Recording.find(version, number).result()) == .loaded(ids: [id]))
            }
        }
    }

    @Test func errorsComeBackAsAResult() throws {
        for version in [17, 19] {
            let answer = try #require(OdooLoadAnswer(try Recording.find(version, "711").result()))
            guard case .refused(let messages) = answer else {
                Issue.record("711 is a refusal")
                return
            }
            #expect(messages.map(\.field) == ["product_id", "product_id"])
            #expect(messages[0].text == "No matching record found for database id '99999999' in field 'Product'")
            #expect(!answer.isWorthRetrying)
        }
    }

    @Test func theLoserOfTwoLoadsAtOnceTriesAgain() throws {
        for version in [17, 19] {
            #expect(try #require(OdooLoadAnswer(try Recording.find(version, "717").result())).isWorthRetrying)
            #expect(try !#require(OdooLoadAnswer(try Recording.find(version, "716").result())).isWorthRetrying)
        }
    }

    @Test func otherResultsAreNone() {
        let table: [JSONValue?] = [
            nil, true, [], [:], ["ids": true], ["ids": 1], ["ids": ["1"]], ["ids": [0]], ["ids": false],
            ["ids": false, "messages": 1],
        ]
        for result in table { #expect(OdooLoadAnswer(result) == nil, "\(String(describing: result))") }
        #expect(OdooLoadAnswer(["ids": false, "messages": []])?.isWorthRetrying == false)
        #expect(
            OdooLoadAnswer(["ids": false, "messages": [["type": "warning", "message": "w"], 1]]) == .refused([]))
    }
}
