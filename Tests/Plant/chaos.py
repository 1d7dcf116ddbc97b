"""Every writing service through `kill -9`, lost, late, doubled and reordered answers, Odoo's own failures and restarts:
in the end Odoo holds exactly what was acknowledged.

    python3 Tests/Plant/chaos.py [--disturbances 1000] [--clients 8] [--odoo 19] [--addon] [--seed N]

Clients tell the stories of `mix.py`. After so many acknowledged calls, which the seed draws, something goes wrong:
the gateway is killed and started again on its state, Odoo is, or a fault waits for the next call of its kind. The
seed gives the stories, their order for each client, and every disturbance with its place; what meets what is up to
the machine.

Ends with `N acknowledged, N lost, N doubled, N unknown`, and status 1 unless the last three are 0. At last something is
made and something taken away behind the gateway's back: a comparison that does not find both is worth nothing, and
status 1.
"""
import argparse
import os
import random
import signal
import sys
import threading
import time
import zlib
from collections import Counter

import mix
from plant import play
from telling import Client, Counts, send
from wire import KINDS, Wire

# Longest time that a call may be at work in this Odoo, with what holds it up; the gateway is told.
CALL_RUNS_MAX = "4s"
FAULTS = {
    "close_before_effect": 3, "close_after_effect": 3, "serialization_failure": 3, "delay": 2, "delay_before_effect": 2,
    "http500": 1, "html502": 1,
}
EFFECTS = [
    "mrp.production.load", "mrp.production.action_confirm", "mrp.production.action_assign",
    "mrp.production.action_cancel", "mrp.production.button_mark_done", "mrp.production.write",
    "change.production.qty.*", "stock.move.*", "mrp.workorder.*", "mrp.workcenter.productivity.load",
    "mrp.workcenter.unblock", "stock.scrap.load", "stock.scrap.action_validate", "stock.quant.action_apply_inventory",
    "stock.lot.load", "stock.picking.load", "stock.picking.button_validate", "mrp.unbuild.*",
    "maintenance.request.load", "maintenance.request.write", "*",
]


class Unsteady(Client):
    """Asks for every sixth call to be carried out beside the request."""

    def send(self, tale):
        beside = tale.call.operation and zlib.crc32(tale.key.encode()) % 6 == 0
        return send(self.gateway, tale.call, tale.key, self.token, prefer="respond-async" if beside else None)


class Disturbance:
    """What goes wrong, and after how many acknowledged calls."""

    def __init__(self, after, kind, chance):
        self.after, self.kind = after, kind
        self.pause = chance.uniform(0, 0.05)
        self.part = chance.random()
        self.match = chance.choice(EFFECTS)
        self.delay, self.times, self.every = chance.randint(20, 900), chance.randint(1, 2), chance.randint(1, 3)

    @staticmethod
    def schedule(count, calls, chance):
        """Kills are a quarter, the wire another, Odoo's own faults the most; now and then one of both is restarted."""
        drawn = []
        for _ in range(count):
            where = chance.random()
            if where < 0.25:
                kind = "kill"
            elif where < 0.28:
                kind = "restart"
            elif where < 0.3:
                kind = "stop"
            elif where < 0.32:
                kind = "upgrade"
            elif where < 0.57:
                kind = chance.choice(sorted(KINDS))
            else:
                kind = chance.choices(list(FAULTS), list(FAULTS.values()))[0]
            drawn.append(Disturbance(chance.randrange(max(1, calls)), kind, chance))
        return sorted(drawn, key=lambda disturbance: disturbance.after)


