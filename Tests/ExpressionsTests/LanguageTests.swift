import Testing

@testable import Expressions

/// The language, case by case: an expression and what it comes to.
@Suite struct LanguageTests {
    /// Evaluated with types left open and, where it compiles so too, with types checked: both must agree.
    private func check(_ cases: [(String, String)], sourceLocation: SourceLocation = #_sourceLocation) {
        for (text, expected) in cases {
            #expect(Free.shown(text) == expected, "\(text)", sourceLocation: sourceLocation)
            let checked = Free.shown(text, in: Free.checked)
            if !checked.hasPrefix("refused") {
                #expect(checked == expected, "\(text), types checked", sourceLocation: sourceLocation)
            }
        }
    }

    @Test func literals() {
        check([
            ("null", "null_type null"), ("true", "bool true"), ("0x1F", "int 31"), ("-0x10", "int -16"),
            ("9223372036854775807", "int 9223372036854775807"), ("-9223372036854775808", "int -9223372036854775808"),
            ("18446744073709551615u", "uint 18446744073709551615"), ("0xFFu", "uint 255"), ("7U", "uint 7"),
            ("1.5", "double 1.5"), (".5e1", "double 5"), ("-2.5E-1", "double -0.25"), ("1e3", "double 1000"),
            ("'a' // the rest is a comment", "string \"a\""), ("\"it's\"", "string \"it's\""),
            ("'''two\nlines'''", "string \"two\\nlines\""), ("\"\"\"a\"b\"\"\"", "string \"a\\\"b\""),
            ("r'\\d'", "string \"\\\\d\""), ("R\"\"\"\\\"\"\"", "string \"\\\\\""),
            ("'\\n\\t\\\\\\'\\x41\\u00e9\\U0001F600\\101'", "string \"\\n\\t\\\\'Aé😀A\""),
            ("b'ab'", "bytes \"6162\""), ("b'\\xff\\101'", "bytes \"ff41\""), ("b'é'", "bytes \"c3a9\""),
            ("br'\\x'", "bytes \"5c78\""), ("Rb'\\x'", "bytes \"5c78\""), ("[1, 'a', null,]", "list [1,\"a\",null]"),
            ("{'a': 1, 2: true,}", "map {\"a\":1,\"2\":true}"), ("[]", "list []"), ("{}", "map {}"),
        ])
    }

    @Test func arithmetic() {
        check([
            ("1 + 2 * 3 - 4", "int 3"), ("(1 + 2) * 3", "int 9"), ("7 / 2", "int 3"), ("-7 / 2", "int -3"),
            ("-7 % 3", "int -1"), ("7u % 4u", "uint 3"), ("7.0 / 2.0", "double 3.5"),
            ("1.0 / 0.0", "double \"+Infinity\""),
            ("-(-3)", "int 3"), ("--3", "int 3"), ("- 3", "int -3"), ("2 - -3", "int 5"),
            ("9223372036854775807 + 1", "error: \(EvaluationError.range)"),
            ("-9223372036854775808 - 1", "error: \(EvaluationError.range)"),
            ("-(-9223372036854775808)", "error: \(EvaluationError.range)"),
            ("-9223372036854775808 / -1", "error: \(EvaluationError.range)"),
            ("-9223372036854775808 % -1", "error: \(EvaluationError.range)"),
            ("4294967296 * 4294967296", "error: \(EvaluationError.range)"),
            ("0u - 1u", "error: \(EvaluationError.range)"),
            ("1 / 0", "error: divide by zero"), ("1 % 0", "error: divide by zero"),
            ("1u / 0u", "error: divide by zero"),
            ("1 + 1.0", "error: no matching overload: int + double"),
            ("5.0 % 2.0", "error: no matching overload: double % double"),
            ("'a' + 'b'", "string \"ab\""), ("b'a' + b'b'", "bytes \"6162\""), ("[1] + [2]", "list [1,2]"),
            ("'a' - 'b'", "error: no matching overload: string - string"),
        ])
    }

    @Test func equalityIsAcrossNumbersAndWithinTypes() {
        check([
            ("1 == 1.0", "bool true"), ("1u == 1", "bool true"), ("1 == 1.5", "bool false"),
            ("9223372036854775807 == 9223372036854775807.0", "bool true"),
            ("18446744073709551615u == -1", "bool false"),
            ("'1' == 1", "bool false"), ("null == 0", "bool false"), ("null == null", "bool true"),
            ("[1, 2.0] == [1u, 2]", "bool true"), ("[1] == [1, 2]", "bool false"),
            ("{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u}", "bool true"), ("{'a': 1} == {'b': 1}", "bool false"),
            ("{1: 'x'} == {1u: 'x'}", "bool true"), ("double('NaN') == double('NaN')", "bool false"),
            ("double('NaN') != double('NaN')", "bool true"), ("0.0 == -0.0", "bool true"),
            // One letter in two spellings is two texts.
            ("'\\u00e9' == 'e\\u0301'", "bool false"), ("b'a' == b'a'", "bool true"), ("b'a' == 'a'", "bool false"),
            ("1 != 2", "bool true"), ("type(1) == int", "bool true"), ("type(1) == type(1u)", "bool false"),
        ])
    }

