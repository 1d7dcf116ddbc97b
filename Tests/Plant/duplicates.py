"""A storm of duplicates: every call is sent five times at random moments, beside itself and across restarts. It happens
once, and whoever gets an answer gets the same.

    python3 Tests/Plant/duplicates.py [--stories 300] [--kills 20] [--clients 8] [--odoo 19] [--addon] [--seed N]

Ends with a line of figures, and status 1 where something was lost, doubled, answered otherwise, or has no outcome.
"""
import argparse
import os
import random
import sys
import threading
import time

import mix
from plant import play
from telling import PATIENT, Client, Counts, kind, send

TIMES = 5
OFFSET_MAX = 0.08


class Repeating(Client):
    """Sends each write five times within a moment; afterwards it asks once more, and compares."""

    def __init__(self, *arguments, chance):
        super().__init__(*arguments)
        self.chance = chance

    def send(self, tale):
        if tale.call.operation is None:
            return super().send(tale)
        answers = []

        def one(offset):
            time.sleep(offset)
            answers.append(send(self.gateway, tale.call, tale.key, self.token))

        offsets = [self.chance.uniform(0, OFFSET_MAX) for _ in range(TIMES)]
        threads = [threading.Thread(target=one, args=(offset,), daemon=True) for offset in offsets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.counts.note("sent", TIMES)
        good = [answer for answer in answers if answer and answer.status < 300]
        for answer in answers:
            if answer is None:
                self.counts.note("without an answer")
            elif answer.status < 300:
                self.counts.note("same" if answer.body == good[0].body else "otherwise")
            elif kind(answer) in PATIENT or answer.status in (502, 503, 504):
                self.counts.note("told to wait")
            else:
                return answer
        if len(good) - sum(answer.field("Idempotent-Replayed") == "true" for answer in good) > 1:
            self.counts.problem(f"{tale.key}: done by more than one of five")
        return good[0] if good else next((answer for answer in answers if answer), None)


class Run:
    def __init__(self, plant, arguments):
        chance = random.Random(arguments.seed)
        programme = mix.programme(arguments.stories, chance, f"d{arguments.seed}")
        calls = sum(told.story.calls for told in programme)
        kills = sorted(chance.randrange(int(calls * 0.9)) for _ in range(arguments.kills))
        self.sandbox = plant.sandbox(arguments.odoo, arguments=["--addon"] if arguments.addon else [])
        for match in ["mrp.*", "stock.*", "maintenance.*"]:
            self.sandbox.fault(match=match, kind="delay", delay_ms=10, times=0)
        stage = mix.Stage(self.sandbox, arguments.odoo, mix.spares(programme))
        self.gateway = plant.gateway(start=False, changes={
            "odoo": {**self.sandbox.settings(), "call_runs_max": "4s", "in_flight": 8}, "sites": stage.settings(),
            "drain_timeout": "1s", "log": {"level": "warning"}})
        mix.allow(self.gateway)
        self.gateway.start()
        before, counts = mix.Book.read(stage), Counts()
        clients = [
            Repeating(self.gateway, stage, programme[number::arguments.clients], counts, plant.token("mes"),
                      chance=random.Random(arguments.seed * 1000 + number)) for number in range(arguments.clients)]
        started = time.monotonic()
        for client in clients:
            client.start()
        for after in kills:
            counts.move_horizon(after + 2 * len(clients))
            with counts.lock:
                counts.changed.wait_for(lambda: counts.seen["acknowledged"] + counts.seen["problems"] >= after
                                        or not any(client.is_alive() for client in clients), 60)
            time.sleep(chance.uniform(0, OFFSET_MAX))
            self.gateway.kill()
            self.gateway.start()
        counts.move_horizon(float("inf"))
        end = time.monotonic() + arguments.settle
        for client in clients:
            client.join(max(0.1, end - time.monotonic()))
            client.isOver.set()
        seconds = time.monotonic() - started
        for client in clients:
            client.join(20)
        book = mix.Book()
        for client in clients:
            for its in client.books:
                book.add(its)
        unknown = [key for client in clients for key in client.open()]
        lost, doubled = book.compare(before, mix.Book.read(stage))
        for name, lines in [("lost", lost), ("doubled", doubled), ("unknown", unknown), ("problem", counts.problems)]:
            for line in lines[:20]:
                print(f"{name}: {line}", file=sys.stderr)
        seen = counts.seen
        print(f"seed {arguments.seed}, Odoo {arguments.odoo}: {seen['acknowledged']} calls sent {seen['sent']} times "
              f"in {seconds:.0f} s with {arguments.kills} kills: {seen['same']} had the answer, {seen['told to wait']} "
              f"were told to wait, {seen['without an answer']} cut; {len(lost)} lost, {len(doubled)} doubled, "
              f"{seen['otherwise']} answered otherwise, {len(unknown)} unknown, {seen['problems']} unexplained",
              flush=True)
        self.isGood = not (lost or doubled or unknown or seen["otherwise"] or seen["problems"]) \
            and seen["acknowledged"] > 0
        if self.isGood and not book.sees(stage, before):
            print("the comparison did not find what was changed behind its back", file=sys.stderr)
            self.isGood = False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stories", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--odoo", type=int, default=19, choices=[17, 19])
    parser.add_argument("--addon", action="store_true", help="with the gateway's addon in Odoo")
    parser.add_argument("--settle", type=float, default=120)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    arguments = parser.parse_args()
    if mix.missing():
        sys.exit(f"no story of mix.py uses {', '.join(mix.missing())}")
    print(f"seed {arguments.seed}", flush=True)
    play("duplicates", Run, arguments)


if __name__ == "__main__":
    main()
