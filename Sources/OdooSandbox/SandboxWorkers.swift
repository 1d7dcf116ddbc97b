/// Odoo's worker processes: each works at one call until its answer has gone, and the others wait in order. Of one loop.
final class SandboxWorkers {
    private let countMax: Int
    private var busy = 0
    private var waiting: [() -> Void] = []
    private var first = 0

    /// - Parameter countMax: 0 for as many as there are calls.
    init(_ countMax: Int) { self.countMax = countMax }

    func enter(_ work: @escaping () -> Void) {
        guard countMax > 0, busy >= countMax else {
            busy += 1
            return work()
        }
        waiting.append(work)
    }

    func leave() {
        guard first < waiting.count else {
            busy -= 1
            return
        }
        let next = waiting[first]
        first += 1
        if first > 1_024 {
            waiting.removeFirst(first)
            first = 0
        }
        next()
    }
}
