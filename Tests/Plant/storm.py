"""A storm of deliveries: every event reaches every subscriber through `kill -9`, and no sick endpoint delays a healthy
one.

    python3 Tests/Plant/storm.py [--events 10000] [--subscribers 100] [--kills 5] [--seed N] [--no-ratio]

A tenth of the endpoints is sick: slow, failing, hanging, closing, redirecting, or saying yes to half a body. Events are
posted while the gateway is killed at random moments. In the end every endpoint is mended, and each subscriber must have
got each event at least once, in the order of its subject, validly signed. Prints the p99 of healthy endpoints with and
without sick ones, the gateway's memory, and its CPU time for a delivery beside that of the same requests sent by bare
libcurl. Ends with `N deliveries, N missing, N out of order, N badly signed`, and with status 1 where one is not 0.
"""
import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from plant import REPOSITORY, Plant, program
from webhooks import HERE, SECRET, subscribe

KEY = base64.b64decode(SECRET.removeprefix("whsec_"))
SICK = ["slow", "failing", "hanging", "closing", "redirecting", "lying"]


class Endpoint:
    """What one subscriber got."""

    __slots__ = ("name", "kind", "seen", "last", "count", "bad", "disorder", "lags", "isMended")

    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.seen, self.last, self.lags = set(), {}, []
        self.count = self.bad = self.disorder = 0
        self.isMended = kind == "healthy"

    def take(self, head, body, now):
        """Counts a delivery; the body is looked into without a JSON parser, which would cost more than all the rest."""
        self.count += 1
        fields = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b": ")
            if name.startswith(b"webhook-"):
                fields[name] = value
        identity = fields[b"webhook-id"]
        content = identity + b"." + fields[b"webhook-timestamp"] + b"." + body
        wanted = b"v1," + base64.b64encode(hmac.digest(KEY, content, "sha256"))
        if wanted not in fields[b"webhook-signature"].split(b" "):
            self.bad += 1
        if identity in self.seen:
            return
        self.seen.add(identity)
        subject = body[(place := body.index(b'"subject":"') + 11):body.index(b'"', place)]
        sequence = int(body[(place := body.index(b'"sequence":"') + 12):body.index(b'"', place)])
        if sequence <= self.last.get(subject, 0):
            self.disorder += 1
        self.last[subject] = sequence
        title = body.index(b'"title":"') + 9
        self.lags.append(now - float(body[title:body.index(b'"', title)]))


class Deaf(Endpoint):
    """Takes whatever comes, and keeps the last."""

    def take(self, head, body, now):
        self.count += 1
        self.last = head, body


