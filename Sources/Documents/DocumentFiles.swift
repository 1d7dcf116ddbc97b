import Synchronization

/// Reads many files, on two threads where a second is lent: a gateway has a hundred of them, and its start waits for
/// nothing as long as for these.
package enum DocumentFiles {
    /// What one file held, and the place of its top-level mapping.
    package struct Read<Value: Sendable>: Sendable {
        package let value: Value
        package let mark: DocumentMark
    }

    /// Reads the top-level mapping of each file, with a reader of its own; keys that `read` did not ask for are reported.
    ///
    /// - Parameters:
    ///   - reader: hears of all errors, in the order of the files.
    ///   - read: called on both threads.
    /// - Returns: in the order of the files, without those that are no mappings.
    package static func read<Value: Sendable>(
        _ files: [(path: String, text: String)], reporting reader: DocumentReader, with second: SecondThread,
        _ read: @escaping @Sendable (String, DocumentMapping, DocumentReader) -> Value
    ) -> [Read<Value>] {
        let work = Work(files: files, read: read)
        let wait = second.begin { work.run() }
        work.run()
        wait()
        return work.done.withLock { done in
            done.sorted { $0.key < $1.key }.compactMap { _, part in
                if let errors = part.errors { reader.add(errors) }
                return part.read
            }
        }
    }

    private final class Work<Value: Sendable>: Sendable {
        typealias Part = (read: Read<Value>?, errors: DocumentErrors?)

        let files: [(path: String, text: String)]
        let read: @Sendable (String, DocumentMapping, DocumentReader) -> Value
        let next = Atomic(0)
        let done = Mutex<[Int: Part]>([:])

        init(
            files: [(path: String, text: String)],
            read: @escaping @Sendable (String, DocumentMapping, DocumentReader) -> Value
        ) {
            self.files = files
            self.read = read
        }

        /// Takes one file after the other until none is left.
        func run() {
            while true {
                let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard place < files.count else { return }
                let file = files[place]
                let reader = DocumentReader()
                var part: Part = (nil, nil)
                reader.read(file.text, file: file.path) { mapping in
                    part.read = Read(value: read(file.path, mapping, reader), mark: mapping.node.mark)
                }
                do throws(DocumentErrors) {
                    try reader.finish()
                } catch {
                    part.errors = error
                }
                done.withLock { $0[place] = part }
            }
        }
    }
}
