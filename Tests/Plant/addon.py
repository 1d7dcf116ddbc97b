"""The Odoo addon, `deploy/odoo-addon/millgate`, on a real PostgreSQL: a request is carried out once, whatever meets.

    python3 Tests/Plant/addon.py [check_NAME…]

Odoo itself is played by a page of stubs, once with the functions of 16 and 17 and once with those of 19: its loop that
calls again after a serialization failure, its check of method names, `call_kw`, and records whose rows lie in the
database. What is real is what counts here: the addon's own source, its SQL, and transactions that meet.
"""
import ast
import contextlib
import csv
import importlib
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
import xml.etree.ElementTree as ElementTree

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ADDON = REPOSITORY / "deploy/odoo-addon/millgate"


def use_libraries():
    """The database's client is among the libraries of `scripts/venv.sh`."""
    subprocess.run([REPOSITORY / "scripts/venv.sh"], check=True)
    for folder in (REPOSITORY / ".build/venv/lib").glob("python*/site-packages"):
        sys.path.append(str(folder))


use_libraries()
import psycopg2  # noqa: E402
import psycopg2.extensions  # noqa: E402


class Postgres:
    """A cluster of its own in a folder of its own, without a port."""

    def __init__(self):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
        on_path = shutil.which("initdb")
        if not found and not on_path:
            sys.exit("there is no initdb: scripts/install-deps.sh test installs PostgreSQL")
        self.bin = found[0].parent if found else pathlib.Path(on_path).parent
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millgate-pg-"))
        # It refuses to run as root.
        self.user = None
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            self.user = entry.pw_uid
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        data = self.folder / "data"
        self.run("initdb", "-D", data, "-U", "odoo", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C")
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", options, "start")

    def run(self, name, *arguments):
        subprocess.run([self.bin / name, *arguments], user=self.user, check=True, stdout=subprocess.DEVNULL,
                       cwd=self.folder, timeout=60)

    def connect(self):
        # What Odoo sets on every connection.
        connection = psycopg2.connect(host=str(self.folder), user="odoo", dbname="postgres")
        connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ)
        return connection

    def stop(self):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


# Odoo, as far as the addon sees it

def stub_odoo(is_new):
    """Puts modules named `odoo…` in place; `is_new` has the functions where 19 has them, else where 16 has them."""
    for name in [name for name in sys.modules if name == "odoo" or name.startswith("odoo.")]:
        del sys.modules[name]

    def module(name, **members):
        made = types.ModuleType(name)
        made.__dict__.update(members)
        sys.modules[name] = made
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, made)
        return made

    UserError = type("UserError", (Exception,), {"__module__": "odoo.exceptions"})
    AccessError = type("AccessError", (UserError,), {"__module__": "odoo.exceptions"})

    def call_kw(model, name, args, kwargs):
        method = getattr(type(model), name)
        if getattr(method, "_api_model", False):
            records = model
        else:
            ids, args = args[0], args[1:]
            records = model.browse(ids)
        kwargs = dict(kwargs)
        records = records.with_context(kwargs.pop("context", None) or {})
        result = method(records, *args, **kwargs)
        return result.ids if isinstance(result, Record) else result

    def check_method_name(name):
        if name.startswith("_"):
            raise AccessError(f"Private methods (such as {name}) cannot be called remotely.")

    def get_public_method(model, name):
        method = getattr(type(model), name, None)
        if name.startswith("_") or getattr(method, "_api_private", False):
            raise AccessError(f"Private methods (such as '{model._name}.{name}') cannot be called remotely.")
        if not callable(method):
            raise AttributeError(f"The method '{model._name}.{name}' does not exist")
        return method

    def field(*_arguments, **_named):
        return None

    odoo = module("odoo")
    odoo.__path__ = []
    module("odoo.exceptions", UserError=UserError, AccessError=AccessError)
    module("odoo.fields", Char=field, Text=field, Selection=field)
    module("odoo.api", model=model_method, autovacuum=lambda method: method)
    module("odoo.models", Model=Record)
    module("odoo.service").__path__ = []
    if is_new:
        module("odoo.service.model", call_kw=call_kw, get_public_method=get_public_method)
    else:
        module("odoo.service.model")
        odoo.api.call_kw = call_kw
        odoo.models.check_method_name = check_method_name
    module("odoo.addons").__path__ = [str(ADDON.parent)]
    return importlib.import_module("odoo.addons.millgate.models.millgate_request")