class Run:
    def __init__(self, plant, arguments):
        chance = random.Random(arguments.seed)
        self.counts = Counts()
        stories = arguments.stories or max(len(mix.STORIES), arguments.disturbances)
        programme = mix.programme(stories, chance, f"c{arguments.seed}")
        calls = sum(told.story.calls for told in programme)
        schedule = Disturbance.schedule(arguments.disturbances, int(calls * 0.95), chance)
        self.sandbox = plant.sandbox(arguments.odoo, keeps=True, arguments=["--addon"] if arguments.addon else [])
        self.stage = mix.Stage(self.sandbox, arguments.odoo, mix.spares(programme))
        self.wire = Wire(lambda: self.sandbox.port)
        plant.servers.append(self.wire)
        self.gateway = plant.gateway(start=False, changes={
            "odoo": {**self.sandbox.settings(self.wire.port), "call_runs_max": CALL_RUNS_MAX, "in_flight": 8},
            "sites": self.stage.settings(), "drain_timeout": "1s", "log": {"level": "warning"}})
        mix.allow(self.gateway)
        self.gateway.start()
        before = mix.Book.read(self.stage)
        token = plant.token("mes")
        clients = [Unsteady(self.gateway, self.stage, programme[number::arguments.clients], self.counts, token)
                   for number in range(arguments.clients)]
        self.struck = Counter()
        started = time.monotonic()
        for client in clients:
            client.start()
        self.disturb(schedule, clients)
        end = time.monotonic() + arguments.settle
        for client in clients:
            client.join(max(0.1, end - time.monotonic()))
        for client in clients:
            client.isOver.set()
        for client in clients:
            client.join(20)
        self.report(arguments, clients, before, time.monotonic() - started)

    def disturb(self, schedule, clients):
        for disturbance in schedule:
            self.counts.move_horizon(disturbance.after + 2 * len(clients))
            with self.counts.lock:
                self.counts.changed.wait_for(
                    lambda: self.counts.seen["acknowledged"] + self.counts.seen["problems"] >= disturbance.after
                    or not any(client.is_alive() for client in clients), 60)
            time.sleep(disturbance.pause)
            if disturbance.kind == "kill":
                self.gateway.kill()
                self.gateway.start()
                self.struck["kill"] += 1
            elif disturbance.kind == "restart":
                self.sandbox.restart()
                self.struck["restart"] += 1
            elif disturbance.kind == "stop":
                self.gateway.stop()
                self.gateway.start()
                self.struck["stop"] += 1
            elif disturbance.kind == "upgrade":
                # The next program takes over in the same process, on the same sockets.
                self.gateway.process.send_signal(signal.SIGUSR2)
                self.struck["upgrade"] += 1
            elif disturbance.kind in KINDS:
                self.wire.add(disturbance.kind, disturbance.part)
            else:
                # One that waits for longer than it should would come at the wrong time: what is rare is not asked for.
                self.sandbox.fault(match=disturbance.match, kind=disturbance.kind, delay_ms=disturbance.delay,
                                   times=disturbance.times, every=disturbance.every)
                self.struck[disturbance.kind] += disturbance.times
        self.counts.move_horizon(float("inf"))

    def report(self, arguments, clients, before, seconds):
        for waiting in self.sandbox.ask("GET", "/sandbox/faults"):
            self.struck[waiting["kind"]] -= waiting["times"]
        struck = Counter(self.struck)
        struck.update(self.wire.struck)
        self.sandbox.ask("DELETE", "/sandbox/faults")
        book = mix.Book()
        for client in clients:
            for its in client.books:
                book.add(its)
        unknown = sorted(key for client in clients for key in client.open())
        lost, doubled = book.compare(before, mix.Book.read(self.stage))
        for name, lines in [("lost", lost), ("doubled", doubled), ("unknown", unknown),
                            ("problem", self.counts.problems)]:
            for line in lines[:20]:
                print(f"{name}: {line}", file=sys.stderr)
        seen = self.counts.seen
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(struck.items()) if count)
        print(f"seed {arguments.seed}, Odoo {arguments.odoo}: {sum(struck.values())} disturbances in {seconds:.0f} s "
              f"({told}); {seen['torn']} torn calls, {seen['replayed']} replayed, {seen['put aside']} put aside, "
              f"{seen['problems']} unexplained")
        print(f"{seen['acknowledged']} acknowledged, {len(lost)} lost, {len(doubled)} doubled, {len(unknown)} unknown",
              flush=True)
        self.isGood = not (lost or doubled or unknown or seen["problems"]) and seen["acknowledged"] > 0
        if self.isGood and not book.sees(self.stage, before):
            print("the comparison did not find what was changed behind its back", file=sys.stderr)
            self.isGood = False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--disturbances", type=int, default=1000)
    parser.add_argument("--stories", type=int, default=0, help="default: one for each disturbance")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--odoo", type=int, default=19, choices=[17, 19])
    parser.add_argument("--addon", action="store_true", help="with the gateway's addon in Odoo")
    parser.add_argument("--settle", type=float, default=120, help="seconds to wait for outcomes at the end")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    arguments = parser.parse_args()
    if mix.missing():
        sys.exit(f"no story of mix.py uses {', '.join(mix.missing())}")
    print(f"seed {arguments.seed}", flush=True)
    play("chaos", Run, arguments)


if __name__ == "__main__":
    main()
