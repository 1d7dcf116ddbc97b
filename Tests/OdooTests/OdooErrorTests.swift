import JSON
import Testing

@testable import Odoo

struct OdooErrorTests {
    private func rpc(_ body: String, status: Int = 200, id: Int? = 1) -> Result<JSONValue?, OdooError> {
        OdooJSONRPC.result(
            of: OdooResponse(status: status, contentType: "application/json", body: Array(body.utf8)), id: id)
    }

    private func json2(_ body: String, status: Int) -> Result<JSONValue?, OdooError> {
        OdooJSON2.result(of: OdooResponse(status: status, contentType: nil, body: Array(body.utf8)))
    }

    private func error(_ result: Result<JSONValue?, OdooError>) -> OdooError? {
        guard case .failure(let error) = result else { return nil }
        return error
    }

    @Test func aPageOfAProxyLeavesTheOutcomeUnknown() {
        for status in [500, 502, 503, 504] {
            for result in [rpc("<html>bad gateway</html>", status: status), json2("<html>", status: status)] {
                #expect(error(result)?.kind == .gateway)
                #expect(error(result)?.outcome == .unknown(mayStillRun: true))
                #expect(error(result)?.isRetryable == false)
            }
            // JSON, but not Odoo's.
            #expect(error(json2(#"{"error":"upstream"}"#, status: status))?.outcome == .unknown(mayStillRun: true))
            #expect(error(json2(#"{"name":"x"}"#, status: status))?.outcome == .unknown(mayStillRun: true))
        }
        // A result inside a 502 is not believed.
        #expect(error(rpc(#"{"jsonrpc":"2.0","id":1,"result":true}"#, status: 502))?.kind == .gateway)
    }

    @Test func aRefusalBeforeTheCallRanIsARejection() {
        for status in [301, 400, 403, 404, 405, 408, 413, 415, 429] {
            #expect(error(rpc("no", status: status))?.kind == .request)
            #expect(error(rpc("no", status: status))?.outcome == .rejected)
        }
    }