def model_method(method):
    method._api_model = True
    return method


class Record:
    """Records whose rows lie in the database."""
    _name = None

    def __init__(self, env, ids=()):
        self.env, self.ids = env, list(ids)

    @property
    def _table(self):
        return self._name.replace(".", "_")

    def __len__(self):
        return len(self.ids)

    def browse(self, ids):
        return type(self)(self.env, ids)

    def with_context(self, context):
        return type(self)(self.env.with_context(context), self.ids)


class Thing(Record):
    _name = "plant.thing"

    @model_method
    def make(self, name):
        self.env.cr.execute("INSERT INTO plant_thing (name) VALUES (%s) RETURNING id", (name,))
        return self.browse([self.env.cr.fetchone()[0]])

    @model_method
    def load(self, fields, data):
        if "wrong" in fields:
            return {"ids": False, "messages": [{"type": "error", "field": "wrong", "message": "no such value"}]}
        if "busy" in fields:
            return {"ids": False, "messages": [{"type": "error", "message": "could not serialize"}]}
        return {"ids": [self.make(row[0]).ids[0] for row in data], "messages": []}

    def read(self, names):
        self.env.cr.execute(
            f"SELECT {', '.join(['id'] + [name for name in names if name != 'id'])} FROM plant_thing"
            " WHERE id = ANY(%s) ORDER BY id", (self.ids,))
        columns = [column.name for column in self.env.cr.description]
        return [dict(zip(columns, (float(value) if name == "quantity" else value
                                   for name, value in zip(columns, row)))) for row in self.env.cr.fetchall()]

    def add(self, amount, pause=0.0):
        self.env.cr.execute("UPDATE plant_thing SET quantity = quantity + %s WHERE id = ANY(%s)", (amount, self.ids))
        time.sleep(pause)
        return True

    def ask(self):
        return {"type": "ir.actions.act_window", "res_model": "plant.wizard", "target": "new"}

    def print(self):
        return {"type": "ir.actions.report", "res_model": "plant.wizard"}

    def fail(self):
        raise sys.modules["odoo.exceptions"].UserError("it is closed")

    def context(self):
        return dict(self.env.context)

    def commit(self):
        self.env.cr.connection.commit()

    def hidden(self):
        return True
    hidden._api_private = True

    def _private(self):
        return True


class Env:
    def __init__(self, module, cr, uid=7, context=None, groups=("millgate.group_gateway",), parameters=None):
        self.module, self.cr, self.uid, self.context = module, cr, uid, context or {}
        self.groups, self.parameters = groups, parameters or {}
        self.user = self

    def has_group(self, name):
        return name in self.groups

    def with_context(self, context):
        return Env(self.module, self.cr, self.uid, context, self.groups, self.parameters)

    def __contains__(self, name):
        return name in ("plant.thing", "millgate.request")

    def __getitem__(self, name):
        if name == "ir.config_parameter":
            parameter = types.SimpleNamespace(get_param=lambda key: self.parameters.get(key, False))
            return types.SimpleNamespace(sudo=lambda: parameter)
        return {"plant.thing": Thing, "millgate.request": self.module.MillgateRequest}[name](self)

    def flush_all(self):
        pass

    invalidate_all = flush_all


class Stage:
    """The addon on a database, and calls to it as RPC would make them."""
    cluster = None

    def __init__(self, is_new):
        self.isNew, self.module = is_new, stub_odoo(is_new)
        with self.cursor() as cr:
            cr.execute("DROP TABLE IF EXISTS millgate_request, plant_thing")
            cr.execute(
                "CREATE TABLE millgate_request (id serial PRIMARY KEY, request_id varchar NOT NULL,"
                " fingerprint varchar, state varchar NOT NULL, result text, create_uid int, create_date timestamp,"
                " write_uid int, write_date timestamp)")
            cr.execute("CREATE TABLE plant_thing (id serial PRIMARY KEY, name varchar, quantity numeric DEFAULT 0)")
            self.module.MillgateRequest(Env(self.module, cr)).init()

    @contextlib.contextmanager
    def cursor(self):
        connection = self.cluster.connect()
        try:
            with connection.cursor() as cr:
                yield cr
            connection.commit()
        finally:
            connection.close()

    def call(self, method, *arguments, tries=5, retried=None, **env):
        """One call: a transaction, and anew after a serialization failure, as Odoo's `retrying` does."""
        connection = self.cluster.connect()
        try:
            for left in reversed(range(tries)):
                try:
                    with connection.cursor() as cr:
                        model = self.module.MillgateRequest(Env(self.module, cr, **env))
                        result = getattr(model, method)(*arguments)
                    connection.commit()
                    return result
                except psycopg2.OperationalError as error:
                    connection.rollback()
                    # 40001, 40P01, 55P03: those that Odoo calls again for. It goes by the code.
                    if error.pgcode not in ("40001", "40P01", "55P03") or not left:
                        raise
                    if retried is not None:
                        retried.append(error.pgcode)
        finally:
            connection.close()

    def perform(self, request_id, program, **named):
        return self.call("perform", request_id, program, **named)

    def one(self, query):
        with self.cursor() as cr:
            cr.execute(query)
            return cr.fetchone()[0]

    def made(self):
        return self.one("SELECT count(*) FROM plant_thing")

    def refused(self, kind, *arguments, method="perform", **named):
        """Asserts that the call raises this class, and answers its text."""
        try:
            result = self.call(method, *arguments, **named)
        except Exception as error:
            name = f"{type(error).__module__}.{type(error).__name__}"
            assert name.endswith(kind), f"{name}: {error}"
            return str(error)
        raise AssertionError(f"answered {result}")


