"""Shift change: 64 clients, 5,000 mixed calls at once, an Odoo that takes 4 at a time: by Millgate and straight.

    python3 Tests/Plant/shift.py [--calls 5000] [--clients 64] [--seed N] [--factor 3]

The sandbox takes as long for each call as the real Odoo 19 was measured to, lets calls that meet on one record be late
as Odoo does, and loses one answer in 250. A quarter of the clients stand at machines (`realtime`: confirmations, scrap,
operations; with a pause between two), four bring files (`batch`), the others plan and look (`standard`) without a
pause. First those at the machines are alone, which is the calm; then all come at once, by the gateway; then the same
calls go straight to Odoo for as long, as plant applications do without a gateway: a call that was not answered is made
again.

Prints a table and a line of figures. Status 1 where a call was neither answered nor refused with `Retry-After`, where
something was doubled by the gateway, or where the realtime p99 is more than `--factor` times its calm one.
"""
import argparse
import http.client
import json
import os
import random
import sys
import threading
import time
from collections import Counter

import mix
from plant import play, wait
from telling import kind, send

LOST_EVERY = 250
PAUSE = 0.4
# What each file reports as scrap. Each is a component of what some of the machines confirm: there they meet.
BATCHES = ["SEAL-20", "CAST-100", "PANEL-OAK", "LEG-STEEL"]


class Direct:
    """Odoo's own interface on a connection for each call, as it wants it."""

    def __init__(self, port):
        self.port = port

    def __call__(self, model, method, **named):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", f"/json/2/{model}/{method}", body=json.dumps(named), headers={
                "Content-Type": "application/json", "Authorization": "Bearer sandbox-key"})
            response = connection.getresponse()
            body = json.loads(response.read() or b"null")
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(f"{model}.{method}: {response.status} {body}")
        return body


class Work:
    """What a client has in hand: an order that it confirms piece by piece, and an operation."""

    def __init__(self, run, order, operation):
        self.run, self.order, self.operation, self.isStarted = run, order, operation, False


# Each kind of call: its class, its weight in it, and how it is made both ways. `governed` gives method, path and body,
# and what to do with the answer; `direct` makes the calls that do the same.

def confirm(work, name):
    def done(answer):
        work.order = answer["backorder"]["id"]
    return "POST", f"/v1/production-orders/{work.order}/confirm", {"quantity": 1}, done


def confirm_direct(odoo, work, name):
    ids = [work.order]
    order = odoo("mrp.production", "read", ids=ids, fields=["state", "origin", "product_qty"])[0]
    if order["state"] == "done":
        # An earlier try was done after all.
        work.order = odoo("mrp.production", "search_read", domain=[
            ["origin", "=", order["origin"]], ["state", "!=", "done"]], fields=["id"], limit=1)[0]["id"]
        return
    odoo("mrp.production", "write", ids=ids, vals={"qty_producing": 1})
    odoo("mrp.production", "set_qty_producing", ids=ids)
    action = odoo("mrp.production", "button_mark_done", ids=ids, context={
        "skip_backorder": True, "mo_ids_to_backorder": ids, "skip_consumption": True})
    work.order = action["res_id"]


def scrap(work, name, code="SCREW-M6"):
    return "POST", "/v1/scrap", {"product_code": code, "quantity": 1, "site": "plant-1", "reason": name}, None


def scrap_direct(odoo, work, name, code="SCREW-M6"):
    stage = work.run.stage
    made = odoo("stock.scrap", "create", vals_list=[{
        "product_id": stage.products[code], "scrap_qty": 1, "location_id": stage.stock, "origin": name}])
    odoo("stock.scrap", "action_validate", ids=made)


def work_step(work, name):
    step = "pause" if work.isStarted else "start"

    def done(_):
        work.isStarted = not work.isStarted
    return "POST", f"/v1/work-orders/{work.operation}/{step}", None, done


def work_step_direct(odoo, work, name):
    odoo("mrp.workorder", "button_pending" if work.isStarted else "button_start", ids=[work.operation])
    work.isStarted = not work.isStarted


def look(work, name):
    return "GET", "/v1/production-orders?site=plant-1&limit=20", None, None


def look_direct(odoo, work, name):
    odoo("mrp.production", "search_read", domain=[], fields=["name", "state", "product_id", "product_qty"], limit=20)


def stock(work, name):
    return "GET", "/v1/inventory?site=plant-1", None, None


def stock_direct(odoo, work, name):
    odoo("stock.quant", "search_read", domain=[["location_id", "=", work.run.stage.stock]],
         fields=["product_id", "quantity", "reserved_quantity"], limit=100)


def plan(work, name):
    return "POST", "/v1/production-orders", {
        "product_code": "VALVE-20", "quantity": 2, "site": "plant-1", "external_reference": name}, None


def plan_direct(odoo, work, name):
    odoo("mrp.production", "create", vals_list=[{
        "product_id": work.run.stage.products["VALVE-20"], "product_qty": 2, "origin": name}])


