import ArgumentParser
import Documents
import Events
import Foundation
import Gateway

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Check and publish the catalogue of business events.",
        discussion: """
            millgate events check                 refuses what would break readers of a published version
            millgate events publish               takes the catalogue as it is for published
            millgate events list
            """,
        subcommands: [EventsCheck.self, EventsPublish.self, EventsList.self])
}

struct EventsDirectory: ParsableArguments {
    @Option(name: .long, help: "Directory of the policies.")
    var policies = "policies"

    var path: String { policies + "/events" }

    func load() throws -> (catalogue: EventCatalogue, report: PublishedEvents.Report) {
        do throws(DocumentErrors) {
            return try EventFiles.load(path)
        } catch {
            for one in error.errors { complain("\(one)") }
            throw failure("\(error.errors.count) error\(error.errors.count == 1 ? "" : "s")", .configuration)
        }
    }
}

struct EventsCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check the catalogue, and hold it against what was published.",
        discussion: """
            Within a published version members may be added, and promises made stronger; nothing may go, turn optional or \
            hold new values. Exits with 78 where a reader would break.
            """)

    @OptionGroup var directory: EventsDirectory

    func run() throws {
        let (catalogue, report) = try directory.load()
        for name in report.unpublished { print("not published yet: \(name)") }
        print(
            "\(catalogue.events.count) events, \(report.compared) published versions compared, 0 breaking changes")
    }
}

struct EventsPublish: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Take the catalogue for published.",
        discussion: "Writes published.json beside the events: commit it. Refuses where `check` would.")

    @OptionGroup var directory: EventsDirectory

    func run() throws {
        let (catalogue, report) = try directory.load()
        let file = directory.path + "/" + EventCatalogue.publishedFile
        do {
            try Data(PublishedEvents.text(catalogue).utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch {
            throw failure("\(file) cannot be written: \(error.localizedDescription)")
        }
        print("\(report.unpublished.count) published, \(file) written")
    }
}

struct EventsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the events of the catalogue with their versions.")

    @OptionGroup var directory: EventsDirectory

    func run() throws {
        for event in try directory.load().catalogue.events {
            let versions = event.versions.map { "v\($0.number)" }.joined(separator: " ")
            print("\(event.name)  \(versions)  \(event.title)")
        }
    }
}
