import Synchronization

// The one file of this room that touches unsafe memory.

/// Numbers that one thread writes and any thread reads.
///
/// Storing is a relaxed load, an addition and a relaxed store: the plain instructions of an ordinary integer, without
/// the lock prefix that a read-modify-write would take (20 cycles, and the cache line with it). That is right for one
/// writer only; two would lose counts, though nothing worse.
///
/// `@unchecked Sendable`: the pointer is constant, the memory behind it is `Atomic`, initialised before the object can
/// be shared and freed when nobody refers to it any more; every access is within `count`.
@usableFromInline package final class MetricCells: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Atomic<Int>>
    @usableFromInline package let count: Int

    package init(count: Int) {
        precondition(count > 0)
        self.count = count
        // A cache line free at both ends, so that no two writers share one.
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: (count + 16) * MemoryLayout<Atomic<Int>>.stride, alignment: 64)
        base = memory.bindMemory(to: Atomic<Int>.self, capacity: count + 16)
        for i in 0..<count + 16 { (base + i).initialize(to: Atomic(0)) }
    }

    deinit {
        base.deinitialize(count: count + 16)
        base.deallocate()
    }

    /// Adds to a cell. The caller is the only writer.
    @inlinable
    package func add(_ n: Int, at index: Int) {
        precondition(index >= 0 && index < count)
        let old = base[index &+ 8].load(ordering: .relaxed)
        base[index &+ 8].store(old &+ n, ordering: .relaxed)
    }

    /// Sets a cell. The caller is the only writer.
    @inlinable
    package func store(_ value: Int, at index: Int) {
        precondition(index >= 0 && index < count)
        base[index &+ 8].store(value, ordering: .relaxed)
    }

    /// What a cell holds, perhaps a moment ago.
    @inlinable
    package func load(_ index: Int) -> Int {
        precondition(index >= 0 && index < count)
        return base[index &+ 8].load(ordering: .relaxed)
    }
}