KINDS = {
    "realtime": [(confirm, confirm_direct, 2), (scrap, scrap_direct, 1), (work_step, work_step_direct, 1)],
    "standard": [(look, look_direct, 3), (stock, stock_direct, 3), (plan, plan_direct, 2)],
}


def draw(classname, count, chance):
    kinds = KINDS[classname]
    return chance.choices(kinds, [kind[2] for kind in kinds], k=count)


class Seen:
    """What the clients of one phase saw."""

    def __init__(self):
        self.lock = threading.Lock()
        self.times, self.counts, self.problems = {"realtime": [], "standard": []}, Counter(), []

    def note(self, classname, seconds):
        with self.lock:
            self.times[classname].append(seconds)

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def problem(self, text):
        with self.lock:
            self.counts["neither answered nor refused"] += 1
            self.problems.append(text)

    def p(self, share, classname):
        times = sorted(self.times[classname])
        return times[min(len(times) - 1, int(len(times) * share))] * 1000 if times else 0


class Phase:
    """All clients at once, one way or the other."""

    def __init__(self, run, name, numbers, how, classes, seconds_max=900):
        self.run, self.name, self.how, self.seen = run, name, how, Seen()
        self.end = time.monotonic() + seconds_max
        threads = []
        for number in range(run.machines + run.planners):
            classname = "realtime" if number < run.machines else "standard"
            if classname in classes:
                share = numbers[classname] // (run.machines if classname == "realtime" else run.planners)
                threads.append(threading.Thread(target=self.client, args=(classname, number, share), daemon=True))
        if "batch" in classes:
            count = numbers["batch"] // len(BATCHES)
            threads += [threading.Thread(target=self.batch, args=(number, count), daemon=True)
                        for number in range(len(BATCHES))]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(960)
        self.seconds = time.monotonic() - started
        self.done = sum(len(times) for times in self.seen.times.values()) + self.seen.counts["lines"]

    def client(self, classname, number, count):
        chance = random.Random(f"{self.run.seed}-{classname}-{number}")
        work = self.run.works[number % len(self.run.works)]
        for index, (governed, direct, _) in enumerate(draw(classname, count, chance)):
            if time.monotonic() > self.end:
                return
            name = f"{self.name}-{number}-{index}"
            began = time.monotonic()
            if self.how(self, work, governed, direct, name):
                self.seen.note(classname, time.monotonic() - began)
            if classname == "realtime":
                time.sleep(chance.uniform(0, 2 * PAUSE))

    def governed(self, work, governed, direct, name):
        method, path, body, done = governed(work, name)
        call = mix.Call(None if method == "GET" else "write", path, body, method)
        for _ in range(100):
            answer = send(self.run.gateway, call, name, self.run.token, seconds=60)
            if answer is None:
                break
            if answer.status < 300:
                if done:
                    done(answer.json)
                return True
            again = answer.field("Retry-After")
            if again is None and kind(answer) != "outcome-unknown":
                break
            self.seen.count("refused with Retry-After" if again else "unknown for a moment")
            time.sleep(min(float(again or 1), 2))
        self.seen.problem(f"{name} {path}: {answer}")
        return False

    def straight(self, work, governed, direct, name):
        for _ in range(4):
            try:
                direct(Direct(self.run.sandbox.port), work, name)
                return True
            except (OSError, http.client.HTTPException):
                self.seen.count("made again")
            except (ValueError, KeyError, IndexError, TypeError) as error:
                self.seen.problem(f"{name}: {error}")
                return False
        self.seen.problem(f"{name}: no answer")
        return False

    def batch(self, number, count):
        names = [f"{self.name}-b{number}-{index}" for index in range(count)]
        if self.how is Phase.straight:
            work = self.run.works[0]
            for name in names:
                if time.monotonic() > self.end:
                    return
                if self.straight(work, None, lambda *given: scrap_direct(*given, BATCHES[number]), name):
                    self.seen.count("lines")
            return
        lines = "\n".join(json.dumps({
            "operation": "scrap.report", "idempotency_key": name, "input": scrap(None, name, BATCHES[number])[2]})
            for name in names)
        gateway = self.run.gateway
        answer = gateway.request("POST", "/v1/batches", lines, "mes", {
            "Content-Type": "application/x-ndjson", "Idempotency-Key": f"{self.name}-{number}"})
        if answer.status != 202:
            return self.seen.problem(f"batch: {answer}")
        path = f"/v1/batches/{answer.json['id']}"

        def completed():
            time.sleep(1)
            found = gateway.request("GET", path, token="mes")
            return found.json if found.status == 200 and found.json["state"] == "completed" else None
        found = wait(800, completed, "a batch")
        self.seen.count("lines", found["applied"])
        if found["applied"] != count:
            self.seen.problem(f"batch: {found}")


