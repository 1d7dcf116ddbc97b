/// Lines to paste after `make run`.
enum Examples {
    /// - Parameter order: a released production order; nil where Odoo has none.
    static func text(base: String, order: Int?) -> String {
        let key = "demo-\(UInt32.random(in: 0...UInt32.max))"
        let id = order.map(String.init) ?? "ORDER"
        let hint = order == nil ? " Put the id of a released order for ORDER." : ""
        return """

            Try it in another terminal, from the repository's directory.

            A read: the production orders of plant-1, as an operator.
              curl -s "\(base)/v1/production-orders?site=plant-1" -H "Authorization: Bearer $(cat certs/dev/tokens/operator.jwt)"

            A confirmation: 2 pieces are produced, the rest becomes a backorder. Paste it twice: it happens once.\(hint)
              curl -s \(base)/v1/production-orders/\(id)/confirm -H "Authorization: Bearer $(cat certs/dev/tokens/operator.jwt)" -H "Idempotency-Key: \(key)" -H "Content-Type: application/json" -d '{"quantity": 2, "remainder": "backorder"}'

            A refusal: an auditor may look, and not produce.
              curl -s \(base)/v1/production-orders/\(id)/confirm -H "Authorization: Bearer $(cat certs/dev/tokens/auditor.jwt)" -H "Idempotency-Key: \(key)-2" -H "Content-Type: application/json" -d '{"quantity": 2}'

            Ctrl-C stops.
            """
    }
}
