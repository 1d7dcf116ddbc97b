import JSON
import Testing

@testable import Odoo

/// Every recorded exchange of the RPC routes, decoded.
struct RecordingsTests {
    /// Where the answer is an error: which kind, for which recordings of 17 and of 19. All others are results.
    static let errors: [(kind: OdooError.Kind, on17: String, on19: String)] = [
        (.database, "007", "007"),
        (.server, "008 009 720", "008 009 722"),
        (.accessDenied, "010 011", "010 011 321 322 323 353"),
        (.missing, "014 170 171 177", "014 170 171 177 329"),
        (.access, "031 168 172 173 174 714", "031 168 172 173 174 326 327 330 347 714 718"),
        (
            .user, "032 065 067 070 086 112 122 136 144 155 163 166 521",
            "065 067 070 085 086 112 122 136 155 163 166 331"
        ),
        (
            .value, "061 162 178 179 180 181 182 183 751 752 753 755",
            "061 162 178 179 180 181 182 183 187 334 335 336 751 752 753 755"
        ),
        (.validation, "114 175 176 189 702 704", "114 175 176 189 332 333 702 704"),
        (.unknownMethod, "167 188", "167 188 324 325 344 345 346 354"),
        (.arguments, "184 185 186 187 193 203", "184 185 186 193 203 337 338 339 340 342"),
        (.request, "190 191 192 196 197 198 200", "190 191 192 196 197 198 200 341 343"),
        (.serialization, "", "355 356"),
        (.unknownDatabase, "", "350"),
        (.transport, "212", "212 601 623"),
        // The recorder kept `100 Continue` as the status and the final answer as the body.
        (.unreadable, "208", "208"),
    ]

    static func expectedKind(_ recording: Recording) -> OdooError.Kind? {
        for row in errors {
            let numbers = (recording.version == 17 ? row.on17 : row.on19).split(separator: " ")
            if numbers.contains(Substring(recording.number)) { return row.kind }
        }
        return nil
    }

    static let exchanges = Recording.all.filter(\.isRPC)

    @Test func allRecordingsAreHere() {
        #expect(Recording.all.count { $0.version == 17 } == 270)
        #expect(Recording.all.count { $0.version == 19 } == 336)
        #expect(Self.exchanges.count { $0.version == 17 } == 243)
        #expect(Self.exchanges.count { $0.version == 19 } == 306)
        let rows = Self.errors.map { ($0.on17.split(separator: " ").count, $0.on19.split(separator: " ").count) }
        #expect(rows.reduce(0) { $0 + $1.0 } == 64)
        #expect(rows.reduce(0) { $0 + $1.1 } == 96)
    }

    @Test func everyExchangeIsTheRightResultOrTheRightError() {
        var results = 0
        var failures = 0
        for recording in Self.exchanges {
            let where_ = "\(recording.version)/\(recording.name)"
            switch (recording.decoded(), Self.expectedKind(recording)) {
            case (.success(let value), nil):
                results += 1
                let body = recording.responseBody
                let raw = recording.isJSON2 ? body : body?["result"]
                let expected = raw == .null ? nil : raw
                #expect(value == expected, "\(where_)")
            case (.failure(let error), let kind?):
                failures += 1
                #expect(error.kind == kind, "\(where_): \(error)")
                let data = recording.responseBody?["error"]?["data"] ?? recording.responseBody
                #expect(error.name == data?["name"]?.string ?? "", "\(where_)")
            case (.success, let kind?): Issue.record("\(where_) is a result and should be \(kind)")
            case (.failure(let error), nil): Issue.record("\(where_) is \(error) and should be a result")
            }
        }
        #expect(results == 389)
        #expect(failures == 160)
    }

    @Test func theAnswerBehind100ContinueIsAResult() throws {
        for version in [17, 19] {
            let text = try Recording.find(version, "208").responseText
            let json = try #require(text.firstIndex(of: "{"))
            let response = OdooResponse(
                status: 200, contentType: "application/json", body: Array(text[json...].utf8))
            let result = try OdooJSONRPC.result(of: response, id: nil).get()
            #expect(OdooVersion(try #require(result))?.major == version)
        }
    }

    @Test func aMethodThatReturnsNothingIsASuccessWithoutValue() throws {
        // JSON-RPC leaves `result` out, JSON-2 says null.
        for (version, number) in [(17, "039"), (19, "039"), (19, "053"), (19, "074"), (19, "093"), (19, "313")] {
            #expect(try Recording.find(version, number).result() == nil, "\(version)/\(number)")
        }
        // 17 answers true where 19 answers nothing.
        #expect(try Recording.find(17, "057").result() == .bool(true))
        #expect(OdooVersion(major: 19).buttonPendingReturnsNothing)
        #expect(!OdooVersion(major: 17).buttonPendingReturnsNothing)
    }

    @Test func theErrorCodeIsThatOfTheVersion() throws {
        for recording in Self.exchanges {
            guard let code = recording.responseBody?["error"]?["code"]?.int else { continue }
            #expect(code == OdooVersion(major: recording.version).errorCode, "\(recording.name)")
        }
    }

    @Test func noErrorKeepsATraceback() {
        for recording in Self.exchanges {
            guard case .failure(let error) = recording.decoded() else { continue }
            for text in [error.description, error.message, error.userMessage ?? "", String(reflecting: error)] {
                #expect(!text.contains("Traceback"), "\(recording.name)")
            }
            // The socket path, a statement, a Python class: not for callers.
            let shown = error.userMessage ?? ""
            for secret in ["/var/run", "MrpProduction", "User: ", "builtins"] {
                #expect(!shown.contains(secret), "\(recording.name): \(shown)")
            }
        }
    }

    @Test func everyRecordedErrorAnswerProvesThatNothingHappenedButForALostDatabase() {
        for recording in Self.exchanges {
            guard case .failure(let error) = recording.decoded() else { continue }
            switch error.kind {
            case .transport: #expect(error.outcome == .unknown(mayStillRun: true))
            case .database, .unreadable: #expect(error.outcome == .unknown(mayStillRun: false))
            default: #expect(error.outcome == .rejected, "\(recording.version)/\(recording.name)")
            }
        }
    }

    @Test func actionsAreToldFromResults() throws {
        let actions: [(number: String, on: [Int], resModel: String, opensRecord: Bool)] = [
            ("077", [17, 19], "mrp.consumption.warning", false), ("082", [17, 19], "mrp.consumption.warning", false),
            ("095", [17, 19], "mrp.production.backorder", false), ("314", [19], "mrp.production.backorder", false),
            ("099", [17, 19], "mrp.production", true), ("102", [17, 19], "mrp.production", true),
            ("131", [17, 19], "stock.warn.insufficient.qty.scrap", false),
            ("147", [17, 19], "stock.backorder.confirmation", false),
        ]
        for row in actions {
            for version in row.on {
                let action = try #require(OdooAction(try Recording.find(version, row.number).result()))
                #expect(action.type == "ir.actions.act_window")
                #expect(action.resModel == row.resModel, "\(version)/\(row.number)")
                #expect((action.resID != nil) == row.opensRecord, "\(version)/\(row.number)")
                #expect(!action.context.isEmpty)
            }
        }
        for (version, number) in [(17, "104"), (19, "106"), (19, "316"), (17, "015"), (17, "711"), (19, "039")] {
            #expect(OdooAction(try Recording.find(version, number).result()) == nil, "\(version)/\(number)")
        }
    }
}
