import Seeded
import Testing

@testable import Bytes

@Test(
    arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_489_200_123_000_000, "2026-11-24T03:00:00.123Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-86_400_000_000_000, "1969-12-31T00:00:00.000Z"),
        (4_102_444_799_999_999_999, "2099-12-31T23:59:59.999Z"),
        (.max, "2262-04-11T23:47:16.854Z"),
        (.min, "1677-09-21T00:12:43.145Z"),
    ] as [(Int64, String)])
func instantsAreWrittenAsRFC3339(nanoseconds: Int64, text: String) {
    #expect(WallInstant(nanoseconds: nanoseconds).rfc3339 == text)
}

@Test func everyDayOfFiveCenturiesFollowsTheOneBefore() throws {
    var year = 1_700
    var month = 1
    var day = 1
    var weekday = 5  // 1 January 1700 was a Friday.
    let start = try #require(CivilTime(year: year, month: month, day: day).instant)
    var instant = start
    var failures = 0
    while year <= 2_200 {
        let c = CivilTime(instant)
        if c != CivilTime(year: year, month: month, day: day) || c.weekday != weekday || c.instant != instant {
            failures += 1
        }
        let leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        day += 1
        weekday = (weekday + 1) % 7
        if day > lengths[month - 1] {
            day = 1
            month += 1
        }
        if month == 13 {
            month = 1
            year += 1
        }
        instant = instant + .hours(24)
    }
    #expect(failures == 0)
}

@Test func anyInstantComesBackFromItsParts() {
    var random = SeededGenerator(seed: 6)
    for _ in 0..<5_000 {
        let n = Int64.random(in: -8_520_000_000...7_258_000_000, using: &random) * 1_000_000_000
        let instant = WallInstant(nanoseconds: n + Int64.random(in: 0..<1_000_000_000, using: &random))
        #expect(CivilTime(instant).instant == instant)
    }
}

@Test func partsOutOfRangeAreNoInstant() {
    #expect(CivilTime(year: 2_026, month: 13, day: 1).instant == nil)
    #expect(CivilTime(year: 2_026, month: 0, day: 1).instant == nil)
    #expect(CivilTime(year: 2_026, month: 2, day: 29).instant == nil)
    #expect(CivilTime(year: 2_024, month: 2, day: 29).instant != nil)
    #expect(CivilTime(year: 1_900, month: 2, day: 29).instant == nil)
    #expect(CivilTime(year: 2_026, month: 4, day: 31).instant == nil)
    #expect(CivilTime(year: 2_026, month: 4, day: 0).instant == nil)
    #expect(CivilTime(year: 2_026, month: 1, day: 1, hour: 24).instant == nil)
    #expect(CivilTime(year: 2_026, month: 1, day: 1, second: 60).instant == nil)
    #expect(CivilTime(year: 2_026, month: 1, day: 1, nanosecond: 1_000_000_000).instant == nil)
    #expect(CivilTime(year: 9_999, month: 1, day: 1).instant == nil)
    #expect(CivilTime(year: .max, month: 1, day: 1).instant == nil)
}

@Test(
    arguments: [
        ("2026-11-24T03:00:00Z", 1_795_489_200_000_000_000),
        ("2026-11-24t03:00:00z", 1_795_489_200_000_000_000),
        ("2026-11-24 03:00:00", 1_795_489_200_000_000_000),
        ("2026-11-24T04:00:00+01:00", 1_795_489_200_000_000_000),
        ("2026-11-23T21:30:00-05:30", 1_795_489_200_000_000_000),
        ("2026-11-24T03:00:00.5Z", 1_795_489_200_500_000_000),
        ("2026-11-24T03:00:00.123456789Z", 1_795_489_200_123_456_789),
        ("2026-11-24T03:00:00.000000001+00:00", 1_795_489_200_000_000_001),
        ("2026-11-24T03:00:00", nil), ("2026-11-24 03:00:00Z", nil), ("2026-11-24 03:00:00.5", nil),
        ("2026-11-24T03:00:00.Z", nil), ("2026-11-24T03:00:00.1234567890Z", nil), ("2026-11-24T03:00Z", nil),
        ("2026-11-24T03:00:00+0100", nil), ("2026-11-24T03:00:00+24:00", nil), ("2026-11-24T03:00:00+01:60", nil),
        ("2026-11-24T03:00:00+01:00Z", nil), ("2026-11-24T03:00:60Z", nil), ("2026-02-30T03:00:00Z", nil),
        ("2026-11-24_03:00:00Z", nil), ("2026/11/24T03:00:00Z", nil), ("+026-11-24T03:00:00Z", nil),
        ("2026-11-24T03:00:00ZZ", nil), ("", nil), ("now", nil), ("2026-11-24T03:00:00\u{0}Z", nil),
        ("２026-11-24T03:00:00Z", nil),
    ] as [(String, Int64?)])
func instantsAreReadStrictly(text: String, nanoseconds: Int64?) {
    #expect(WallInstant(text)?.nanoseconds == nanoseconds)
}

@Test func readingAnyCutOrChangedTextNeverTraps() {
    var random = SeededGenerator(seed: 8)
    let text = Array("2026-11-24T03:00:00.123456789+01:00".utf8)
    for length in 0...text.count { _ = WallInstant(String(decoding: text[..<length], as: UTF8.self)) }
    for _ in 0..<20_000 {
        var bytes = text
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 32..<127, using: &random)
        }
        if let instant = WallInstant(String(decoding: bytes, as: UTF8.self)) {
            #expect(CivilTime(instant).year >= 1_699)
        }
    }
}

@Test func odooAndHTTPFormsAreTheirStandardOnes() {
    let instant = WallInstant(seconds: 784_111_777)
    #expect(instant.imfFixdate == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(instant.odoo == "1994-11-06 08:49:37")
    #expect(WallInstant(instant.odoo) == instant)
}

@Test func secondsOfAnInstantAreRoundedDown() {
    #expect(WallInstant(nanoseconds: -1).seconds == -1)
    #expect(WallInstant(nanoseconds: -1_000_000_000).seconds == -1)
    #expect(WallInstant(nanoseconds: 1_999_999_999).seconds == 1)
    #expect(WallInstant(nanoseconds: .min).seconds == -9_223_372_037)
}
