import Documents
import Events

/// The catalogue of events as files, held against what was published.
package enum EventFiles {
    /// - Throws: all errors of all files, and every break of a published version.
    package static func load(
        _ directory: String
    ) throws(DocumentErrors) -> (catalogue: EventCatalogue, report: PublishedEvents.Report) {
        try load(directory, files: try Files.yaml(in: directory))
    }

    /// - Parameter files: those of the directory, which were read already.
    static func load(
        _ directory: String, files: [(path: String, text: String)]
    ) throws(DocumentErrors) -> (catalogue: EventCatalogue, report: PublishedEvents.Report) {
        let catalogue = try EventCatalogue.load(files: files, with: .started)
        let path = directory + "/" + EventCatalogue.publishedFile
        var published = PublishedEvents()
        if Files.exists(path) { published = try PublishedEvents(try Files.text(path).text, file: path) }
        let report = published.check(catalogue, file: path)
        if !report.broken.isEmpty {
            throw DocumentErrors(
                report.broken.map { DocumentError(file: $0.file, line: 1, column: 1, message: $0.message) })
        }
        return (catalogue, report)
    }
}
