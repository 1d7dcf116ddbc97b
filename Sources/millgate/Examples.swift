/// Lines to paste after `make run`.
enum Examples {
    static func text(base: String) -> String {
        let key = "demo-\(UInt32.random(in: 0...UInt32.max))"
        return """

            Try it, from the repository's directory:

            # A read: the production orders of plant-1, as an operator.
            curl -s \(base)/v1/production-orders?site=plant-1 -H "Authorization: Bearer $(cat certs/dev/tokens/operator.jwt)"

            # A production confirmation: 2 pieces of a released order, the rest as a backorder. Repeat the line: it happens once.
            curl -s \(base)/v1/production-orders/ORDER/confirm -H "Authorization: Bearer $(cat certs/dev/tokens/operator.jwt)" -H "Idempotency-Key: \(key)" -H "Content-Type: application/json" -d '{"quantity": 2, "final": false, "remainder": "backorder"}'

            # A refusal: an auditor may look, and not produce.
            curl -s \(base)/v1/production-orders/ORDER/confirm -H "Authorization: Bearer $(cat certs/dev/tokens/auditor.jwt)" -H "Idempotency-Key: \(key)-2" -H "Content-Type: application/json" -d '{"quantity": 2}'

            """
    }
}
