import Bytes

/// The deadlines of waiters, earliest first: a binary heap that knows where each waiter stands, so that one that is
/// woken or gives up is taken out at once and none lingers.
struct DeadlineHeap: Sendable {
    private struct Item {
        var deadline: MonotonicInstant
        var index: Int
    }

    private var items: [Item] = []
    /// Place in `items` by index of the waiter, -1 for none.
    private var places: [Int] = []

    var count: Int { items.count }
    /// The earliest deadline.
    var first: MonotonicInstant? { items.first?.deadline }

    func contains(_ index: Int) -> Bool { index < places.count && places[index] >= 0 }

    /// `index` is a small integer that isn't in the heap.
    mutating func insert(_ index: Int, at deadline: MonotonicInstant) {
        while places.count <= index { places.append(-1) }
        places[index] = items.count
        items.append(Item(deadline: deadline, index: index))
        rise(items.count - 1)
    }

    /// Takes `index` out, if it is in.
    mutating func remove(_ index: Int) {
        guard index < places.count, places[index] >= 0 else { return }
        let place = places[index]
        places[index] = -1
        let last = items.removeLast()
        guard place < items.count else { return }
        items[place] = last
        places[last.index] = place
        rise(place)
        sink(places[last.index])
    }

    /// Takes out the earliest whose deadline is `now` or before.
    mutating func popDue(_ now: MonotonicInstant) -> Int? {
        guard let item = items.first, item.deadline <= now else { return nil }
        remove(item.index)
        return item.index
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard items[place].deadline < items[parent].deadline else { return }
            swap(place, parent)
            place = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < items.count {
                if items[child].deadline < items[least].deadline { least = child }
            }
            if least == place { return }
            swap(place, least)
            place = least
        }
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        items.swapAt(a, b)
        places[items[a].index] = a
        places[items[b].index] = b
    }
}
