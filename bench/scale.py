#!/usr/bin/env python3
"""Instructions per request with one rule, one route and one key of a limit, and with very many of each.

    scale.py [--rules 10000] [--routes 1000] [--keys 1000000] [--out FILE]

The gateway runs under callgrind, which counts only while it is told to. First with one of each; then with many, when as
many keys of a limit live as clients have called before, each from an address of its own out of 127.0.0.0/8. The request
is the one of the bench's scenario `policy`.
"""
import argparse
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import counting
import gateways
import keys
import load
import rows

ROOT = Path(__file__).resolve().parent.parent
WARM, COUNTED = 300, 2_000
OPERATIONS = ["production-order.read", "production-order.create", "production-order.release",
              "production-order.confirm", "inventory.read", "work-center.read", "operation.read", "approval.read"]
# A policy may name 64.
ROLES = 60
AIM = 1.10


def configure(gateway, up, routes, rules):
    """A limit by address that lasts, and many rules and routes."""
    file = Path(gateway.command[-1])
    text = file.read_text().replace("audit: {key", "audit: {sync_interval: 1s, key")
    text = text.replace("limits:\n", "limits:\n  - {name: per-address, key: address, quota: 1000000, window: 86400s}\n")
    lines = "".join(f"  - {{name: r{i}, path: /r/{i:04}, upstream: up, access: open}}\n" for i in range(routes - 1))
    file.write_text(text.replace("limits:\n", lines + "limits:\n", 1))
    policies = file.parent / "policies"
    roles = "".join(f"  r{i:03}: {{description: One of many., any: [{{claim: roles, contains: r{i:03}}}]}}\n"
                    for i in range(min(ROLES, rules - 1)))
    with open(policies / "roles.yaml", "a") as out:
        out.write(roles)
    for first in range(0, rules - 1, 4_000):
        text = "".join(
            f"  - {{id: many-{i}, effect: allow, roles: [r{i % ROLES:03}], operations: [{OPERATIONS[i // ROLES % 8]}], "
            f"sites: [plant-{i // (8 * ROLES) + 1}]}}\n" for i in range(first, min(first + 4_000, rules - 1)))
        (policies / "access" / f"many-{first // 4_000}.yaml").write_text("rules:\n" + text)


def call_from(port, addresses, at_once=256):
    """One request from each address; what comes back is read to its end."""
    request = b"GET /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    poll, waiting, done = select.epoll(), {}, 0
    addresses = iter(addresses)

    def begin():
        address = next(addresses, None)
        if address is None:
            return False
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, 0))
        s.connect(("127.0.0.1", port))
        s.sendall(request)
        s.setblocking(False)
        waiting[s.fileno()] = [s, b""]
        poll.register(s.fileno(), select.EPOLLIN)
        return True

    while len(waiting) < at_once and begin():
        pass
    while waiting:
        for number, _ in poll.poll(60):
            s, start = entry = waiting[number]
            data = s.recv(65_536)
            if data:
                entry[1] = start or data[:16]
                continue
            if not start.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"answered with {start}")
            poll.unregister(number)
            s.close()
            del waiting[number]
            done += 1
            begin()
    return done


def control(process, *arguments):
    subprocess.run(["callgrind_control", *arguments, str(process)], check=True, capture_output=True)


def count(gateway, directory, output, name, clients):
    """User instructions of a request, after so many other clients have called."""
    shutil.rmtree(gateway.log, ignore_errors=True)
    file = directory / f"callgrind-{name}"
    before = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={file}",
              f"--log-file={file}.txt"]
    if not gateway.start(output, before, seconds=300):
        raise RuntimeError("it does not start")
    try:
        began = time.monotonic()
        # 127.1.0.0 and up; 127.0.0.1 is the one that is counted.
        called = call_from(gateway.plain, (f"127.{i >> 16 & 127 | 1 << 7}.{i >> 8 & 255}.{i & 255}"
                                           for i in range(1, clients)))
        if called:
            print(f"  {called:,} clients have called in {time.monotonic() - began:.0f} s", file=sys.stderr)
        control(gateway.process.pid, "-i", "on")
        load.exactly(gateway, "policy", directory, WARM)
        # The audit log writes once a second: all entries of the warm-up before, all of the counted ones after.
        time.sleep(3)
        control(gateway.process.pid, "-z")
        load.exactly(gateway, "policy", directory, COUNTED)
        time.sleep(3)
        control(gateway.process.pid, "-d")
        dumped = next(directory.glob(f"callgrind-{name}.1"))
        return round(int(re.search(r"(?m)^summary: (\d+)", dumped.read_text())[1]) / COUNTED)
    finally:
        gateway.stop(60)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / ".build/release/millgate", type=Path)
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--routes", type=int, default=1_000)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    os.environ["SWIFT_DETERMINISTIC_HASHING"] = "1"
    found = []
    with tempfile.TemporaryDirectory(prefix="millgate-scale-") as place:
        for name, rules, routes, clients in [("one", 1, 1, 1), ("many", options.rules, options.routes, options.keys)]:
            directory = Path(place) / name
            directory.mkdir()
            directory.chmod(0o755)
            Path(place).chmod(0o755)
            keys.make(directory)
            upstream = gateways.nginx(directory, "upstream", gateways.NGINX_UPSTREAM, [], body=gateways.body())
            gateway = gateways.millgate(directory, upstream.plain, options.binary, ROOT / "policies/services")
            gateway.command = [counting.stripped(gateway.command[0], directory), *gateway.command[1:]]
            configure(gateway, upstream.plain, routes, rules)
            with open(directory / "output", "wb") as output:
                try:
                    if not upstream.start(output):
                        sys.exit("nginx does not start")
                    found.append(count(gateway, directory, output, name, clients))
                except (OSError, RuntimeError) as error:
                    sys.exit(f"{error}\n{(directory / 'output').read_text()[-2000:]}")
                finally:
                    upstream.stop()
            print(f"{rules:,} rules, {routes:,} routes, {clients:,} keys of limits: {found[-1]:,} instructions per "
                  "request")
    ratio = found[1] / found[0]
    print(f"{ratio:.3f} x (aim: at most {AIM})")
    if options.out:
        rows.merge(options.out, [rows.row("scale", one=found[0], many=found[1], ratio=round(ratio, 3),
                                          rules=options.rules, routes=options.routes, keys=options.keys)])


if __name__ == "__main__":
    main()