    @Test func order() {
        check([
            ("1 < 1.5", "bool true"), ("2u >= 2", "bool true"), ("-1 < 0u", "bool true"),
            ("9223372036854775806 < 9223372036854777000.0", "bool true"),
            ("18446744073709551615u > 1.5", "bool true"), ("-1.5 < -1", "bool true"),
            ("double('NaN') < 1.0", "bool false"), ("double('NaN') >= 1.0", "bool false"),
            ("'a' < 'b'", "bool true"), ("'Z' < 'a'", "bool true"), ("'\\uFFFD' < '\\U0001F600'", "bool true"),
            ("b'a' <= b'a'", "bool true"), ("false < true", "bool true"), ("'a' > 'a'", "bool false"),
            ("[1] < [2]", "error: no matching overload: list < list"),
            ("'a' < 1", "error: no matching overload: string < int"),
        ])
    }

    @Test func logicAbsorbsErrorsOnBothSides() {
        check([
            ("true || 1 / 0 == 1", "bool true"), ("1 / 0 == 1 || true", "bool true"),
            ("false && 1 / 0 == 1", "bool false"), ("1 / 0 == 1 && false", "bool false"),
            ("1 / 0 == 1 || false", "error: divide by zero"), ("true && 1 / 0 == 1", "error: divide by zero"),
            ("1 / 0 == 1 && true && [][0] && false", "bool false"), ("!true", "bool false"), ("!!true", "bool true"),
            ("true ? 1 : 1 / 0", "int 1"), ("false ? 1 / 0 : 2", "int 2"),
            ("1 / 0 == 1 ? 1 : 2", "error: divide by zero"),
            ("true ? (false ? 1 : 2) : 3", "int 2"), ("false || false ? 1 : true && true ? 2 : 3", "int 2"),
            ("dyn(1) || true", "bool true"), ("dyn(1) && true", "error: no matching overload: a condition of int"),
            ("dyn('a') ? 1 : 2", "error: no matching overload: a condition of string"),
        ])
    }

    @Test func fieldsIndicesAndMembership() {
        check([
            ("{'a': {'b': 7}}.a.b", "int 7"), ("{'a-b': 1}.`a-b`", "int 1"), ("{'a': 1}['a']", "int 1"),
            ("{1: 'x'}[1.0]", "string \"x\""), ("{1u: 'x'}[1]", "string \"x\""), ("[1, 2][1]", "int 2"),
            ("[1, 2][dyn(1.0)]", "int 2"), ("[1, 2][dyn(1u)]", "int 2"), ("[1, 2][2]", "error: index out of range: 2"),
            ("[1, 2][-1]", "error: index out of range: -1"), ("{'a': 1}.b", "error: no such key: b"),
            ("{'a': 1}['b']", "error: no such key: b"), ("has({'a': 1}.a)", "bool true"),
            ("has({'a': null}.a)", "bool true"),
            ("has({'a': 1}.b)", "bool false"), ("has({'a': 1}.b.c)", "error: no such key: b"),
            ("1 in [1, 2]", "bool true"), ("1.0 in [1, 2]", "bool true"), ("'x' in [1, 'x']", "bool true"),
            ("3 in []", "bool false"),
            ("'a' in {'a': 1}", "bool true"), ("1 in {1u: 1}", "bool true"), ("1.5 in {1: 1}", "bool false"),
            ("{'a': 1, 'a': 2}", "error: \(EvaluationError.duplicateKey)"),
            ("{1: 1, 1u: 2}", "error: \(EvaluationError.duplicateKey)"),
            ("1 in dyn(5)", "error: no matching overload: int in int"),
        ])
    }