def step(method, *args, ids=None, context=None, **more):
    call = {"model": "plant.thing", "method": method, "args": list(args)}
    if ids is not None:
        call["ids"] = ids
    if context is not None:
        call["context"] = context
    return {"call": call, **more}


def expect(ids, *where, why="guard"):
    return {"expect": {"model": "plant.thing", "ids": ids, "where": list(where)}, "why": why}


ERRORS = "odoo.addons.millgate.exceptions."


# Checks on both kinds of Odoo

def check_a_program_is_one_transaction_and_its_steps_refer_to_each_other(stage):
    program = [
        step("load", ["name"], [["bolt"]]), step("add", 2.5, ids=[{"$ref": [0, "ids", 0]}]),
        step("make", "nut"), step("add", 1, ids={"$ref": 3 - 1}), expect({"$ref": [0, "ids"]}, ["quantity", "=", 2.5])]
    answer = stage.perform("op.1", program)
    first = stage.one("SELECT id FROM plant_thing WHERE name = 'bolt' AND quantity = 2.5")
    second = stage.one("SELECT id FROM plant_thing WHERE name = 'nut' AND quantity = 1")
    assert answer == {"again": False, "results": [{"ids": [first], "messages": []}, True, [second], True, True]}, answer


def check_the_same_id_again_answers_what_was_answered_and_does_nothing(stage):
    program = [step("load", ["name"], [["bolt"]])]
    first = stage.perform("op.1", program)
    for _ in range(3):
        assert stage.perform("op.1", program) == {"again": True, "results": first["results"]}
    assert stage.made() == 1
    assert stage.perform("op.2", program)["again"] is False and stage.made() == 2


def check_what_fails_leaves_nothing_and_the_same_id_may_come_again(stage):
    stage.refused("odoo.exceptions.UserError", "op.1", [step("make", "bolt"), step("fail", ids=[1])])
    assert stage.made() == 0 and stage.one("SELECT count(*) FROM millgate_request") == 0
    assert stage.perform("op.1", [step("make", "bolt")])["again"] is False


def check_a_guard_that_fails_takes_everything_back(stage):
    program = [step("make", "bolt"), step("add", 3, ids={"$ref": 0}),
               expect({"$ref": 0}, ["quantity", ">", 3], why="too-few")]
    assert stage.refused(ERRORS + "ExpectationFailed", "op.1", program) == "too-few"
    assert stage.made() == 0
    assert stage.refused(ERRORS + "ExpectationFailed", "op.1", [expect([99], ["name", "=", "x"], why="gone")]) == "gone"


def check_a_wizard_or_a_refused_load_is_taken_back_where_it_must_not_be(stage):
    made = stage.perform("op.0", [step("make", "bolt"), step("ask", ids={"$ref": 0}),
                                  step("print", ids={"$ref": 0}, no_wizard=True)])
    assert made["results"][1]["res_model"] == "plant.wizard"
    text = stage.refused(ERRORS + "DecisionWanted", "op.1", [step("make", "nut"), step("ask", ids=[1], no_wizard=True)])
    assert text == "plant.wizard"
    assert stage.refused(
        ERRORS + "LoadRefused", "op.1", [step("make", "nut"), step("load", ["wrong"], [[1]])]) == "no such value"
    stage.refused(ERRORS + "LoadFailed", "op.1", [step("make", "nut"), step("load", ["busy"], [[1]])])
    assert stage.made() == 1