class Receiver(asyncio.Protocol):
    """HTTP/1.1, as cheap as Python has it: the endpoint is the last part of the path."""

    def __init__(self, storm):
        self.storm, self.rest = storm, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.rest += data
        while True:
            end = self.rest.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.rest[:end]
            place = head.lower().find(b"content-length: ") + 16
            stop = head.find(b"\r\n", place)
            size = int(head[place:stop if stop > 0 else len(head)])
            if len(self.rest) < end + 4 + size:
                return
            body = self.rest[end + 4:end + 4 + size]
            self.rest = self.rest[end + 4 + size:]
            self.deliver(head, body)

    def deliver(self, head, body):
        endpoint = self.storm.endpoints[int(head[head.index(b"/e/") + 3:head.index(b" HTTP")])]
        kind = "healthy" if endpoint.isMended else endpoint.kind
        if kind in ("healthy", "slow"):
            endpoint.take(head, body, time.time())
        if kind == "healthy":
            self.transport.write(b"HTTP/1.1 204 \r\n\r\n")
        elif kind == "slow":
            asyncio.get_running_loop().call_later(0.2, self.answer, b"HTTP/1.1 204 \r\n\r\n")
        elif kind == "failing":
            self.transport.write(b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n")
        elif kind == "closing":
            self.transport.abort()
        elif kind == "redirecting":
            self.transport.write(b"HTTP/1.1 307 \r\nLocation: /e/0\r\nContent-Length: 0\r\n\r\n")
        elif kind == "lying":
            self.transport.write(b"HTTP/1.1 200 \r\nContent-Length: 99\r\n\r\nok")
            self.transport.close()

    def answer(self, bytes):
        if not self.transport.is_closing():
            self.transport.write(bytes)


class Storm:
    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        self.endpoints = []
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self.receive, args=(ready,), daemon=True).start()
        ready.wait()
        self.posted = 0

    def receive(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            self.loop.create_server(lambda: Receiver(self), "127.0.0.1", 0, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    # MARK: Events

    def post(self, gateway, first, count, label):
        """Events of one request; sent until they are taken, which tells them once."""
        events = [{"id": f"{label}-{number}", "type": "dev.millgate.quality-alert.raised.v1", "site": "plant-1",
                   "subject": f"quality-alert/{number % self.options.subjects}",
                   "data": {"alert": {"id": number + 1, "name": f"QA{number:05}"}, "title": f"{time.time():.6f}",
                            "product": None, "lot": None, "work_center": None, "order": None}}
                  for number in range(first, first + count)]
        while True:
            try:
                answer = gateway.request("POST", "/v1/events", {"events": events}, "mes", seconds=10)
            except Exception:
                time.sleep(0.05)
                continue
            if answer.status == 200:
                return
            if answer.status < 500 and answer.status != 429:
                raise AssertionError(repr(answer))
            time.sleep(0.05)

    def start(self, plant, name, sick, settings=None):
        """A gateway with the subscribers, of which so many are sick."""
        self.endpoints = []
        gateway = plant.gateway(name, changes={**HERE, **(settings or {})}, start=False)
        for number in range(self.options.subscribers):
            kind = SICK[number % len(SICK)] if number < sick else "healthy"
            self.endpoints.append(Endpoint(f"s{number}", kind))
            subscribe(gateway, f"s{number}", f"http://127.0.0.1:{self.port}/e/{number}", events=["quality-alert.*"],
                      timeout="3s", ordering="strict" if number % 10 == 9 else "aggregate",
                      retry=["1s", "2s", "5s", "5s", "10s", "30s", "60s", "60s", "60s", "60s", "60s", "60s"])
        return gateway.start()

    def waitFor(self, count, seconds, which=lambda endpoint: True):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if all(len(endpoint.seen) >= count for endpoint in self.endpoints if which(endpoint)):
                return True
            time.sleep(0.05)
        return False

    def p99(self):
        lags = sorted(lag for endpoint in self.endpoints if endpoint.kind == "healthy" for lag in endpoint.lags)
        return lags[len(lags) * 99 // 100] * 1000 if lags else 0

    # MARK: The parts

    def calm(self, plant, sick, name):
        """A steady trickle; gives the p99 of healthy endpoints, in milliseconds."""
        gateway = self.start(plant, name, sick)
        total = self.options.trickle
        for number in range(total):
            self.post(gateway, number, 1, name)
            time.sleep(0.02)
        self.waitFor(total, 60, lambda endpoint: endpoint.kind == "healthy")
        gateway.stop()
        return self.p99()

    def storm(self, plant):
        """The storm itself, with kills; True when everything came."""
        options = self.options
        gateway = self.start(plant, "storm", options.subscribers // 10)
        peak, over = [0], threading.Event()

        def work():
            for first in range(0, options.events, 100):
                self.post(gateway, first, min(100, options.events - first), "storm")
                self.posted = first + 100
                if options.kills:
                    time.sleep(options.pace)

        def watch():
            while not over.is_set():
                try:
                    peak[0] = max(peak[0], gateway.rss_kib())
                except (OSError, TypeError):
                    pass
                time.sleep(0.2)

        poster = threading.Thread(target=work)
        poster.start()
        threading.Thread(target=watch, daemon=True).start()
        for _ in range(options.kills):
            time.sleep(self.random.uniform(0.3, 2.0) * options.patience)
            gateway.kill()
            gateway.start()
        poster.join()
        healthy = self.waitFor(options.events, options.limit, lambda endpoint: endpoint.kind == "healthy")
        for endpoint in self.endpoints:
            endpoint.isMended = True
        for endpoint in self.endpoints:
            if endpoint.kind != "healthy":
                self.enable(gateway, endpoint.name)
        everything = self.waitFor(options.events, options.limit)
        if not everything:
            print(subprocess.run([str(plant.millgate), "webhook", "list", "--config", "millgate.yaml", "--admin",
                                  f"http://127.0.0.1:{gateway.ports['admin']}"], cwd=gateway.directory,
                                 capture_output=True, text=True).stdout)
        over.set()
        gateway.stop()
        self.peak = peak[0]
        return healthy and everything

    def enable(self, gateway, name):
        subprocess.run([str(gateway.plant.millgate), "webhook", "enable", name, "--config", "millgate.yaml", "--admin",
                        f"http://127.0.0.1:{gateway.ports['admin']}"], cwd=gateway.directory, capture_output=True)

    def cost(self, plant):
        """CPU seconds of the gateway for its deliveries alone: events wait for it, and what a start with nothing that
        waits takes is taken off. Gives the number of deliveries, the seconds, and one of them as it came."""
        options = self.options
        gateway = self.start(plant, "cost", 0)
        total = options.cost
        for first in range(0, total, 100):
            self.post(gateway, first, min(100, total - first), "cost")
        self.waitFor(total, options.limit)
        gateway.stop()
        gateway.start()
        time.sleep(2)
        idle = cpu(gateway.process.pid)
        gateway.stop()
        positions = sqlite3.connect(gateway.directory / "var/delivery.sqlite3")
        with positions:
            positions.execute("UPDATE endpoint SET position = 0")
        positions.close()
        # The same receivers as for bare libcurl: what they cost is not measured, how fast they are shows.
        self.endpoints = [Deaf(endpoint.name, "healthy") for endpoint in self.endpoints]
        count = total * len(self.endpoints)
        gateway.start()
        end = time.monotonic() + options.limit
        while sum(endpoint.count for endpoint in self.endpoints) < count and time.monotonic() < end:
            time.sleep(0.02)
        used = cpu(gateway.process.pid) - idle
        gateway.stop()
        return sum(endpoint.count for endpoint in self.endpoints), used, self.endpoints[0].last


def cpu(pid):
    """User and system time of a process, in seconds."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def bare(storm, count, like):
    """The same number of requests like one of the gateway's, with its fields and its body, by libcurl's multi interface
    and nothing else: requests, CPU."""
    head, body = like
    own = (b"host:", b"content-length:")
    fields = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith(own)]
    storm.endpoints = [Deaf(f"b{number}", "healthy") for number in range(storm.options.subscribers)]
    binary = REPOSITORY / ".build/bare-curl"
    source = REPOSITORY / "Tests/Plant/bare_curl.c"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([shutil.which("cc") or "clang", "-O2", "-o", str(binary), str(source), "-lcurl"], check=True)
    command = [str(binary), f"http://127.0.0.1:{storm.port}/e/", str(storm.options.subscribers), str(count)]
    given = b"\n".join(fields) + b"\n\n" + body
    made = subprocess.run(command, input=given, capture_output=True, check=True)
    done, seconds = made.stdout.split()
    return int(done), float(seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--subjects", type=int, default=500)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--trickle", type=int, default=150, help="events of the measurement of p99")
    parser.add_argument("--cost", type=int, default=1000, help="events of the measurement of CPU time")
    parser.add_argument("--pace", type=float, default=0.1, help="seconds between two posts of a hundred")
    parser.add_argument("--patience", type=float, default=1.0, help="stretches the time between kills")
    parser.add_argument("--limit", type=float, default=400, help="seconds for everything to come")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--no-ratio", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    good = True
    with tempfile.TemporaryDirectory(prefix="millgate-storm-") as directory:
        plant = Plant(program(), directory)
        storm = Storm(options)
        try:
            if not options.no_ratio:
                alone = storm.calm(plant, 0, "alone")
                beside = storm.calm(plant, options.subscribers // 10, "beside")
                print(f"p99 of healthy endpoints: {alone:.1f} ms, {beside:.1f} ms beside "
                      f"{options.subscribers // 10} sick ones", flush=True)
                count, used, like = storm.cost(plant)
                done, seconds = bare(storm, count, like)
                mine, theirs = used / count * 1e6, seconds / done * 1e6
                print(f"{count / used:.0f} deliveries per CPU second: {mine:.1f} µs each, bare libcurl {theirs:.1f} µs,"
                      f" ratio {mine / theirs:.2f}", flush=True)
            began = time.monotonic()
            good = storm.storm(plant)
            print(f"{options.events} events to {options.subscribers} subscribers, {options.kills} times kill -9, in "
                  f"{time.monotonic() - began:.0f} s; memory at most {storm.peak / 1024:.0f} MiB")
        finally:
            plant.close()
    deliveries = sum(endpoint.count for endpoint in storm.endpoints)
    missing = sum(max(0, options.events - len(endpoint.seen)) for endpoint in storm.endpoints)
    disorder = sum(endpoint.disorder for endpoint in storm.endpoints)
    bad = sum(endpoint.bad for endpoint in storm.endpoints)
    print(f"{deliveries} deliveries, {missing} missing, {disorder} out of order, {bad} badly signed")
    sys.exit(0 if good and missing == disorder == bad == 0 else 1)


if __name__ == "__main__":
    main()
