"""A million deliveries that wait: how soon the gateway starts, what it costs in memory, and whether it serves fairly.

    python3 Tests/Plant/pending.py [--events 10000] [--subscribers 100] [--seconds 12]

The events are put into the log while the gateway is down; every endpoint is behind all of them. It is started with all
endpoints away, again with what that left in retry, and again with all of them there. Ends with one line of figures, and
with status 1 where a start took 2 s, memory 200 MiB, or the endpoint served least got less than half of the one served
most.
"""
import argparse
import sqlite3
import sys
import tempfile
import time
from types import SimpleNamespace

from plant import Plant, program
from storm import Endpoint, Storm
from webhooks import HERE, subscribe

MEMORY_MAX, FAIR_MIN = 200 * 1024, 0.5


def fill(gateway, events, subscribers):
    """Events in the log, and every endpoint before all of them."""
    now = time.time_ns()
    log = sqlite3.connect(gateway.directory / "var/ledger.sqlite3")
    with log:
        data = '{"alert":{"id":1,"name":"QA1"},"title":"0.0","product":null,"lot":null,"work_center":null,"order":null}'
        log.executemany(
            "INSERT INTO event (id, name, version, subject, sequence, site, time, correlation, causation, traceparent,"
            " data, recorded_at) VALUES (?, 'quality-alert.raised', 1, ?, ?, 'plant-1', ?, 'c', NULL, NULL, ?, ?)",
            ((f"waiting-{number:026}", f"quality-alert/{number % 500}", number // 500 + 1, now, data, now)
             for number in range(events)))
        log.executemany("INSERT OR REPLACE INTO aggregate (subject, sequence) VALUES (?, ?)",
                        ((f"quality-alert/{number}", events // 500 + 1) for number in range(500)))
    log.close()
    deliveries = sqlite3.connect(gateway.directory / "var/delivery.sqlite3")
    with deliveries:
        deliveries.execute("DELETE FROM message")
        deliveries.executemany("INSERT OR REPLACE INTO endpoint (name, position) VALUES (?, 0)",
                               ((f"s{number}",) for number in range(subscribers)))
    deliveries.close()


def started(gateway):
    began = time.monotonic()
    gateway.start()
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--started-max", type=float, default=2.0, help="longest start, in seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millgate-pending-") as directory:
        plant = Plant(program(), directory)
        try:
            storm = Storm(SimpleNamespace(seed=1))
            gateway = plant.gateway("pending", changes=HERE, start=False)

            def write(port):
                for number in range(options.subscribers):
                    subscribe(gateway, f"s{number}", f"http://127.0.0.1:{port}/e/{number}", events=["*"],
                              retry=["1s", "1h"])

            write(9)
            empty = started(gateway)
            gateway.stop()
            fill(gateway, options.events, options.subscribers)
            away = started(gateway)
            time.sleep(options.seconds)
            memory = [gateway.rss_kib()]
            gateway.kill()
            again = started(gateway)
            time.sleep(2)
            memory.append(gateway.rss_kib())
            gateway.stop()
            fill_again = sqlite3.connect(gateway.directory / "var/delivery.sqlite3")
            with fill_again:
                fill_again.execute("DELETE FROM message")
                fill_again.execute("UPDATE endpoint SET position = 0, disabled = NULL, failing_since = NULL")
            fill_again.close()
            storm.endpoints = [Endpoint(f"s{number}", "healthy") for number in range(options.subscribers)]
            write(storm.port)
            there = started(gateway)
            began = time.monotonic()
            while time.monotonic() - began < options.seconds:
                time.sleep(0.2)
                memory.append(gateway.rss_kib())
                counts = [len(endpoint.seen) for endpoint in storm.endpoints]
                if min(counts) >= options.events:
                    break
            took = time.monotonic() - began
            counts = [len(endpoint.seen) for endpoint in storm.endpoints]
            gateway.stop()
        finally:
            plant.close()
    fair = min(counts) / max(1, max(counts))
    bad = sum(endpoint.bad for endpoint in storm.endpoints)
    print(f"{options.events * options.subscribers} waiting: started in {away:.2f} s, {again:.2f} s with what was in"
          f" retry, {there:.2f} s with all endpoints there ({empty:.2f} s with nothing waiting); at most "
          f"{max(memory) / 1024:.0f} MiB; then {sum(counts) / took:.0f} deliveries a second, between {min(counts)} and "
          f"{max(counts)} to each; {bad} badly signed")
    good = max(away, again, there) < options.started_max and max(memory) < MEMORY_MAX and fair >= FAIR_MIN and bad == 0
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