    @Test func macros() {
        check([
            ("[1, 2, 3].all(x, x > 0)", "bool true"), ("[1, 2, 3].all(x, x > 1)", "bool false"),
            ("[].all(x, false)", "bool true"),
            ("[1, 2, 3].exists(x, x > 2)", "bool true"), ("[].exists(x, true)", "bool false"),
            ("[1, 2, 3].exists_one(x, x > 2)", "bool true"), ("[1, 2, 3].exists_one(x, x > 1)", "bool false"),
            ("[1, 2, 3].filter(x, x % 2 == 1)", "list [1,3]"), ("[1, 2, 3].map(x, x * x)", "list [1,4,9]"),
            ("[1, 2, 3].map(x, x > 1, x * 10)", "list [20,30]"), ("{'a': 1, 'b': 2}.all(k, k != '')", "bool true"),
            ("{'a': 1, 'b': 2}.map(k, k)", "list [\"a\",\"b\"]"), ("{1: 2}.exists(k, k == 1)", "bool true"),
            // Inner variables hide outer ones, and only inside.
            ("[1, 2].map(x, [10, 20].map(x, x + 1))", "list [[11,21],[11,21]]"),
            ("[1, 2].map(x, [10, 20].map(y, x + y)[1] + x)", "list [22,24]"),
            ("[[1, 2], [3]].exists(a, a.exists(b, b == 3))", "bool true"),
            // Errors are absorbed as `||` and `&&` do; the other macros stop at them.
            ("[0, 1].exists(x, 1 / x == 1)", "bool true"), ("[0, 1].all(x, 1 / x == 2)", "bool false"),
            ("[0, 1].exists(x, 1 / x == 2)", "error: divide by zero"),
            ("[0, 1].all(x, 1 / x == 1)", "error: divide by zero"),
            ("[0, 1].exists_one(x, 1 / x == 1)", "error: divide by zero"),
            ("[0, 1].filter(x, 1 / x == 1)", "error: divide by zero"),
            ("[0, 1].map(x, 1 / x)", "error: divide by zero"),
            ("dyn(1).all(x, true)", "error: no matching overload: all over int"),
        ])
    }

    @Test func textFunctions() {
        check([
            ("size('a😀é')", "int 3"), ("'a😀é'.size()", "int 3"), ("b'é'.size()", "int 2"), ("size([1, 2])", "int 2"),
            ("{'a': 1}.size()", "int 1"), ("'abc'.contains('bc')", "bool true"), ("'abc'.contains('')", "bool true"),
            ("'aabaabaaab'.contains('aaab')", "bool true"), ("'abc'.contains('ac')", "bool false"),
            ("'abc'.startsWith('ab')", "bool true"), ("'abc'.startsWith('b')", "bool false"),
            ("'abc'.endsWith('bc')", "bool true"),
            ("'a'.startsWith('ab')", "bool false"), ("'abc'.endsWith('')", "bool true"),
            ("'WH/MO/00042'.matches('^WH/MO/[0-9]{5}$')", "bool true"), ("matches('abc', 'b')", "bool true"),
            ("'abc'.matches('^b')", "bool false"), ("'abc'.matches(dyn('b.*') + '$')", "bool true"),
            ("'abc'.matches(dyn('(') + '')", "error: invalid pattern: missing ')', at character 1"),
            ("size(1)", "error: no matching overload: size(int)"),
        ])
    }

    @Test func conversions() {
        check([
            ("int('42')", "int 42"), ("int(-1.9)", "int -1"), ("int(5u)", "int 5"),
            ("int('x')", "error: conversion failed: the text is no int"),
            ("int(1e19)", "error: \(EvaluationError.range)"),
            ("int(18446744073709551615u)", "error: \(EvaluationError.range)"),
            ("int(9223372036854775808.0)", "error: \(EvaluationError.range)"),
            ("int(double('NaN'))", "error: \(EvaluationError.range)"),
            ("uint('42')", "uint 42"), ("uint(1.9)", "uint 1"), ("uint(-1)", "error: \(EvaluationError.range)"),
            ("uint('-1')", "error: conversion failed: the text is no uint"), ("double('1.5e3')", "double 1500"),
            ("double(3)", "double 3"),
            ("double('0x10')", "error: conversion failed: the text is no double"), ("string(1.0)", "string \"1\""),
            ("string(-0.25)", "string \"-0.25\""),
            ("string(42u)", "string \"42\""), ("string(true)", "string \"true\""),
            ("string(b'\\xc3\\xa9')", "string \"é\""),
            ("string(b'\\xff')", "error: conversion failed: invalid UTF-8"), ("bytes('é')", "bytes \"c3a9\""),
            ("bool('true')", "bool true"),
            ("bool('0')", "bool false"), ("bool('yes')", "error: conversion failed: the text is no bool"),
            ("dyn(1)", "int 1"),
            ("type(1)", "type \"int\""), ("type('a')", "type \"string\""), ("type(type(1))", "type \"type\""),
            ("type(null)", "type \"null_type\""),
            ("type([])", "type \"list\""), ("type(duration('1s'))", "type \"google.protobuf.Duration\""),
            ("google.protobuf.Timestamp == type(timestamp(0))", "bool true"),
            ("int(true)", "error: no matching overload: int(bool)"),
        ])
    }

