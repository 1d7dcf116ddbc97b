"""Instructions per request, counted by callgrind.

Two runs of different length are subtracted, so that start and end cancel out; a first one that is not counted makes
what a gateway makes once in its life, keys and tables, which only the shorter run would pay for. What could differ
between two runs is held still: requests go one after the other, Swift's hashes have a fixed seed, and Millgate's
audit log is synced once a second instead of every few milliseconds, which at callgrind's pace would be a batch for
each request.

    counting.py              counts Millgate and compares with instructions.json; status 1 beyond 3 %
    counting.py --update     writes instructions.json, for a change that is worth its price: say in the commit what for
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import gateways
import keys
import load

ROOT = Path(__file__).resolve().parent.parent
FIGURES = Path(__file__).resolve().parent / "instructions.json"
# Requests of the short and the long run.
SHORT, LONG = 400, 2400
# Of the last count of a gateway and scenario: how many of the instructions are OpenSSL's.
digests = {}
# A change of less is noise of the compiler's layout.
TOLERANCE = 0.03


def stripped(program, directory):
    """The program without what debuggers read, which valgrind 3.19 does not understand; symbols stay."""
    copy = Path(directory) / ("stripped-" + Path(program).name)
    if not copy.exists():
        subprocess.run(["strip", "--strip-debug", "-o", copy, program], check=True)
    return copy


def per_request(gateway, scenario, directory, output):
    """User-level instructions of all the gateway's processes for one request."""
    counts, openssl = [], []
    command = gateway.command
    if gateway.name == "millgate":
        gateway.command = [stripped(command[0], directory), *command[1:]]
        file = Path(command[-1])
        file.write_text(file.read_text().replace("audit: {key", "audit: {sync_interval: 1s, key"))
    os.environ["SWIFT_DETERMINISTIC_HASHING"] = "1"
    try:
        if gateway.start(output):
            gateway.stop()
        for requests in (SHORT, LONG):
            if gateway.name == "millgate":
                # Else the second run would read what the first has written, and count that too.
                shutil.rmtree(gateway.log, ignore_errors=True)
            total, part = one_run(gateway, scenario, directory, output, requests)
            counts.append(total)
            openssl.append(part)
    finally:
        del os.environ["SWIFT_DETERMINISTIC_HASHING"]
        gateway.command = command
        if gateway.name == "millgate":
            file.write_text(file.read_text().replace("audit: {sync_interval: 1s, key", "audit: {key"))
    digests[gateway.name, scenario] = round((openssl[1] - openssl[0]) / (LONG - SHORT))
    return round((counts[1] - counts[0]) / (LONG - SHORT))


def one_run(gateway, scenario, directory, output, requests):
    """Instructions of a whole run, and those of them in libcrypto."""
    name = f"callgrind-{gateway.name}-{scenario}-{requests}"
    for file in directory.glob(f"{name}.*"):
        file.unlink()
    before = ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={directory}/{name}.%p",
              f"--log-file={directory}/{name}.txt.%p"]
    if not gateway.start(output, before, seconds=90):
        raise RuntimeError("it does not start")
    try:
        load.exactly(gateway, scenario, directory, requests)
    finally:
        gateway.stop(60)
    texts = [file.read_text(errors="replace") for file in directory.glob(f"{name}.txt.*")]
    found = [int(match[1]) for match in (re.search(r"Collected : (\d+)", text) for text in texts) if match]
    if not found:
        raise RuntimeError("callgrind collected nothing")
    return sum(found), sum(in_object(file, "libcrypto") for file in directory.glob(f"{name}.[0-9]*"))


def in_object(file, name):
    """Instructions that a callgrind file has of one library, without what the library calls."""
    names, inside, skip, total = {}, False, False, 0
    with open(file, errors="replace") as lines:
        for line in lines:
            if line.startswith(("ob=", "cob=")):
                key, _, path = line.partition("=")[2].strip().partition(" ")
                path = names.setdefault(key, path)
                if line[0] == "o":
                    inside = name in path
            elif line.startswith("calls="):
                skip = True
            elif line[:1] in "0123456789+-*":
                if inside and not skip:
                    total += int(line.split()[1])
                skip = False
    return total


def least(gateway, scenario, directory, output, runs):
    """The least of several counts: a machine at work adds turns of the loop and batches of the log, never less."""
    return min(per_request(gateway, scenario, directory, output) for _ in range(runs))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--binary", default=ROOT / ".build/release/millgate", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millgate-count-") as place:
        directory = Path(place)
        directory.chmod(0o755)
        keys.make(directory)
        upstream = gateways.nginx(directory, "upstream", gateways.NGINX_UPSTREAM, [], body=gateways.body())
        gateway = gateways.millgate(directory, upstream.plain, options.binary, ROOT / "policies/services")
        with open(directory / "output", "wb") as output:
            try:
                if not upstream.start(output):
                    sys.exit("nginx does not start: " + (directory / "output").read_text())
                found = {name: least(gateway, name, directory, output, 3 if options.update else 1)
                         for name in ("plain", "policy")}
                committed = found if options.update else json.loads(FIGURES.read_text())
                for name, count in found.items():
                    if count > committed[name] * (1 + TOLERANCE):
                        found[name] = min(count, least(gateway, name, directory, output, 3))
            finally:
                gateway.stop()
                upstream.stop()
    if options.update:
        FIGURES.write_text(json.dumps(found, indent=1) + "\n")
    status = 0
    for scenario, count in found.items():
        change = count / committed[scenario] - 1
        print(f"{scenario:8} {count:8,} instructions per request, committed {committed[scenario]:,} ({change:+.1%})")
        if change > TOLERANCE:
            status = 1
            print(f"{scenario}: more than {TOLERANCE:.0%} above. Make it cheaper; or, when it is worth the price, "
                  "`make count UPDATE=1` and commit bench/instructions.json with the reason.")
        elif change < -TOLERANCE:
            print(f"{scenario}: keep the gain with `make count UPDATE=1`.")
    sys.exit(status)


if __name__ == "__main__":
    main()
