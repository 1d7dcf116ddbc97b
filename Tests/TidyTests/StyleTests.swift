import Testing

@Suite struct StyleTests {
    /// Longest file, in lines. What does not fit is more than one concept.
    static let linesMax = 500

    @Test func filesAreShort() {
        for file in Repository.sources {
            #expect(file.lines.count <= Self.linesMax, "\(file.path): \(file.lines.count) lines")
        }
    }

    @Test func nothingCrashesOnPurpose() {
        for file in Repository.sources {
            for word in ["try!", "as!", "fatalError("] {
                for line in file.linesOfCode(with: word) { Issue.record("\(file.path):\(line): \(word)") }
            }
        }
    }

    @Test func tasksStayOnTheLoop() {
        for file in Repository.sources where file.room != "Reactor" {
            for word in ["Task {", "Task{", "Task.detached", "Task(", "Task.init", "DispatchQueue"] {
                for line in file.linesOfCode(with: word) {
                    Issue.record("\(file.path):\(line): \(word) leaves the loop; use the reactor's spawn")
                }
            }
        }
    }

    @Test func uncheckedPromisesAreProvenBesideThem() {
        for file in Repository.sources {
            for word in ["@unchecked Sendable", "nonisolated(unsafe)"] {
                for line in file.linesOfCode(with: word) {
                    #expect(
                        Self.comment(above: line, in: file).contains("Sendable") || word != "@unchecked Sendable",
                        "\(file.path):\(line): \(word) without a comment above that proves it")
                    #expect(
                        !Self.comment(above: line, in: file).isEmpty, "\(file.path):\(line): \(word) without a comment")
                }
            }
        }
    }

    @Test func pointersStayInUnsafeFiles() {
        let words = [
            "UnsafePointer", "UnsafeMutablePointer", "UnsafeRawPointer", "UnsafeMutableRawPointer",
            "UnsafeBufferPointer", "UnsafeMutableBufferPointer", "UnsafeRawBufferPointer",
            "UnsafeMutableRawBufferPointer", "OpaquePointer", "Unmanaged", "withUnsafe", "unsafeBitCast",
            "unsafelyUnwrapped", "unowned var", "unowned let", "[unowned", "unowned(unsafe)",
        ]
        for file in Repository.sources where !file.isUnsafe {
            for word in words {
                for line in file.linesOfCode(with: word) {
                    Issue.record("\(file.path):\(line): \(word) outside a file named Unsafe…")
                }
            }
        }
    }

    @Test func noPathOfAMachineIsLeft() {
        let path = "/wor" + "k/"
        for file in Repository.sources {
            for (index, line) in file.lines.enumerated() where line.contains(path) || line.contains("/root/") {
                Issue.record("\(file.path):\(index + 1): a path of somebody's machine")
            }
        }
    }

    /// The comment directly above a line, attributes in between allowed.
    static func comment(above line: Int, in file: SourceFile) -> String {
        var comment: [String] = []
        for index in stride(from: line - 2, through: 0, by: -1) {
            let text = String(file.lines[index].drop { $0 == " " })
            if text.hasPrefix("//") {
                comment.insert(text, at: 0)
            } else if !text.hasPrefix("@") || !comment.isEmpty {
                break
            }
        }
        return comment.joined(separator: " ")
    }
}