    @Test func timesAndDurations() {
        check([
            ("timestamp('2026-11-25T06:30:00Z')", "google.protobuf.Timestamp \"2026-11-25T06:30:00Z\""),
            ("timestamp('2026-11-25T06:30:00.250+01:00')", "google.protobuf.Timestamp \"2026-11-25T05:30:00.25Z\""),
            ("int(timestamp('1970-01-01T00:01:00Z'))", "int 60"),
            ("timestamp(60)", "google.protobuf.Timestamp \"1970-01-01T00:01:00Z\""),
            ("timestamp('0001-01-01T00:00:00Z')", "google.protobuf.Timestamp \"0001-01-01T00:00:00Z\""),
            ("timestamp('9999-12-31T23:59:59.999999999Z') + duration('1ns')", "error: \(EvaluationError.range)"),
            ("timestamp('0001-01-01T00:00:00Z') - duration('1ns')", "error: \(EvaluationError.range)"),
            ("timestamp(253402300800)", "error: \(EvaluationError.range)"),
            ("string(timestamp(0))", "string \"1970-01-01T00:00:00Z\""),
            ("duration('1h30m')", "google.protobuf.Duration \"5400s\""),
            ("duration('-1.5s')", "google.protobuf.Duration \"-1.5s\""),
            ("duration('1500ms') == duration('1s500ms')", "bool true"),
            ("string(duration('1us'))", "string \"0.000001s\""),
            ("duration('0')", "google.protobuf.Duration \"0s\""),
            ("duration('320000000000s')", "error: \(EvaluationError.range)"),
            ("timestamp(0) + duration('1m') == timestamp(60)", "bool true"),
            ("duration('1m') + timestamp(0) == timestamp(60)", "bool true"),
            ("timestamp(90) - timestamp(30)", "google.protobuf.Duration \"60s\""),
            ("timestamp(90) - duration('30s') == timestamp(60)", "bool true"),
            ("duration('2s') - duration('3s')", "google.protobuf.Duration \"-1s\""),
            ("timestamp(1) < timestamp(2)", "bool true"),
            ("duration('1s') < duration('1001ms')", "bool true"),
            (
                "timestamp(1) + timestamp(2)",
                "error: no matching overload: google.protobuf.Timestamp + google.protobuf.Timestamp"
            ),
            ("timestamp('2026-11-25T06:30:15.123Z').getFullYear()", "int 2026"),
            ("timestamp('2026-11-25T06:30:15.123Z').getMonth()", "int 10"),
            ("timestamp('2026-11-25T06:30:15.123Z').getDate()", "int 25"),
            ("timestamp('2026-11-25T06:30:15.123Z').getDayOfMonth()", "int 24"),
            ("timestamp('2026-11-25T06:30:15.123Z').getDayOfWeek()", "int 3"),
            ("timestamp('2026-12-31T06:30:15.123Z').getDayOfYear()", "int 364"),
            ("timestamp('2026-11-25T06:30:15.123Z').getHours()", "int 6"),
            ("timestamp('2026-11-25T06:30:15.123Z').getMinutes()", "int 30"),
            ("timestamp('2026-11-25T06:30:15.123Z').getSeconds()", "int 15"),
            ("timestamp('2026-11-25T06:30:15.123Z').getMilliseconds()", "int 123"),
            ("timestamp('2026-11-25T23:30:00Z').getDate('+01:00')", "int 26"),
            ("timestamp('2026-11-25T00:15:00Z').getHours('-02:30')", "int 21"),
            ("timestamp('2026-11-25T23:30:00Z').getHours('UTC')", "int 23"),
            (
                "timestamp('2026-11-25T23:30:00Z').getHours(dyn('Europe/Vienna'))",
                "error: \(EvaluationError.unknownTimeZone)"
            ),
            ("duration('3730s').getHours()", "int 1"), ("duration('3730s').getMinutes()", "int 62"),
            ("duration('3730s').getSeconds()", "int 3730"),
            ("duration('1234567ms').getMilliseconds()", "int 567"),
            (
                "timestamp('2026-02-29T00:00:00Z')",
                "error: conversion failed: the text is no RFC 3339 time from year 1 to 9999: 2026-11-25T06:00:00Z"
            ),
            ("duration('1 hour')", "error: conversion failed: the text is no duration: 1h30m, 45s, 500ms"),
        ])
    }
}
