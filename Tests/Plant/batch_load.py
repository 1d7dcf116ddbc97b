"""100 MiB in one batch: streamed, cut by `kill -9` while it comes and while it is carried out, each line once; and how
much memory the gateway takes for it.

    python3 Tests/Plant/batch_load.py [--mib 100] [--lines 10000] [--kills 3] [--growth-max 48]

Real lines of `scrap.report`, made long with a reason and with spaces. Prints memory before, at the most while the file
came, and at the most while it was carried out, with a line of figures; status 1 where a line was lost or doubled, where
progress went back, or where memory grew by more than `--growth-max` MiB.
"""
import argparse
import json
import random
import sys
import tempfile
import threading
import time

from plant import Plant, equal, holds, parse_answer, program, read_all, wait

PRODUCT, CODE = 2, "SCREW-M6"


class Memory(threading.Thread):
    """The most that the gateway had, sampled."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.gateway, self.most, self.isOver = gateway, 0, False
        self.start()

    def run(self):
        while not self.isOver:
            try:
                self.most = max(self.most, self.gateway.rss_kib())
            except (OSError, TypeError):
                pass  # between a kill and a start
            time.sleep(0.02)

    def take(self):
        most, self.most = self.most, 0
        return most / 1024


def write(path, lines, size):
    with open(path, "w") as file:
        for number in range(lines):
            text = json.dumps({"operation": "scrap.report", "idempotency_key": f"load-{number}", "input": {
                "product_code": CODE, "quantity": 1, "site": "plant-1", "reason": f"load {number}"}})
            file.write(text[:-1] + " " * max(0, size // lines - len(text) - 1) + "}\n")
    return path.stat().st_size


def upload(plant, gateway, path, start, stop=None):
    """Streams the file from `start`; stops at `stop` without an end, and answers None then."""
    size = path.stat().st_size
    head = (f"POST /v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {plant.token('mes')}\r\n"
            f"Idempotency-Key: load\r\nContent-Type: application/x-ndjson\r\nContent-Length: {size - start}\r\n"
            + (f"Upload-Offset: {start}\r\n" if start else "") + "Connection: close\r\n\r\n")
    with gateway.connect(seconds=120) as s, open(path, "rb") as file:
        s.sendall(head.encode())
        file.seek(start)
        at = start
        while at < (stop or size):
            some = file.read(min(65536, (stop or size) - at))
            try:
                s.sendall(some)
            except OSError:
                break
            at += len(some)
        if stop:
            return None
        return parse_answer(read_all(s, 120))


def received(plant, gateway):
    """The answer that says how far the file came, nothing at all among it, by an offset that cannot be."""
    answer = gateway.request("POST", "/v1/batches", "", "mes", {
        "Content-Type": "application/x-ndjson", "Idempotency-Key": "load", "Upload-Offset": "1"})
    return answer if answer.status == 409 and "received_bytes" in answer.json else None


def load(plant, arguments):
    sandbox = plant.sandbox(keeps=False)
    gateway = plant.gateway(changes={
        "odoo": {**sandbox.settings(), "call_runs_max": "4s"}, "drain_timeout": "1s", "log": {"level": "warning"},
        "server": {"body_max": "128MiB"}})
    chance = random.Random(arguments.seed)
    path = plant.directory / "load.ndjson"
    size = write(path, arguments.lines, arguments.mib << 20)
    wait(10, lambda: gateway.request("GET", "/v1/products", token="mes").status == 200, "it answers")
    before, memory = gateway.rss_kib() / 1024, Memory(gateway)
    # Cut in the middle of its coming, with a kill; then the rest.
    began = time.monotonic()
    upload(plant, gateway, path, 0, int(size * chance.uniform(0.3, 0.6)))
    gateway.kill()
    gateway.start()
    came = wait(20, lambda: received(plant, gateway), "the gateway says how far it came").json["received_bytes"]
    answer = upload(plant, gateway, path, came)
    holds(answer and answer.status == 202, f"{answer}")
    seconds, coming = time.monotonic() - began, memory.take()
    batch = answer.json["id"]
    equal((answer.json["lines"], answer.json["received_bytes"]), (arguments.lines, size), "what came")
    # Carried out, through kills.
    began, kills, last = time.monotonic(), arguments.kills, 0
    places = sorted(chance.uniform(0.05, 0.9) * arguments.lines for _ in range(kills))
    while True:
        found = gateway.request("GET", f"/v1/batches/{batch}", token="mes")
        equal(found.status, 200, f"{found}")
        progress = found.json
        holds(progress["lines_done"] >= last, f"{progress['lines_done']} lines after {last}")
        last = progress["lines_done"]
        if progress["state"] == "completed":
            break
        holds(time.monotonic() - began < arguments.limit, f"{progress} after {arguments.limit} s")
        if places and last >= places[0]:
            places.pop(0)
            gateway.kill()
            gateway.start()
        time.sleep(0.05)
    running, took = memory.take(), time.monotonic() - began
    memory.isOver = True
    equal((progress["applied"], progress["unknown"]), (arguments.lines, 0), f"{progress}")
    scraps = {}
    for scrap in sandbox.records("stock.scrap", [["state", "=", "done"]], ["origin"]):
        scraps[scrap["origin"]] = scraps.get(scrap["origin"], 0) + 1
    moved = sum(move["quantity"] for move in sandbox.state()["moves"]
                if move["product_id"] == PRODUCT and move["state"] == "done" and not move["raw_material_production_id"])
    lost = sum(1 for number in range(arguments.lines) if f"load {number}" not in scraps)
    doubled = sum(count - 1 for count in scraps.values()) + max(0, int(moved) - arguments.lines)
    growth = max(coming, running) - before
    mib = 1 << 20
    print(f"{size / mib:.0f} MiB in {arguments.lines} lines, received in {seconds:.1f} s with a kill at "
          f"{came / mib:.0f} MiB, carried out in {took:.0f} s with {kills} kills: {lost} lost, {doubled} doubled; "
          f"memory {before:.1f} MiB before, {coming:.1f} MiB at most while it came, {running:.1f} MiB at most while "
          "it was carried out", flush=True)
    holds(lost == 0 and doubled == 0, "each line once")
    holds(before == 0 or growth <= arguments.growth_max, f"memory grew by {growth:.1f} MiB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=100)
    parser.add_argument("--lines", type=int, default=10000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--growth-max", type=float, default=48)
    parser.add_argument("--limit", type=float, default=900, help="longest time for carrying out, in seconds")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millgate-load-") as directory:
        plant = Plant(program(), directory)
        try:
            load(plant, arguments)
        finally:
            plant.close()


if __name__ == "__main__":
    sys.exit(main())
