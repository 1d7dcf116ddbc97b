"""Makes differential.json: random expressions of CEL, and what two implementations that know nothing of ours say of them.

    python3 -m venv venv && venv/bin/pip install cel-python==0.5.0 common-expression-language==0.10.0
    venv/bin/python Tests/Fixtures/cel/make.py >Tests/Fixtures/cel/differential.json

cel-python is written in Python, common-expression-language is the Rust crate `cel`. Only what both agree on is kept: each
of them departs from the definition in places (one has no `1 == 1.0`, the other counts a text's bytes). What they disagree
on is counted and printed.
"""
import json
import random
import sys

import cel
import celpy

chance = random.Random(20261125)
pick = chance.choice
INTS = ["0", "1", "2", "3", "-3", "7", "10", "9223372036854775807", "-9223372036854775808", "1000000007"]
DOUBLES = ["0.0", "1.0", "-1.5", "2.25", "1e3", "1e300", "0.1", "-0.0"]
TEXTS = ["''", "'a'", "'ab'", "'abc'", "\"b'c\"", "'A1'", "'x\\ty'", "'zürich'", "'42'", "'-7'", "'a.c'"]
PATTERNS = ["'^a'", "'b+'", "'[a-c]+$'", "'^$'", "'(a|b)c'", "'\\\\d+'", "'.'"]


def integer(depth):
    if depth == 0:
        return pick(INTS)
    a, b = integer(depth - 1), integer(depth - 1)
    return pick([
        lambda: f"({a} {pick('+-*/%')} {b})", lambda: f"({a} {pick('+-*/%')} {b})", lambda: f"-({a})",
        lambda: f"size({text(depth - 1)})", lambda: f"size({numbers(depth - 1)})", lambda: f"int({double(depth - 1)})",
        lambda: f"int({pick(TEXTS)})", lambda: f"({truth(depth - 1)} ? {a} : {b})",
        lambda: f"{numbers(depth - 1)}[{pick(INTS[:5])}]", lambda: f"{{'a': {a}, 'b': {b}}}.{pick('abc')}"])()


def double(depth):
    if depth == 0:
        return pick(DOUBLES)
    a, b = double(depth - 1), double(depth - 1)
    return pick([lambda: f"({a} {pick('+-*/')} {b})", lambda: f"-({a})", lambda: f"double({integer(depth - 1)})",
                 lambda: f"({truth(depth - 1)} ? {a} : {b})"])()


def text(depth):
    if depth == 0:
        return pick(TEXTS)
    a, b = text(depth - 1), text(depth - 1)
    return pick([lambda: f"({a} + {b})", lambda: f"string({integer(depth - 1)})",
                 lambda: f"({truth(depth - 1)} ? {a} : {b})", lambda: f"[{a}, {b}][{pick('012')}]"])()


def numbers(depth):
    if depth == 0:
        return pick(["[]", "[1]", "[1, 2, 3]", "[3, 2, 1, 0]", "[7, 7]"])
    a = numbers(depth - 1)
    return pick([lambda: f"({a} + {numbers(depth - 1)})", lambda: f"{a}.map(x, x {pick('+-*')} {pick(INTS[:6])})",
                 lambda: f"{a}.filter(x, x {pick(['>', '<', '==', '!='])} {pick(INTS[:6])})",
                 lambda: f"[{integer(depth - 1)}, {integer(depth - 1)}]"])()


def truth(depth):
    if depth == 0:
        return pick(["true", "false"])
    order = pick(["<", "<=", ">", ">=", "==", "!="])
    a, b = truth(depth - 1), truth(depth - 1)
    return pick([
        lambda: f"({integer(depth - 1)} {order} {integer(depth - 1)})",
        lambda: f"({double(depth - 1)} {order} {double(depth - 1)})",
        lambda: f"({text(depth - 1)} {order} {text(depth - 1)})",
        lambda: f"({integer(depth - 1)} {order} {double(depth - 1)})",
        lambda: f"({a} && {b})", lambda: f"({a} || {b})", lambda: f"!{a}", lambda: f"({a} == {b})",
        lambda: f"({integer(depth - 1)} in {numbers(depth - 1)})", lambda: f"({numbers(depth - 1)} == {numbers(depth - 1)})",
        lambda: f"{numbers(depth - 1)}.{pick(['all', 'exists', 'exists_one'])}(x, x {order} {pick(INTS[:6])})",
        lambda: f"{numbers(depth - 1)}.{pick(['all', 'exists'])}(x, {pick(INTS[:6])} / x {order} 1)",
        lambda: f"{text(depth - 1)}.{pick(['startsWith', 'endsWith', 'contains'])}({pick(TEXTS)})",
        lambda: f"{text(depth - 1)}.matches({pick(PATTERNS)})", lambda: f"has({{'a': 1}}.{pick('ab')})"])()


ENVIRONMENT = celpy.Environment()


def plain(value):
    """A value of cel-python as one of Python's own, with its type."""
    if isinstance(value, (bool, celpy.celtypes.BoolType)):
        return bool(value)
    if isinstance(value, list):
        return [plain(one) for one in value]
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(type(value))


def first(expression):
    try:
        value = ENVIRONMENT.program(ENVIRONMENT.compile(expression)).evaluate({})
    except Exception:
        return "error"
    return ("value", plain(value))


def second(expression):
    try:
        return ("value", cel.evaluate(expression, {}))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "error"


def kind(value):
    return {bool: "bool", int: "int", float: "double", str: "string", list: "list"}[type(value)]


rows, seen, disagreed = [], set(), 0
makers = [integer, double, text, truth, truth, numbers]
while len(rows) < 900:
    expression = pick(makers)(chance.randrange(1, 4))
    if expression in seen or len(expression) > 160:
        continue
    seen.add(expression)
    one, two = first(expression), second(expression)
    if one == "error" and two == "error":
        # Not more than every fourth.
        if sum(1 for row in rows if "error" in row) * 4 < len(rows):
            rows.append({"expression": expression, "error": True})
    elif one != two or type(one[1]) is not type(two[1]) or one[1] != one[1] or one[1] in (float("inf"), float("-inf")):
        disagreed += 1
    else:
        rows.append({"expression": expression, "type": kind(one[1]), "value": one[1]})
print("[\n " + ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]")
print(f"{len(seen)} tried, {len(rows)} kept, {disagreed} on which the two disagree", file=sys.stderr)