def check_the_id_of_another_program_or_user_is_refused_not_answered(stage):
    stage.perform("op.1", [step("make", "bolt")])
    stage.refused(ERRORS + "RequestMismatch", "op.1", [step("make", "nut")])
    stage.refused(ERRORS + "RequestMismatch", "op.1", [step("make", "bolt")], uid=8)
    assert stage.made() == 1
    # The order of members and the context of the call say nothing about the program.
    program = [{"call": {"args": ["bolt"], "method": "make", "model": "plant.thing"}}]
    assert stage.perform("op.1", program, context={"lang": "de_DE"})["again"] is True


def check_no_method_is_called_that_rpc_would_not_call(stage):
    stage.refused("odoo.exceptions.AccessError", "op.1", [step("_private", ids=[1])])
    stage.refused("builtins.AttributeError", "op.1", [step("missing", ids=[1])])
    if stage.isNew:
        stage.refused("odoo.exceptions.AccessError", "op.1", [step("hidden", ids=[1])])
    stage.refused("odoo.exceptions.UserError", "op.1", [{"call": {"model": "no.model", "method": "read"}}])
    stage.refused(ERRORS + "ProgramInvalid", "op.1",
                  [{"call": {"model": "millgate.request", "method": "perform", "args": ["x", []]}}])
    for method, arguments in [("perform", ("op.1", [step("make", "x")])), ("close", ("op.1",)), ("about", ())]:
        stage.refused("odoo.exceptions.AccessError", *arguments, method=method, groups=())
    assert stage.made() == 0


def check_a_step_has_the_context_of_the_call_and_its_own(stage):
    program = [step("context", ids=[1], context={"tz": "UTC"})]
    answer = stage.perform("op.1", program, context={"lang": "de_DE", "tz": "Europe/Berlin"})
    assert answer["results"] == [{"lang": "de_DE", "tz": "UTC"}]


def check_what_is_no_program_is_refused_with_a_reason(stage):
    for program, words in [
            ([], "1 to"), ({}, "1 to"), ([1], "step 0"), ([{"call": {}}], "step 0"), ([{"run": {}}], "neither"),
            ([step("make", {"$ref": 0})], "no earlier"), ([step("make", {"$ref": [True]})], "no earlier"),
            ([step("make", "a"), step("add", 1, ids={"$ref": [0, 5]})], "to nothing"),
            ([step("make", "a"), step("add", 1, ids=["x"])], "greater than zero"),
            ([step("make", "a"), expect({"$ref": 0}, ["name", "like", "a"])], "operator"),
            ([step("make", "a"), expect({"$ref": 0}, "&", ["name", "=", "a"])], "too early"),
            ([dict(step("make", "a"), more=1)], "neither"),
            ([{"call": {"model": "plant.thing", "method": "make", "kwargs": {"context": {}}}}], "of its own")]:
        text = stage.refused(ERRORS + "ProgramInvalid", "op.1", program)
        assert words in text, f"{program}: {text}"
    stage.refused(ERRORS + "ProgramInvalid", "", [step("make", "a")])
    stage.refused(ERRORS + "ProgramInvalid", "x" * 201, [step("make", "a")])
    assert stage.made() == 0


def check_a_closed_request_is_never_carried_out(stage):
    assert stage.call("close", "op.1") == {"closed": True}
    assert stage.call("close", "op.1") == {"closed": True}
    stage.refused(ERRORS + "RequestClosed", "op.1", [step("make", "bolt")])
    results = stage.perform("op.2", [step("make", "bolt")])["results"]
    assert stage.call("close", "op.2") == {"closed": False, "results": results, "again": True}
    stage.refused(ERRORS + "RequestMismatch", "op.2", method="close", uid=8)
    assert stage.made() == 1


def check_a_method_that_commits_in_the_middle_is_told_from_one_that_was_done(stage):
    stage.refused("odoo.exceptions.UserError", "op.1", [step("commit", ids=[1]), step("fail", ids=[1])])
    stage.refused(ERRORS + "RequestTorn", "op.1", [step("commit", ids=[1]), step("fail", ids=[1])])
    stage.refused(ERRORS + "RequestTorn", "op.1", method="close")


