"""Programs: what they may say, their references and guards, and how values become JSON. Knows neither Odoo nor SQL.

A program is a list of steps, each an object with one of:

    {"call": {"model", "method", "ids", "args", "kwargs", "context"}, "no_wizard": true}
    {"expect": {"model", "ids", "where"}, "why": "…"}

`{"$ref": 0}` stands for the result of step 0, `{"$ref": [0, "ids", 0]}` for a part of it.
"""
import datetime
import hashlib
import json

VERSION = "1.0.0"
# Changes with what a gateway must know.
PROTOCOL = 1
STEPS_MAX = 500
REQUEST_ID_MAX = 200

CALL_MEMBERS = {"model", "method", "ids", "args", "kwargs", "context"}
EXPECT_MEMBERS = {"model", "ids", "where"}
OPERATORS = {"=", "!=", "<", "<=", ">", ">=", "in", "not in"}


class Invalid(Exception):
    pass


def check(request_id, program):
    """Raises `Invalid` with what is wrong."""
    if not isinstance(request_id, str) or not 0 < len(request_id) <= REQUEST_ID_MAX:
        raise Invalid("the request id is a text of 1 to %d characters" % REQUEST_ID_MAX)
    if not isinstance(program, list) or not 0 < len(program) <= STEPS_MAX:
        raise Invalid("a program is a list of 1 to %d steps" % STEPS_MAX)
    for number, step in enumerate(program):
        if not isinstance(step, dict):
            raise Invalid("step %d is no object" % number)
        if "call" in step and set(step) <= {"call", "no_wizard"}:
            body, members, needed = step["call"], CALL_MEMBERS, {"model", "method"}
        elif "expect" in step and set(step) <= {"expect", "why"}:
            body, members, needed = step["expect"], EXPECT_MEMBERS, EXPECT_MEMBERS
        else:
            raise Invalid("step %d is neither a call nor an expectation" % number)
        if not isinstance(body, dict) or not needed <= set(body) <= members:
            raise Invalid("step %d: an object with %s" % (number, ", ".join(sorted(members))))
        if not all(isinstance(body[name], str) for name in needed & {"model", "method"}):
            raise Invalid("step %d: model and method are texts" % number)
        for name, kind in (("args", list), ("kwargs", dict), ("context", dict), ("where", list)):
            if not isinstance(body.get(name, kind()), kind):
                raise Invalid("step %d: '%s' is of the wrong kind" % (number, name))
        if "context" in body.get("kwargs", {}):
            raise Invalid("step %d: the context has a member of its own" % number)


def fingerprint(program):
    text = json.dumps(program, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def resolve(value, results):
    """The value with its references replaced by what they refer to."""
    if isinstance(value, list):
        return [resolve(item, results) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) != {"$ref"}:
        return {name: resolve(item, results) for name, item in value.items()}
    path = value["$ref"] if isinstance(value["$ref"], list) else [value["$ref"]]
    if not path or isinstance(path[0], bool) or not isinstance(path[0], int) or not 0 <= path[0] < len(results):
        raise Invalid("a reference to no earlier step: %s" % json.dumps(value["$ref"]))
    found = results
    for part in path:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            raise Invalid("a reference to nothing: %s" % json.dumps(value["$ref"])) from None
    return found


def ids_of(value):
    """One id or a list of ids, also of lists that references brought."""
    flat = []
    for item in value if isinstance(value, list) else [value]:
        flat.extend(item if isinstance(item, list) else [item])
    if not all(isinstance(item, int) and not isinstance(item, bool) and item > 0 for item in flat):
        raise Invalid("'ids' are numbers greater than zero")
    return flat


def as_json(result):
    """The result as Odoo's RPC would answer it."""
    return json.loads(json.dumps(result, default=_plain))


def _plain(value):
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "ids") and hasattr(value, "_name"):
        return list(value.ids)
    if isinstance(value, (set, frozenset, tuple)) or hasattr(value, "__next__"):
        return list(value)
    if hasattr(value, "items"):
        return dict(value.items())
    return str(value)


# Guards

def fields_of(where):
    return sorted({term[0] for term in where if not isinstance(term, str)})


def holds(where, record):
    """Whether a record, as `read` answers it, is as a domain in Polish notation says. An empty one says nothing."""
    terms = list(reversed(where))
    results = []
    while terms:
        results.append(_term(terms, record))
    return all(results)


def _term(terms, record):
    if not terms:
        raise Invalid("'where' ends too early")
    term = terms.pop()
    if term == "!":
        return not _term(terms, record)
    if term in ("&", "|"):
        first, second = _term(terms, record), _term(terms, record)
        return first and second if term == "&" else first or second
    if not isinstance(term, list) or len(term) != 3 or not isinstance(term[0], str) or term[1] not in OPERATORS:
        raise Invalid("'where' has terms of field, operator and value, and '&', '|', '!' before them")
    field, operator, value = term
    return _compare(_bare(record.get(field)), operator, _bare(value))


def _bare(value):
    """What is empty is false, a reference its id, a list of ids sorted."""
    if value is None or value == "":
        return False
    if isinstance(value, tuple):
        return value[0] if value else False
    if isinstance(value, (datetime.date, datetime.datetime)):
        return _plain(value)
    return sorted(value) if isinstance(value, list) and all(isinstance(item, int) for item in value) else value


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _equal(one, other):
    if _is_number(one) and _is_number(other):
        # Odoo computes with floats: 0.1 + 0.2 is 0.3.
        return abs(one - other) < 1e-6
    # True is no 1 here; an empty number is 0.
    return type(one) is type(other) and one == other


def _compare(has, operator, value):
    if operator == "=":
        return _equal(has, value)
    if operator == "!=":
        return not _equal(has, value)
    if operator in ("in", "not in"):
        if not isinstance(value, list):
            raise Invalid("'%s' wants a list" % operator)
        return any(_equal(has, item) for item in value) == (operator == "in")
    if not (_is_number(has) and _is_number(value)) and not (isinstance(has, str) and isinstance(value, str)):
        return False
    if _equal(has, value):
        return operator in ("<=", ">=")
    return has < value if operator[0] == "<" else has > value