    @Test func aSuccessThatCannotBeReadIsUnknown() {
        let bodies = [
            "", "<html>login</html>", "{", "[]", "true", "{}", #"{"jsonrpc":"1.0","id":1,"result":true}"#,
            #"{"jsonrpc":"2.0","id":1,"result":NaN}"#, #"{"jsonrpc":"2.0","id":1,"result":1,"result":2}"#,
            #"{"jsonrpc":"2.0","id":2,"result":true}"#, #"{"jsonrpc":"2.0","id":1,"error":{"code":0}}"#,
            #"{"jsonrpc":"2.0","id":1,"error":"x"}"#,
        ]
        for body in bodies {
            #expect(error(rpc(body))?.kind == .unreadable, "\(body)")
            #expect(error(rpc(body))?.outcome == .unknown(mayStillRun: false), "\(body)")
        }
        for body in ["", "<html>", "{", "[1,]"] { #expect(error(json2(body, status: 200))?.kind == .unreadable) }
        #expect(error(json2("true", status: 202))?.kind == .unreadable)
    }

    @Test func anErrorBesideAResultWins() {
        let both = #"{"jsonrpc":"2.0","id":1,"result":true,"error":{"data":{"name":"odoo.exceptions.UserError"}}}"#
        #expect(error(rpc(both))?.kind == .user)
        #expect(try! rpc(#"{"jsonrpc":"2.0","id":1,"result":true,"error":null}"#).get() == .bool(true))
    }

    @Test func faultsOfTheTransportSayWhetherSomethingWasSent() {
        #expect(OdooError(.connectFailed).outcome == .notSent)
        #expect(OdooError(.connectFailed).isRetryable)
        for fault in [OdooTransportFault.closedWithoutAnswer, .timedOut, .tornResponse] {
            #expect(OdooError(fault).outcome == .unknown(mayStillRun: true))
            #expect(!OdooError(fault).isRetryable)
        }
    }

    @Test func anExceptionFromAfterTheCommitIsUnknown() {
        let table: [(name: String, kind: OdooError.Kind, outcome: OdooOutcome)] = [
            ("requests.exceptions.ReadTimeout", .server, .unknown(mayStillRun: false)),
            ("smtplib.SMTPServerDisconnected", .server, .unknown(mayStillRun: false)),
            ("", .server, .unknown(mayStillRun: false)),
            ("builtins.KeyError", .server, .rejected),
            ("builtins.ZeroDivisionError", .server, .rejected),
            ("psycopg2.errors.NumericValueOutOfRange", .server, .rejected),
            ("psycopg2.errors.AdminShutdown", .database, .unknown(mayStillRun: false)),
            ("psycopg2.InterfaceError", .database, .unknown(mayStillRun: false)),
            ("psycopg2.errors.DeadlockDetected", .serialization, .rejected),
            ("psycopg2.errors.UniqueViolation", .validation, .rejected),
            ("odoo.exceptions.RedirectWarning", .user, .rejected),
            ("werkzeug.exceptions.Forbidden", .access, .rejected),
            ("odoo.http.SessionExpiredException", .session, .rejected),
            ("odoo.exceptions.UserErrorX", .server, .rejected),
        ]
        for row in table {
            let error = OdooError(name: row.name, message: "m")
            #expect(error.kind == row.kind, "\(row.name)")
            #expect(error.outcome == row.outcome, "\(row.name)")
        }
    }

    @Test func onlyContentionAndUnsentCallsAreRetried() {
        #expect(OdooError(name: "psycopg2.errors.SerializationFailure", message: "").isRetryable)
        #expect(!OdooError(name: "odoo.exceptions.UserError", message: "").isRetryable)
        #expect(!OdooError(name: "psycopg2.OperationalError", message: "").isRetryable)
    }

    @Test func theUserSeesOdoosWordsAndNoMore() throws {
        func shown(_ version: Int, _ number: String) throws -> String? {
            error(try Recording.find(version, number).decoded())?.userMessage
        }
        #expect(
            try shown(19, "112") == "You need to supply a Lot/Serial Number for product:\n- LAB Lot part 407133")
        #expect(try shown(19, "170") == "Record does not exist or has been deleted.")
        #expect(
            try shown(17, "172") == "You are not allowed to access 'Production Order' (mrp.production) records.")
        #expect(try shown(19, "176") == "The operation cannot be completed: The quantity to produce must be positive!")
        for number in ["007", "010", "178", "184", "167"] { #expect(try shown(19, number) == nil, "\(number)") }
    }

    @Test func messagesAreBounded() {
        let long = String(repeating: "é\n", count: 100_000)
        let error = OdooError(name: long, message: long)
        #expect(error.message.count == OdooError.messageCharactersMax)
        #expect(error.name.count == 200)
        #expect(OdooError(name: "odoo.exceptions.MissingError", message: "").userMessage == nil)
        #expect(OdooError(name: "odoo.exceptions.UserError", message: " \n x \n").userMessage == "x")
    }

    @Test func authenticationSaysWhoOrThatItIsWrong() throws {
        for version in [17, 19] {
            let user = OdooJSONRPC.user(from: try Recording.find(version, "002").decoded())
            #expect(try user.get() == 2)
            for number in ["003", "004"] {
                let refused = OdooJSONRPC.user(from: try Recording.find(version, number).decoded())
                guard case .failure(let error) = refused else {
                    Issue.record("\(number) is no user")
                    continue
                }
                #expect(error.kind == .accessDenied)
                #expect(error.outcome == .rejected)
            }
        }
        guard case .failure(let odd) = OdooJSONRPC.user(from: .success("2")) else {
            Issue.record("text is no user")
            return
        }
        #expect(odd.kind == .unreadable)
    }
}
