import Bytes
import Seeded
import Testing

@testable import Audit

@Suite struct VerifierTests {
    let log = LogBuilder.log(entries: 12, perSegment: 5)

    @Test func aLogAsItWasWrittenIsIntact() {
        let report = verify(log.segments, head: log.headFile())
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.isAuthenticated)
        #expect(report.segments == 3)
        // Twelve entries, three headers, two seals.
        #expect(report.lines == 17)
        #expect(report.firstSequence == 1)
        #expect(report.lastSequence == 17)
        #expect(report.notes.isEmpty)
        #expect(report.intactEnd.segment == 3)
        #expect(report.intactEnd.offset == log.segments[2].count)
        #expect(report.intactEnd.lines == 3)
        #expect(report.intactEnd.chain == log.chain)
    }

    @Test func anEmptyLogWithAHeadThatSaysSoIsIntact() {
        let head = AuditHead(generation: 1, segment: 0, chain: AuditChain(), time: WallInstant(seconds: 0))
        let file = head.bytes(key: LogBuilder.key) + [UInt8](repeating: 0, count: 512)
        #expect(verify([], head: file).isIntact)
        #expect(verify([], head: nil).isIntact)
    }

    @Test func everyChangedByteIsFoundInItsLineOrTheNext() {
        let log = LogBuilder.log(entries: 3, perSegment: 2)
        for (s, segment) in log.segments.enumerated() {
            var line = 1
            for i in segment.indices {
                var changed = log.segments
                changed[s][i] ^= 1
                let report = verify(changed, head: log.headFile())
                #expect(!report.isIntact, "segment \(s + 1), byte \(i)")
                let places = report.findings.map { ($0.file, $0.line) }
                let name = AuditSegment.fileName(s + 1)
                let near = places.contains { file, at in
                    (file == name && (at == line || at == line + 1))
                        || (file == AuditSegment.fileName(s + 2) && at <= 1)
                        || (s == 1 && (at == 0))
                }
                #expect(near, "segment \(s + 1), line \(line), byte \(i): \(report.findings)")
                if segment[i] == 10 { line += 1 }
            }
        }
    }

    @Test func anEditedEntryIsOneFindingThatNamesFileLineAndNumber() throws {
        var segments = log.segments
        var edited = lines(segments[0])
        edited[2] = Array(String(decoding: edited[2], as: UTF8.self).replacing("entry 1", with: "entry 9").utf8)
        segments[0] = Array(edited.joined())
        let report = verify(segments, head: log.headFile())
        #expect(report.findingsTotal == 1)
        let finding = try #require(report.findings.first)
        #expect(finding.kind == .changed)
        #expect(finding.line == 3)
        #expect(finding.sequence == 3)
        #expect(finding.description.hasPrefix("audit-00000001.jsonl:3: seq 3: changed: "))
    }

    @Test func everyRemovedLineIsFound() {
        for (s, segment) in log.segments.enumerated() {
            for i in lines(segment).indices {
                var rest = lines(segment)
                rest.remove(at: i)
                var segments = log.segments
                segments[s] = Array(rest.joined())
                let report = verify(segments, head: log.headFile())
                let isLast = s == 2 && i == rest.count
                let expected: AuditFinding.Kind = isLast ? .cut : i == 0 ? .segment : i == rest.count ? .seal : .missing
                #expect(report.findings.contains { $0.kind == expected }, "segment \(s + 1) line \(i + 1)")
            }
        }
    }

    @Test func aMissingEntryIsNamedByItsNumber() {
        var rest = lines(log.segments[1])
        rest.remove(at: 2)
        var segments = log.segments
        segments[1] = Array(rest.joined())
        let report = verify(segments, head: log.headFile())
        let missing = report.findings.first { $0.kind == .missing }
        #expect(missing?.sequence == 10)
        #expect(missing?.file == "audit-00000002.jsonl")
        #expect(missing?.line == 3)
    }

    @Test func everyDoubledLineIsFound() {
        for (s, segment) in log.segments.enumerated() {
            for i in lines(segment).indices {
                var more = lines(segment)
                more.insert(more[i], at: i)
                var segments = log.segments
                segments[s] = Array(more.joined())
                let report = verify(segments, head: log.headFile())
                #expect(report.findings.contains { $0.kind == .duplicated && $0.line == i + 2 }, "\(s + 1):\(i + 1)")
            }
        }
    }

    @Test func everySwappedPairIsFound() {
        for (s, segment) in log.segments.enumerated() {
            for i in lines(segment).indices.dropFirst().dropLast() {
                var swapped = lines(segment)
                swapped.swapAt(i - 1, i)
                var segments = log.segments
                segments[s] = Array(swapped.joined())
                let report = verify(segments, head: log.headFile())
                #expect(report.findings.contains { $0.kind == .reordered }, "\(s + 1):\(i) \(report.findings)")
                #expect(!report.findings.contains { $0.kind == .missing }, "\(s + 1):\(i) \(report.findings)")
            }
        }
    }

    @Test func anEntryMovedFarIsReorderedAndNothingIsMissing() {
        let log = LogBuilder.log(entries: 40, perSegment: 100)
        var moved = lines(log.segments[0])
        moved.insert(moved.remove(at: 10), at: 30)
        let report = verify([Array(moved.joined())], head: log.headFile())
        #expect(report.findings.filter { $0.kind == .reordered }.map(\.sequence) == [11])
        #expect(report.findings.allSatisfy { $0.kind != .missing })
    }

    @Test func everyCutAtTheEndIsFoundByTheHead() {
        let log = LogBuilder.log(entries: 5, perSegment: 2)
        let last = log.segments[2]
        for count in 0..<last.count {
            var segments = log.segments
            segments[2] = Array(last[..<count])
            let report = verify(segments, head: log.headFile())
            #expect(report.findings.contains { $0.kind == .cut }, "cut to \(count) bytes")
        }
        let without = verify(Array(log.segments.dropLast()), head: log.headFile())
        #expect(without.findings.map(\.kind) == [.cut])
    }

    @Test func aLineThatACrashLeftUnfinishedIsANoteAndNoFault() {
        var longer = log
        longer.add(detail: "being written when the power failed")
        let whole = longer.segments[2]
        for count in log.segments[2].count..<whole.count {
            var segments = log.segments
            segments[2] = Array(whole[..<count])
            let report = verify(segments, head: log.headFile())
            #expect(report.isIntact, "\(report.findings)")
            #expect(report.tornBytes == count - log.segments[2].count)
            #expect(report.notes.isEmpty == (report.tornBytes == 0))
            #expect(report.intactEnd.offset == log.segments[2].count)
        }
    }

    @Test func aLogAheadOfItsHeadIsIntact() {
        var longer = log
        longer.add(detail: "synced, and killed before the head was written")
        let report = verify(longer.segments, head: log.headFile())
        #expect(report.isIntact)
        #expect(report.notes.count == 1)
        #expect(report.intactEnd.chain == longer.chain)
    }

    @Test func aChainComputedAnewWithoutTheKeyIsFound() {
        // The attacker knows the format and has no key: they drop entry 3 and rebuild everything after it.
        var forged = LogBuilder(key: LogBuilder.makeKey("a key of their own, which is 32 bytes"))
        for i in 0..<12 where i != 3 {
            if i > 0, i % 5 == 0 { forged.rotate() }
            forged.add(detail: "entry \(i)")
        }
        #expect(verify(forged.segments, head: forged.headFile(), keys: []).isIntact)
        let report = verify(forged.segments, head: forged.headFile())
        #expect(Set(report.findings.map(\.kind)) == [.segment, .seal, .head])
    }

    @Test func anOpenSegmentRebuiltWithoutTheKeyContradictsTheHead() {
        // The header of the open segment is genuine; the entries after it are the attacker's.
        let genuine = LogBuilder.log(entries: 4, perSegment: 100)
        var forged = LogBuilder()
        for i in 0..<4 { forged.add(detail: i == 2 ? "nothing happened" : "entry \(i)") }
        let report = verify(forged.segments, head: genuine.headFile())
        #expect(report.findings.map(\.kind) == [.head])
        #expect(verify(forged.segments, head: nil).findings.map(\.kind) == [.head])
    }

    @Test func aSegmentThatIsGoneIsFound() {
        let (first, third) = (log.segments[0], log.segments[2])
        var verifier = AuditVerifier(
            keys: [log.key], head: AuditHead.read(log.headFile(), keys: [log.key]), firstSegment: 1)
        verifier.read(segment: 1, name: "audit-00000001.jsonl", bytes: first.span)
        verifier.read(segment: 3, name: "audit-00000003.jsonl", bytes: third.span)
        let report = verifier.finish()
        #expect(report.findings.contains { $0.kind == .segment && $0.detail == "segment 2 is gone" })
        let renamed = verify([log.segments[0], log.segments[2]], head: log.headFile())
        #expect(renamed.findings.contains { $0.kind == .segment })
        let second = verify(Array(log.segments.dropFirst()), head: log.headFile(), first: 1)
        #expect(!second.isIntact)
    }

    @Test func archivedSegmentsAreNoFaultWhereTheReaderSaysWhereTheLogBegins() {
        let report = verify(Array(log.segments.dropFirst()), head: log.headFile(), first: 2)
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.firstSequence == 8)
    }

    @Test func aLineAfterTheSealAndASegmentWithoutSealAreFound() {
        var segments = log.segments
        segments[0] += lines(log.segments[0])[1]
        #expect(verify(segments, head: log.headFile()).findings.contains { $0.kind == .seal && $0.line == 8 })
        segments = log.segments
        segments[1] = Array(lines(segments[1]).dropLast().joined())
        #expect(verify(segments, head: log.headFile()).findings.contains { $0.kind == .seal && $0.line == 0 })
    }

    @Test func aSegmentOfANewKeyVerifiesWithBothKeysOnly() {
        let old = LogBuilder.makeKey("the first key, which is long enough!")
        let log = LogBuilder(key: old)
        #expect(verify(log.segments, head: log.headFile(), keys: [LogBuilder.key, old]).isIntact)
        let report = verify(log.segments, head: log.headFile(), keys: [LogBuilder.key])
        #expect(report.findings.contains { $0.kind == .segment && $0.detail.contains(old.id) })
    }

    @Test func randomDamageIsAlwaysFoundAndNeverCrashesTheReader() {
        var random = SeededGenerator(seed: 20_261_124)
        for round in 0..<200 {
            var segments = log.segments
            let s = Int.random(in: 0..<3, using: &random)
            let at = Int.random(in: 0..<segments[s].count, using: &random)
            let length = Int.random(in: 0...40, using: &random)
            let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let end = min(segments[s].count, at + Int.random(in: 0...40, using: &random))
            let before = segments[s]
            segments[s].replaceSubrange(at..<end, with: noise)
            if segments[s] == before { continue }
            let report = verify(segments, head: log.headFile())
            #expect(!report.isIntact, "round \(round)")
        }
    }

    @Test func findingsAreBoundedAndCounted() {
        let garbage = [UInt8](repeating: 10, count: 5_000)
        let report = verify([garbage], head: nil)
        #expect(report.findings.count == AuditReport.findingsMax)
        #expect(report.findingsTotal > 5_000)
    }
}