def check_what_is_old_is_pruned_and_nothing_else(stage):
    for name in ["old", "new"]:
        stage.perform(name, [step("make", name)])
    with stage.cursor() as cr:
        cr.execute("UPDATE millgate_request SET create_date = create_date - interval '40 days'"
                   " WHERE request_id = 'old'")
    stage.call("_gc_millgate_requests")
    assert stage.one("SELECT count(*) FROM millgate_request") == 2
    stage.call("_gc_millgate_requests", parameters={"millgate.request_days": "30"})
    assert stage.one("SELECT string_agg(request_id, ' ') FROM millgate_request") == "new"
    assert stage.call("about", parameters={"millgate.request_days": "1"})["days"] == 7
    assert stage.call("about") == {"version": "1.0.0", "protocol": 1, "days": 90, "steps_max": 500}


# Transactions that meet

def at_once(*works):
    """Runs each in a thread of its own, and answers what each returned or raised."""
    results = [None] * len(works)

    def run(number, work):
        try:
            results[number] = work()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def check_of_many_at_once_one_is_carried_out_and_all_have_its_answer(stage):
    retried = []
    program = [step("make", "bolt"), step("add", 1, 0.3, ids={"$ref": 0})]
    answers = at_once(*[lambda: stage.perform("op.1", program, retried=retried) for _ in range(8)])
    assert all(isinstance(answer, dict) for answer in answers), answers
    assert sorted(answer["again"] for answer in answers) == [False] + [True] * 7, answers
    assert len({str(answer["results"]) for answer in answers}) == 1
    assert stage.made() == 1 and stage.one("SELECT quantity FROM plant_thing") == 1
    # They began before the first was committed: PostgreSQL refuses them, and Odoo's loop asks again.
    assert retried and set(retried) == {"40001"}, retried


def check_where_the_first_is_rolled_back_the_second_is_carried_out(stage):
    began = threading.Event()

    def slow():
        connection = stage.cluster.connect()
        with connection.cursor() as cr:
            stage.module.MillgateRequest(Env(stage.module, cr)).perform("op.1", [step("make", "bolt")])
            began.set()
            time.sleep(0.5)
        connection.rollback()
        connection.close()

    def second():
        began.wait(10)
        return stage.perform("op.1", [step("make", "bolt")])

    started = time.monotonic()
    answers = at_once(slow, second)
    assert answers[1]["again"] is False and stage.made() == 1, answers
    assert time.monotonic() - started >= 0.45, "it did not wait for the first"


def check_closing_waits_for_what_is_under_way(stage):
    began = threading.Event()

    def first():
        connection = stage.cluster.connect()
        with connection.cursor() as cr:
            stage.module.MillgateRequest(Env(stage.module, cr)).perform("op.1", [step("make", "bolt")])
            began.set()
            time.sleep(0.4)
        connection.commit()
        connection.close()

    def closing():
        began.wait(10)
        return stage.call("close", "op.1")

    _, closed = at_once(first, closing)
    assert closed["closed"] is False and stage.made() == 1, closed


def check_a_guard_sees_what_another_has_committed_meanwhile(stage):
    identity = stage.perform("op.0", [step("make", "bolt")])["results"][0]
    retried = []

    def take(number):
        program = [expect(identity, ["quantity", "=", 0], why="taken"), step("add", 1, 0.2, ids=identity)]
        return stage.perform(f"op.{number}", program, retried=retried)

    answers = at_once(*[lambda number=number: take(number) for number in range(1, 5)])
    good = [answer for answer in answers if isinstance(answer, dict)]
    assert len(good) == 1, answers
    assert all(str(answer) == "taken" for answer in answers if answer not in good), answers
    assert stage.one("SELECT quantity FROM plant_thing") == 1


def check_without_the_unique_index_it_refuses_to_work(stage):
    with stage.cursor() as cr:
        cr.execute("DROP INDEX millgate_request_request_id_unique")
    stage.refused("psycopg2.errors.InvalidColumnReference", "op.1", [step("make", "bolt")])
    assert stage.made() == 0


def check_a_request_that_was_pruned_meanwhile_is_a_serialization_failure_with_its_code(stage):
    class Blind:
        """A cursor that finds no row any more."""

        def __init__(self, cr):
            self.cr = cr

        def execute(self, query, values=None):
            self.cr.execute(query, values)

        def fetchone(self):
            return None

    with contextlib.suppress(psycopg2.errors.SerializationFailure), stage.cursor() as cr:
        try:
            sys.modules["odoo.addons.millgate.book"].claim(Blind(cr), "op.1", "x", 7)
        except psycopg2.errors.SerializationFailure as error:
            assert error.pgcode == "40001"
            raise
        raise AssertionError("nothing was raised")


