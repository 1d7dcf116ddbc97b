"""`kill -9` at random moments during a stream of confirmations: what was acknowledged is in Odoo exactly once.

    python3 Tests/Plant/crash.py [--kills 20] [--clients 6] [--seed N] [--settle]

Each client confirms one piece after the other on an order of its own, with a new key for each and the same key until
it has an answer. A confirmation whose outcome the gateway does not know yet is asked for under its operation and
counted; the client goes on with another order. `--settle` waits until the gateway has found these out as well.
Ends with a line of figures, and with status 1 where something was lost or doubled.
"""
import argparse
import os
import random
import sys
import threading
import time

from plant import play

UNFINISHED = {"accepted", "dispatched", "unknown"}


class Client(threading.Thread):
    def __init__(self, run, number):
        super().__init__(daemon=True)
        self.run_, self.number, self.confirmed, self.open = run, number, [], []
        self.orders, self.replayed, self.problems = [], 0, []

    def call(self, method, path, body, key):
        """Sends until there is an answer: the key sees to it that it happens once."""
        while True:
            try:
                answer = self.run_.gateway.request(method, path, body, "mes", {"Idempotency-Key": key}, seconds=8)
            except OSError:
                self.run_.torn += 1
                time.sleep(0.03)
                continue
            except Exception as error:  # http.client's own: a cut answer is no answer
                if type(error).__module__ != "http.client":
                    raise
                self.run_.torn += 1
                time.sleep(0.03)
                continue
            if answer.status in (503, 409) and answer.json["type"].rpartition("/")[2] != "conflict-state":
                if self.run_.isOver and answer.status == 409:
                    return answer
                time.sleep(0.05)
                continue
            return answer

    def new_order(self):
        key = f"order-{self.number}-{len(self.orders)}-{self.run_.seed}"
        made = self.call("POST", "/v1/production-orders", {"product": 9, "quantity": 5000, "site": "plant-1"}, key)
        if made.status != 201:
            self.problems.append(f"create: {made}")
            return None
        released = self.call("POST", f"/v1/production-orders/{made.json['id']}/release", {}, key + "-release")
        if released.status != 200:
            self.problems.append(f"release: {released}")
            return None
        self.orders.append([made.json["id"]])
        return made.json["id"]

    def run(self):
        try:
            self.work()
        except Exception as error:
            self.problems.append(f"{type(error).__name__}: {error}")

    def work(self):
        order = None
        count = 0
        while not self.run_.isOver:
            if order is None:
                order = self.new_order()
                continue
            count += 1
            key = f"confirm-{self.number}-{count}-{self.run_.seed}"
            answer = self.call("POST", f"/v1/production-orders/{order}/confirm", {"quantity": 1}, key)
            if answer.status == 200:
                self.replayed += answer.field("Idempotent-Replayed") == "true"
                self.confirmed.append(answer.json["order"]["id"])
                order = answer.json["backorder"]["id"]
                self.orders[-1].append(order)
                time.sleep(0.01)
            elif answer.status in (504, 409) and answer.json.get("operation"):
                self.open.append((order, answer.json["operation"]))
                order = None
            else:
                self.problems.append(f"{key}: {answer}")
                order = None


class Run:
    def __init__(self, plant, arguments):
        self.seed, self.isOver, self.torn = arguments.seed, False, 0
        self.random = random.Random(arguments.seed)
        self.sandbox = plant.sandbox()
        # As slow as Odoo, so that a kill finds calls at every stage.
        for kind in ["delay_before_effect", "delay"]:
            self.sandbox.fault(match="mrp.production.button_mark_done", kind=kind, delay_ms=25, times=0)
        self.gateway = plant.gateway(changes={"odoo": self.sandbox.settings(), "drain_timeout": "1s"})
        clients = [Client(self, number) for number in range(arguments.clients)]
        for client in clients:
            client.start()
        started = time.monotonic()
        for number in range(arguments.kills):
            time.sleep(self.random.uniform(0.15, 1.2))
            self.gateway.kill()
            self.gateway.start()
        time.sleep(1)
        self.isOver = True
        for client in clients:
            client.join(60)
            if client.is_alive():
                client.problems.append("it hangs")
        self.report(clients, arguments, time.monotonic() - started)

    def states(self, clients):
        found = {}
        for client in clients:
            for order, place in client.open:
                answer = self.gateway.request("GET", place, token="mes")
                found[order] = answer.json["state"] if answer.status == 200 else f"not found ({answer.status})"
        return found

    def report(self, clients, arguments, seconds):
        states = self.states(clients)
        if arguments.settle:
            end = time.monotonic() + 200
            while UNFINISHED & set(states.values()) and time.monotonic() < end:
                time.sleep(2)
                states = self.states(clients)
        orders = {order["id"]: order for order in self.sandbox.state()["orders"]}
        lost = doubled = strange = 0
        for client in clients:
            done = set(client.confirmed)
            lost += sum(1 for order in client.confirmed
                        if orders.get(order, {}).get("state") != "done" or orders[order]["qty_produced"] < 1)
            # One call, one piece; and nothing done in its orders that nobody asked for.
            doubled += len(client.confirmed) - len(done)
            for chain in client.orders:
                for order in chain:
                    produced = orders[order]["qty_produced"] if orders[order]["state"] == "done" else 0
                    doubled += max(0, int(produced) - 1)
                    if produced and order not in done and states.get(order) is None:
                        strange += 1
            strange += len(client.problems)
            for problem in client.problems[:3]:
                print(f"client {client.number}: {problem}", file=sys.stderr)
        missing = sum(1 for state in states.values() if state.startswith("not found"))
        acknowledged = sum(len(client.confirmed) for client in clients)
        waiting = sum(1 for state in states.values() if state in UNFINISHED)
        replayed = sum(client.replayed for client in clients)
        print(f"{arguments.kills} kills in {seconds:.0f} s (seed {arguments.seed}): "
              f"{acknowledged} acknowledged, {lost} lost, {doubled} doubled, {replayed} replayed after a kill, "
              f"{self.torn} torn calls, {len(states)} without an outcome at first: "
              f"{len(states) - waiting - missing} found out, {waiting} shown as unknown, {missing} not findable, "
              f"{strange} unexplained", flush=True)
        self.isGood = not (lost or doubled or missing or strange) and acknowledged > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--settle", action="store_true")
    arguments = parser.parse_args()
    play("crash", Run, arguments)


if __name__ == "__main__":
    main()
