import Testing

/// Who may import whom. Floors are those of docs/ARCHITECTURE.md; what a room may import is what Package.swift gives
/// it, and that must point strictly down.
@Suite struct RoomTests {
    static let floors: [[String]] = [
        ["Bytes"], ["JSON", "HTTP", "Limits", "Telemetry", "Documents", "Patterns"],
        ["Identity", "Expressions", "Contracts", "Audit", "Odoo"],
        ["Policy", "Events"], ["PolicyTools", "Webhooks"], ["Reactor", "Store"],
        ["Server", "Fetch", "Upstream"],
        ["Services", "Delivery"], ["Gateway", "OdooSandbox", "Trials"],
        ["millgate"],
    ]
    /// Rooms on these floors know no socket, file, clock or task.
    static let pureFloors = 0...4

    /// Modules from outside, and the rooms that may import them. Nothing else comes in.
    static let outside: [String: Set<String>] = [
        "Yams": ["Documents"], "Logging": ["Gateway", "millgate"], "ArgumentParser": ["millgate"],
    ]
    /// Modules of the toolchain. `Glibc` in pure rooms only where memory is touched, `Foundation` there only with a
    /// reason.
    static let toolchain: Set<String> = ["Swift", "Glibc", "Musl", "Synchronization", "Foundation"]

    static let floorOf: [String: Int] = Dictionary(
        uniqueKeysWithValues: floors.enumerated().flatMap { floor, rooms in rooms.map { ($0, floor) } })

    static func isPure(_ room: String) -> Bool { floorOf[room].map(pureFloors.contains) ?? false }

    /// What Package.swift lets each room import.
    static let manifest: [String: Set<String>] = {
        let text = ((try? Repository.text("Package.swift")) ?? "").split(separator: "\n")
            .filter { !$0.drop { $0 == " " }.hasPrefix("//") }.joined(separator: " ")
        var rooms: [String: Set<String>] = [:]
        for match in text.matches(
            of: /(?:room\(|executableTarget\(\s*name:)\s*"(\w+)",\s*(?:dependencies:\s*)?\[([^\]]*)\]/)
        {
            rooms[String(match.1)] = Set(match.2.matches(of: /"(\w+)"/).map { String($0.1) })
        }
        return rooms
    }()

    @Test func everyRoomHasAFloorAndAPlaceInTheManifest() {
        #expect(Set(Self.manifest.keys) == Set(Self.floorOf.keys))
        #expect(Set(Repository.sources.map(\.room)).subtracting(["CSystem"]) == Set(Self.floorOf.keys))
    }

    @Test func dependenciesPointStrictlyDown() {
        for (room, dependencies) in Self.manifest {
            for dependency in dependencies where dependency != "CSystem" {
                let above = Self.floorOf[room] ?? -1
                let below = Self.floorOf[dependency] ?? .max
                #expect(below < above, "\(room) may not depend on \(dependency)")
            }
        }
    }

    @Test func filesImportOnlyWhatTheirRoomMay() {
        for file in Repository.sources {
            for (module, line) in file.imports {
                let allowed =
                    Self.toolchain.contains(module) || Self.manifest[file.room]?.contains(module) == true
                    || Self.outside[module]?.contains(file.room) == true
                #expect(allowed, "\(file.path):\(line): may not import \(module)")
            }
        }
    }

    @Test func pureRoomsTakeFoundationOnlyWithAReason() {
        for file in Repository.sources where Self.isPure(file.room) {
            for (module, line) in file.imports where module == "Foundation" {
                let reason = file.lines.contains { $0.drop { $0 == " " }.hasPrefix("// Foundation: ") }
                #expect(reason, "\(file.path):\(line): imports Foundation without a comment `// Foundation: …`")
            }
        }
    }

    @Test func pureRoomsReachTheCLibraryOnlyFromUnsafeFiles() {
        for file in Repository.sources where Self.isPure(file.room) && !file.isUnsafe {
            for (module, line) in file.imports where module == "Glibc" || module == "Musl" {
                Issue.record("\(file.path):\(line): \(module) outside a file named Unsafe…")
            }
        }
    }

    @Test func pureRoomsTakeTimeAndChanceAsArguments() {
        let words = [
            "ContinuousClock", "SuspendingClock", "clock_gettime", "gettimeofday", "Date()", "Task.sleep",
            "FileManager", "ProcessInfo", "SystemRandomNumberGenerator", "getenv",
        ]
        for file in Repository.sources where Self.isPure(file.room) {
            for word in words {
                for line in file.linesOfCode(with: word) {
                    Issue.record("\(file.path):\(line): \(word) in a pure room")
                }
            }
        }
    }

    @Test func everyRoomSaysWhatItIsFor() {
        for room in Self.floorOf.keys where room != "millgate" {
            let file = Repository.sources.first { $0.path == "Sources/\(room)/\(room).swift" }
            // A room that nobody has built yet.
            if file?.lines.first == "// placeholder" { continue }
            let says = file?.lines.first { !$0.isEmpty && !$0.hasPrefix("import ") } ?? ""
            #expect(says.hasPrefix("// \(room): "), "Sources/\(room)/\(room).swift must begin with `// \(room): …`")
        }
    }
}