def check_what_earlier_gateways_made_outlives_the_installation(stage):
    hooks = importlib.import_module("odoo.addons.millgate.hooks")
    assert ast.literal_eval((ADDON / "__manifest__.py").read_text())["pre_init_hook"] == "keep_records"
    with stage.cursor() as cr:
        cr.execute("CREATE TEMP TABLE ir_model_data (module varchar, name varchar)")
        cr.execute("INSERT INTO ir_model_data VALUES ('millgate', 'op_1'), ('millgate', 'model_millgate_request'),"
                   " ('other', 'op_1'), ('millgate', 'opx')")
        # 16 hands over a cursor, 17 and later an environment.
        hooks.keep_records(types.SimpleNamespace(cr=cr) if stage.isNew else cr)
        cr.execute("SELECT module || '.' || name FROM ir_model_data ORDER BY 1")
        assert [row[0] for row in cr.fetchall()] == [
            "__millgate__.op_1", "millgate.model_millgate_request", "millgate.opx", "other.op_1"]


# What needs no database

def check_the_comparisons_of_guards(stage):
    language = sys.modules["odoo.addons.millgate.program"]
    record = {"state": "done", "quantity": 0.1 + 0.2, "picked": True, "product_id": (5, "Bolt"), "note": False,
              "lots": [3, 1]}
    for where, wanted in [
            ([], True), ([["state", "=", "done"]], True), ([["state", "in", ["draft", "done"]]], True),
            ([["state", "not in", ["draft"]]], True), ([["quantity", "=", 0.3]], True),
            ([["quantity", ">", 0.3]], False), ([["quantity", ">=", 0.3]], True), ([["quantity", "<", 1]], True),
            ([["picked", "=", True]], True), ([["picked", "=", 1]], False), ([["product_id", "=", 5]], True),
            ([["note", "=", False]], True), ([["note", "=", ""]], True), ([["note", "<", 3]], False),
            ([["lots", "=", [1, 3]]], True), (["!", ["state", "=", "done"]], False),
            (["|", ["state", "=", "x"], ["picked", "=", True]], True),
            (["&", ["state", "=", "x"], ["picked", "=", True]], False),
            ([["state", "=", "done"], ["picked", "=", False]], False),
            (["|", ["quantity", "=", 0], "&", ["picked", "=", True], ["quantity", "!=", 0]], True)]:
        assert language.holds(where, record) is wanted, where


def check_results_are_as_rpc_would_answer_them(stage):
    import datetime
    language = sys.modules["odoo.addons.millgate.program"]
    assert language.as_json([datetime.datetime(2026, 11, 26, 6, 0), datetime.date(2026, 11, 26), (1, "a"), None,
                             Thing(None, [4, 5]), b"x", {1: {2}}]) == [
        "2026-11-26 06:00:00", "2026-11-26", [1, "a"], None, [4, 5], "x", {"1": [2]}]


def check_the_addon_is_whole(stage):
    manifest = ast.literal_eval((ADDON / "__manifest__.py").read_text())
    assert manifest["version"] == sys.modules["odoo.addons.millgate.program"].VERSION
    for name in manifest["data"]:
        path = ADDON / name
        if path.suffix == ".xml":
            records = ElementTree.parse(path).getroot().findall("record")
            assert {"millgate." + record.get("id") for record in records} == {stage.module.GROUP}
        else:
            for row in csv.DictReader(path.open()):
                assert None not in row and all(row.values()), row
    assert (ADDON / "README.md").is_file()
    for path in ADDON.rglob("*.py"):
        ast.parse(path.read_text(), str(path), feature_version=(3, 8))


def main():
    checks = [(name, check) for name, check in sorted(globals().items()) if name.startswith("check_")]
    wanted = sys.argv[1:]
    failed = 0
    Stage.cluster = Postgres()
    try:
        for is_new in [False, True]:
            for name, check in checks:
                if wanted and name not in wanted:
                    continue
                label = f"{name} ({'19' if is_new else '16'})"
                try:
                    check(Stage(is_new))
                    print(f"ok   {label}", flush=True)
                except Exception:
                    failed += 1
                    lines = traceback.format_exc().strip().split("\n")
                    print(f"FAIL {label}: {lines[-1]}", *lines, sep="\n    ", flush=True)
    finally:
        Stage.cluster.stop()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
