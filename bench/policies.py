#!/usr/bin/env python3
"""What decisions cost with few rules and with many, and how long the audit log of a busy plant takes to replay.

    policies.py [--millgate PATH] [--rules 10,10000] [--entries 1000000] [--no-callgrind] [--out FILE]

Instructions are counted by callgrind: two runs of different length, subtracted. Times are those of `millgate policy
measure`, on one thread; run it on a quiet machine. With --out the rows are merged into the bench's file.
"""
import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import counting
import rows

REPOSITORY = Path(__file__).resolve().parents[1]
ROLES = ["operator", "supervisor", "mes", "wms", "machine-connector", "supplier", "auditor", "security"]
OPERATIONS = ["production-order.read", "production-order.create", "production-order.release",
              "production-order.confirm", "inventory.read", "work-center.read", "operation.read", "approval.read"]
RULES_PER_FILE = 4_000
# What 10,000 rules may cost more than 10, for each decision.
AIM_NANOSECONDS = 2_000


def policies(directory, count):
    """The shipped policies with `count` rules in place of theirs, spread over roles, operations and sites."""
    shutil.copytree(REPOSITORY / "policies", directory)
    for folder in ["access", "tests", "limits"]:
        shutil.rmtree(directory / folder)
    (directory / "access").mkdir()
    chance = random.Random(417)
    lines = []
    for number in range(count):
        operation = OPERATIONS[number % len(OPERATIONS)]
        role = ROLES[number // len(OPERATIONS) % len(ROLES)]
        site = number // (len(OPERATIONS) * len(ROLES))
        rule = (f"  - {{id: r{number}, effect: {'forbid' if number % 10 == 9 else 'allow'}, roles: [{role}], "
                f"operations: [{operation}], sites: [plant-{site + 1}]")
        if operation == "production-order.confirm":
            rule += f", condition: 'has(input.quantity) && input.quantity <= {chance.randrange(10, 1000)}.0'"
        lines.append(rule + "}")
    # A policy file may have a mebibyte.
    for first in range(0, count, RULES_PER_FILE):
        text = "\n".join(["rules:", *lines[first:first + RULES_PER_FILE]]) + "\n"
        (directory / "access" / f"rules-{first // RULES_PER_FILE:02}.yaml").write_text(text)
    return directory


def measure(millgate, home, directory, decisions, before=()):
    command = [*before, str(millgate), "policy", "measure", "--config", str(home / "deploy/millgate.yaml"),
               "--policies", str(directory), "--decisions", str(decisions)]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def instructions(millgate, home, directory, decisions):
    out = home / "callgrind.out"
    measure(millgate, home, directory, decisions,
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "-q"])
    return int(re.search(r"(?m)^(?:summary|totals): (\d+)", out.read_text())[1])


def log(directory, count):
    """An audit log of the shipped policies, as long as it must be; nobody verifies it here."""
    directory.mkdir()
    chance = random.Random(417)
    people = [(f"person-{n}", chance.choice(["operator", "supervisor"]), chance.choice(["plant-1", "plant-2"]))
              for n in range(400)]
    with open(directory / "audit-00000001.jsonl", "w") as file:
        for number in range(count):
            subject, role, site = chance.choice(people)
            operation = chance.choice(OPERATIONS[:6])
            allowed = role == "supervisor" or operation.endswith((".read", ".confirm"))
            entry = {
                "time": f"2026-11-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00.000Z", "kind": "outcome",
                "request": f"{number:016x}", "trace": f"{number:032x}", "subject": subject,
                "issuer": "https://id.millgate.example", "token_id": f"{number % 997:032x}", "roles": [role],
                "claims": {"roles": [role], "site": site}, "address": "10.1.2.3", "listener": "tls",
                "operation": operation, "effect": "allow" if allowed else "forbid", "rule": "site-staff-read",
                "policy": "e90fff7194d48060", "method": "GET", "target": f"/v1/production-orders/{number}",
                "site": site, "records": [f"mrp.production,{number % 5000}"], "status": 200 if allowed else 403,
                "outcome": "answered", "us": 1234,
                "input": {"quantity": number % 300, "allow_excess": False}, "seq": number + 1,
                "chain": "A" * 43}
            file.write(json.dumps(entry, separators=(",", ":")) + "\n")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--millgate", default=str(REPOSITORY / ".build/release/millgate"))
    arguments.add_argument("--rules", default="10,10000")
    arguments.add_argument("--entries", type=int, default=1_000_000)
    arguments.add_argument("--no-callgrind", action="store_true")
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    millgate = Path(options.millgate).resolve()
    with tempfile.TemporaryDirectory(prefix="millgate-policies-") as place:
        home = Path(place)
        for name in ["deploy", "policies"]:
            shutil.copytree(REPOSITORY / name, home / name)
        counts = [int(count) for count in options.rules.split(",")]
        row = rows.row("decisions", rules=counts, nanoseconds=[], instructions=[])
        places = [policies(home / f"rules-{count}", count) for count in counts]
        # In turn, and the least of each counts: what else the machine does only ever adds.
        times = {count: [] for count in counts}
        for _ in range(5):
            for count, directory in zip(counts, places):
                text = measure(millgate, home, directory, 400_000)
                times[count].append(int(re.search(r"(\d+) ns each", text)[1]))
        program = counting.stripped(millgate, home)
        for count, directory in zip(counts, places):
            row["nanoseconds"].append(min(times[count]))
            print(f"{count:,} rules: {min(times[count])} ns for a decision")
            if not options.no_callgrind:
                few, many = (instructions(program, home, directory, n) for n in (4_000, 24_000))
                row["instructions"].append(round((many - few) / 20_000))
                print(f"{count:,} rules: {row['instructions'][-1]:,} instructions for a decision (callgrind)")
        more = row["nanoseconds"][-1] - row["nanoseconds"][0]
        print(f"{counts[-1]:,} rules cost {more} ns more than {counts[0]} (aim: at most {AIM_NANOSECONDS:,})")
        if options.out:
            rows.merge(options.out, [row])
        if options.entries:
            log(home / "audit", options.entries)
            start = time.monotonic()
            done = subprocess.run([str(millgate), "policy", "replay", "--audit", "audit", "policies"], cwd=home,
                                  capture_output=True, text=True)
            print(done.stdout.splitlines()[-1] if done.stdout else done.stderr)
            print(f"replayed {options.entries} entries in {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    main()
