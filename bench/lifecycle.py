#!/usr/bin/env python3
"""What Millgate's life costs: start to first answer, reloads and upgrades under load, and a second reactor.

    lifecycle.py [--out FILE] [--only start|life|reactors]     merges its rows into the bench's file

start: from exec to the first 200, median of 15 starts. reload, upgrade: signals in the middle of a load of wrk over 64
keepalive connections; what was not answered with 200 counts as lost. reactors: requests per second with two against
one; on a machine whose cores the load shares this says what the load left.
"""
import argparse
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import gateways
import keys
import load
import rows

ROOT = Path(__file__).resolve().parent.parent


def first_answer(gateway, output):
    """Seconds from exec to the first answered request."""
    began = time.monotonic()
    gateway.process = subprocess.Popen(list(map(str, gateway.command)), stdout=output, stderr=output,
                                       stdin=subprocess.DEVNULL, start_new_session=True)
    request = b"GET /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    while time.monotonic() < began + 30:
        try:
            with socket.create_connection(("127.0.0.1", gateway.plain), 5) as s:
                s.sendall(request)
                if s.recv(64).startswith(b"HTTP/1.1 200"):
                    return time.monotonic() - began
        except OSError:
            time.sleep(0.0005)
    raise RuntimeError("no answer")


def under_load(gateway, directory, number, pause, seconds):
    """Requests and lost ones of a load in which `number` comes every `pause` seconds."""
    done = []
    thread = threading.Thread(target=lambda: done.append(load.run(gateway, "plain", directory, seconds)))
    thread.start()
    end = time.monotonic() + seconds - 1
    count = 0
    time.sleep(0.5)
    while time.monotonic() < end:
        gateway.process.send_signal(number)
        count += 1
        time.sleep(pause)
    thread.join()
    return (*done[0], count)


def edited(gateway, old, new):
    file = Path(gateway.command[-1])
    file.write_text(file.read_text().replace(old, new))


def rate(gateway, directory, seconds, output):
    if not gateway.start(output):
        raise RuntimeError("it does not start")
    try:
        load.run(gateway, "plain", directory, 1)
        before = gateway.cpu_seconds()
        began = time.monotonic()
        done, _ = load.run(gateway, "plain", directory, seconds)
        took = time.monotonic() - began
        return done / took, (gateway.cpu_seconds() - before) / took
    finally:
        gateway.stop()


def starts(gateway, output):
    times = []
    for _ in range(15):
        times.append(first_answer(gateway, output) * 1000)
        gateway.stop()
    print(f"start to first answered request: median {statistics.median(times):.1f} ms, least {min(times):.1f}, "
          f"most {max(times):.1f} (aim: under 50)")
    return rows.row("start", milliseconds=round(statistics.median(times), 1), min=round(min(times), 1),
                    max=round(max(times), 1))


def signals(gateway, directory, output):
    found = []
    if not gateway.start(output):
        sys.exit("millgate does not start: " + (directory / "output").read_text()[-2000:])
    for name, number, pause in [("reload", signal.SIGHUP, 0.5), ("upgrade", signal.SIGUSR2, 2.5)]:
        done, bad, count = under_load(gateway, directory, number, pause, 8)
        print(f"{name}: {count} in {done + bad:,} requests, {bad} lost")
        found.append(rows.row(name, requests=done + bad, lost=bad, times=count))
    gateway.stop()
    return found


def reactors(gateway, directory, output):
    rates = {}
    for count in (1, 2, 1, 2):
        edited(gateway, re.search(r"reactors: \d", Path(gateway.command[-1]).read_text())[0], f"reactors: {count}")
        rates.setdefault(count, []).append(rate(gateway, directory, 3, output))
    one, two = (max(rates[count]) for count in (1, 2))
    print(f"reactors: {one[0]:,.0f} requests/s with one ({one[1]:.2f} cores), {two[0]:,.0f} with two "
          f"({two[1]:.2f} cores): {two[0] / one[0]:.2f} x on {os.cpu_count()} cores, shared with load and upstream; "
          f"{one[1] / one[0] * 1e6:.1f} and {two[1] / two[0] * 1e6:.1f} CPU µs per request")
    return rows.row("reactors", ratio=round(two[0] / one[0], 2), cores_one=round(one[1], 2),
                    cores_two=round(two[1], 2), cores=os.cpu_count(),
                    us_one=round(one[1] / one[0] * 1e6, 2), us_two=round(two[1] / two[0] * 1e6, 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / ".build/release/millgate", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", action="append", choices=["start", "life", "reactors"])
    options = parser.parse_args()
    wanted = options.only or ["start", "life", "reactors"]
    found = []
    with tempfile.TemporaryDirectory(prefix="millgate-life-") as place:
        directory = Path(place)
        directory.chmod(0o755)
        keys.make(directory)
        program = directory / "millgate-program"
        shutil.copy2(options.binary, program)
        upstream = gateways.nginx(directory, "upstream", gateways.NGINX_UPSTREAM, [], body=gateways.body())
        gateway = gateways.millgate(directory, upstream.plain, program, ROOT / "policies/services")
        output = open(directory / "output", "wb")
        if not upstream.start(output):
            sys.exit("nginx does not start")
        try:
            if "start" in wanted:
                found.append(starts(gateway, output))
            if "life" in wanted:
                found += signals(gateway, directory, output)
            if "reactors" in wanted:
                found.append(reactors(gateway, directory, output))
        finally:
            gateway.stop()
            upstream.stop()
            output.close()
    if options.out:
        rows.merge(options.out, found)


if __name__ == "__main__":
    main()
