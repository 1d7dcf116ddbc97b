import JSON

/// An `mrp.workcenter`.
package struct WorkCenterRecord: Hashable, Sendable {
    package let id: Int
    package let code: String?
    package let name: String
    /// `normal`, `blocked` (an open downtime, recording 064) or `done` (a timer runs).
    package let workingState: String
    package let company: OdooReference?

    package static let model = "mrp.workcenter"
    static let fields = ["id", "name", "code", "working_state", "company_id"]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        code = try record.string("code")
        name = try record.text("name")
        workingState = try record.text("working_state")
        company = try record.reference("company_id")
    }

    /// Work centers, all or those with this code (recording 017).
    package static func search(code: String? = nil, page: OdooPage) -> OdooCall {
        page.call(model, domain: code.map { [["code", "=", .string($0)]] } ?? [], fields: fields)
    }

    package static func read(_ ids: [Int]) -> OdooCall { .read(model, ids: ids, fields: fields) }
}
