// Any bytes as an answer of Odoo, in both protocols: a result or an error, never a crash, and never a claim that
// nothing happened where the status says that a proxy gave up.
#if !FUZZ
    import Bytes
    import JSON
    import Odoo
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOdoo(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = bytes.first else { return 0 }
    let statuses = [200, 200, 200, 400, 404, 422, 500, 502]
    let response = OdooResponse(
        status: statuses[Int(first) % statuses.count], contentType: nil, body: Array(bytes.dropFirst()))
    for result in [OdooJSONRPC.result(of: response, id: 1), OdooJSON2.result(of: response)] {
        switch result {
        case .success(let value):
            _ = OdooAction(value)
            _ = OdooLoadAnswer(value)?.isWorthRetrying
            _ = ConfirmProduction.answer(value)
            guard let value else { continue }
            _ = OdooVersion(value)
            if let intent = ConfirmIntent(value), ConfirmIntent(intent.json) != intent {
                fatalError("an intent does not survive the ledger")
            }
            guard let records = try? OdooRecord.list(value) else { continue }
            for record in records {
                for version in [OdooVersion(major: 17), OdooVersion(major: 19)] {
                    guard let order = try? ProductionOrderRecord(record, on: version) else { continue }
                    let confirm = ConfirmProduction(quantity: .remaining, rest: .backorder)
                    if let plan = try? confirm.plan(for: order, on: version) { _ = plan.intent.verdict(order) }
                }
                if let move = try? ComponentMoveRecord(record) { _ = move.isClosed }
                _ = try? StockQuantRecord(record)
            }
        case .failure(let error):
            _ = error.userMessage
            if response.status == 502, error.name.isEmpty, error.outcome == .rejected {
                fatalError("a gateway's page proves nothing")
            }
        }
    }
    return 0
}