class Run:
    def __init__(self, plant, arguments):
        self.seed = arguments.seed
        self.machines = max(4, arguments.clients // 4)
        self.planners = arguments.clients - self.machines - len(BATCHES)
        self.token = plant.token("mes")
        calls = arguments.calls
        numbers = {"realtime": calls * 20 // 100, "standard": calls * 65 // 100, "batch": calls * 15 // 100}
        self.sandbox = plant.sandbox(19, arguments=["--measured-latency", "--workers", "4"])
        self.stage = mix.Stage(self.sandbox, 19, 1)
        self.gateway = plant.gateway(start=False, changes={
            "odoo": {**self.sandbox.settings(), "in_flight": 4, "queue": 256}, "sites": self.stage.settings(),
            "log": {"level": "warning"}})
        mix.allow(self.gateway)
        self.gateway.start()
        self.works = []
        self.prepare()
        calm = Phase(self, "calm", {"realtime": max(self.machines * 6, numbers["realtime"] // 3)}, Phase.governed,
                     ["realtime"])
        self.sandbox.fault(match="*", kind="close_after_effect", times=0, every=LOST_EVERY)
        everything = ["realtime", "standard", "batch"]
        contended = [self.contended()]
        gateway = Phase(self, "gateway", numbers, Phase.governed, everything)
        contended.append(self.contended())
        direct = Phase(self, "direct", numbers, Phase.straight, everything, gateway.seconds)
        contended.append(self.contended())
        self.sandbox.ask("DELETE", "/sandbox/faults")
        self.report(arguments, calm, gateway, direct, [contended[1] - contended[0], contended[2] - contended[1]])

    def contended(self):
        return sum(self.sandbox.state()["contended"].values())

    def prepare(self):
        """An order to confirm and an operation for each machine; not measured. The machines make four products."""
        for number, component in enumerate(BATCHES):
            self.stage.make(f"SHIFT-{number}", {component: 1})
        for number in range(self.machines):
            made = {}
            for code, quantity in [(f"SHIFT-{number % len(BATCHES)}", 5000), ("MIX-W", 5)]:
                order = self.sandbox.create("mrp.production", product_id=self.stage.products[code],
                                            product_qty=quantity, origin=f"machine-{number}-{code}")
                self.sandbox.call("mrp.production", "action_confirm", [order])
                made[code] = order
            operation = self.sandbox.records("mrp.workorder", [["production_id", "=", made["MIX-W"]]])[0]["id"]
            self.works.append(Work(self, made[f"SHIFT-{number % len(BATCHES)}"], operation))

    def doubled(self, phase):
        """Records that one call made more than once."""
        count = 0
        for model in ["stock.scrap", "mrp.production"]:
            origins = Counter(record["origin"] for record in self.sandbox.records(model, [], ["origin"])
                              if str(record["origin"]).startswith(phase.name + "-"))
            count += sum(number - 1 for number in origins.values())
        return count

    def report(self, arguments, calm, gateway, direct, contended):
        doubled = {phase.name: self.doubled(phase) for phase in [gateway, direct]}
        rows = [("", "calm", "by the gateway", "straight to Odoo")]

        def row(name, text, phases=(calm, gateway, direct)):
            rows.append((name, *(text(phase) for phase in phases)))
        row("calls done", lambda phase: f"{phase.done}")
        row("goodput, calls/s", lambda phase: f"{phase.done / phase.seconds:.1f}")
        for classname in ["realtime", "standard"]:
            for share in [0.5, 0.99]:
                row(f"{classname} p{share * 100:.0f}, ms",
                    lambda phase, c=classname, s=share: f"{phase.seen.p(s, c):.0f}")
        for what in ["refused with Retry-After", "unknown for a moment", "made again", "neither answered nor refused"]:
            row(what, lambda phase, what=what: f"{phase.seen.counts[what]}")
        rows.append(("calls of Odoo that met on a record", "", *(f"{count}" for count in contended)))
        rows.append(("done more than once", "", *(f"{count}" for count in doubled.values())))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            print("  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                            for column, (cell, width) in enumerate(zip(row, widths))))
        for phase in [calm, gateway]:
            for problem in phase.seen.problems[:5]:
                print(f"problem: {problem}", file=sys.stderr)
        for problem in direct.seen.problems[:3]:
            print(f"straight to Odoo: {problem}", file=sys.stderr)
        failed = calm.seen.counts["neither answered nor refused"] + gateway.seen.counts["neither answered nor refused"]
        ratio = gateway.seen.p(0.99, "realtime") / max(1, calm.seen.p(0.99, "realtime"))
        print(f"seed {self.seed}: {gateway.done} calls of {arguments.clients} clients, {failed} neither answered nor "
              f"refused, {doubled['gateway']} doubled ({doubled['direct']} without the gateway); realtime p99 "
              f"{ratio:.2f} times its calm value", flush=True)
        self.isGood = failed == 0 and doubled["gateway"] == 0 and gateway.done > 0 and ratio <= arguments.factor


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--factor", type=float, default=3)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    play("shift", Run, arguments)


if __name__ == "__main__":
    main()
