#!/usr/bin/env python3
"""CPU and instructions per request of Millgate, nginx and HAProxy doing the same work, side by side.

Each gateway runs with one worker before the same upstream (nginx, 1 KiB of JSON, keepalive). Rounds are interleaved
(A B C A B C …): each takes the user and system time of the gateway's processes around a bounded load, and the median
counts. On a shared machine rates say little; CPU per request does, and its ratio to a peer in the same run does most.
A gateway is measured in a scenario only after it has shown that it does the scenario's work: 401 without a token and
for a forged one, 403 for a wrong role, 200, and a line in its log that names the subject.

Instructions are user-level ones, counted by callgrind: two runs of different length, subtracted, so that start and end
cancel out. They are the same on every machine, within a percent, and are the figure to hold a change against.

    bench.py                                     everything
    bench.py --scenario policy --rounds 7        one scenario; may be given several times
    bench.py --gateway millgate --gateway nginx  only these
    bench.py --no-instructions --no-idle         CPU only

Scenarios: plain (HTTP/1.1 keepalive on both sides), tls (the same behind TLS 1.3), policy (RS256 token, issuer,
audience, expiry, role, limit for each subject, a line of JSON), policy-1000-tokens (the same, 1,000 tokens in
rotation). Besides them idle: memory for each of 10,000 keepalive connections that wait.
"""
import argparse
import json
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import gateways
import keys
import load

ROOT = Path(__file__).resolve().parent.parent
# The peer that each scenario is compared with, and the ratio that is aimed at.
AIMS = {"plain": ("nginx", 0.80), "tls": ("nginx", 0.80), "policy": ("haproxy", 0.30),
        "policy-1000-tokens": ("haproxy", 0.30)}
# Requests of the short and the long run under callgrind.
SHORT, LONG = 400, 2400


def note(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def measure_cpu(scenario, on, directory, rounds, seconds):
    """CPU µs per request of each gateway, by round; and its memory in KiB after them."""
    found = {gateway.name: [] for gateway in on}
    for gateway in on:
        load.run(gateway, scenario, directory, 1)
    for _ in range(rounds):
        for gateway in on:
            before = gateway.cpu_seconds()
            done, bad = load.run(gateway, scenario, directory, seconds)
            used = gateway.cpu_seconds() - before
            if bad:
                note(f"{gateway.name} {scenario}: {bad} of {done + bad} requests failed")
            if done:
                found[gateway.name].append(used / done * 1e6)
    return found, {gateway.name: gateway.rss_kib() for gateway in on}


def count_instructions(gateway, scenario, directory, log):
    """User-level instructions per request, or None where they cannot be counted."""
    counts = []
    for requests in (SHORT, LONG):
        output = directory / f"callgrind-{gateway.name}-{scenario}-{requests}"
        text = directory / f"{output.name}.txt"
        before = ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={output}.%p",
                  f"--log-file={text}.%p"]
        if not gateway.start(log, before, seconds=90):
            note(f"{gateway.name} does not start under callgrind")
            return None
        try:
            load.exactly(gateway, scenario, directory, requests)
        except (OSError, RuntimeError) as error:
            note(f"{gateway.name} {scenario} under callgrind: {error}")
            return None
        finally:
            gateway.stop(60)
        texts = [file.read_text(errors="replace") for file in directory.glob(f"{text.name}.*")]
        found = [int(match[1]) for match in (re.search(r"Collected : (\d+)", text) for text in texts) if match]
        if not found:
            note(f"{gateway.name}: callgrind collected nothing")
            return None
        counts.append(sum(found))
    return round((counts[1] - counts[0]) / (LONG - SHORT))


def table(scenario, cpu, rss, instructions):
    peer, aim = AIMS[scenario]
    medians = {name: statistics.median(values) for name, values in cpu.items() if values}
    base = medians.get(peer)
    print(f"\n{scenario}")
    print(f"  {'gateway':10} {'CPU µs/req':>10} {'min':>7} {'max':>7} {'x ' + peer:>10} {'instr/req':>10} "
          f"{'RSS MiB':>8}")
    for name, median in sorted(medians.items(), key=lambda pair: pair[1]):
        ratio = f"{median / base:.2f}" if base else "–"
        count = instructions.get(name)
        print(f"  {name:10} {median:10.1f} {min(cpu[name]):7.1f} {max(cpu[name]):7.1f} {ratio:>10} "
              f"{f'{count:,}' if count else '–':>10} {rss[name] / 1024:8.1f}")
    if base and "millgate" in medians:
        ratio = medians["millgate"] / base
        verdict = "reached" if ratio <= aim else "not reached"
        print(f"  aim: at most {aim:.2f} x {peer}: {verdict}")
    sys.stdout.flush()
    return medians


def measure_idle(on, directory, count, log):
    """Memory for each idle connection; every gateway is fresh."""
    rows = []
    print(f"\nidle: {count:,} keepalive connections that wait")
    print(f"  {'gateway':10} {'KiB/connection':>14} {'RSS MiB':>8}")
    for gateway in on:
        gateway.stop()
        if not gateway.start(log):
            continue
        held = min(count, gateway.connections - 100)
        if held < count:
            note(f"{gateway.name}: the limit of open files leaves room for {held:,}; raise it with ulimit -n")
        try:
            load.run(gateway, "plain", directory, 1)
            before = gateway.rss_kib()
            after = load.hold_idle(gateway, held, gateway.rss_kib)
        except (OSError, RuntimeError) as error:
            note(f"{gateway.name} idle: {error}")
            continue
        each = (after - before) / held
        print(f"  {gateway.name:10} {each:14.2f} {after / 1024:8.1f}")
        rows.append({"scenario": "idle", "gateway": gateway.name, "cpu_us_per_request": None,
                     "instructions_per_request": None, "rss_kib": after, "connections": held,
                     "kib_per_connection": round(each, 3)})
    sys.stdout.flush()
    return rows


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", action="append", choices=load.SCENARIOS)
    parser.add_argument("--gateway", action="append", help="only this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of load for each gateway and round (3)")
    parser.add_argument("--idle", type=int, default=10_000, metavar="N", help="idle connections (10,000)")
    parser.add_argument("--no-idle", action="store_true")
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--binary", default=ROOT / ".build/release/millgate", type=Path)
    parser.add_argument("--out", type=Path, help="writes the rows as JSON")
    parser.add_argument("--keep", action="store_true", help="keeps the directory of configurations and logs")
    return parser.parse_args()


def main():
    options = arguments()
    directory = Path(tempfile.mkdtemp(prefix="millgate-bench-"))
    directory.chmod(0o755)
    keys.make(directory)
    items = [{"sku": f"SKU-{i:04}", "qty": i, "price": 12.5 + i, "name": f"Item number {i}"} for i in range(14)]
    body = json.dumps({"id": 12345, "items": items})
    upstream = gateways.nginx(directory, "upstream", gateways.NGINX_UPSTREAM, [], body=body)
    everything = []
    if options.binary.exists():
        everything.append(gateways.millgate(directory, upstream.plain, options.binary, ROOT / "policies/services"))
    else:
        note(f"{options.binary} is not there: only the peers are measured")
    everything += gateways.peers(directory, upstream.plain)
    if options.gateway:
        everything = [gateway for gateway in everything if gateway.name in options.gateway]
    rows, complete = [], True
    sink = load.LogSink(directory / "log.sock", directory / "haproxy.log")
    with open(directory / "output", "wb") as log:
        try:
            if not upstream.start(log):
                sys.exit(f"the upstream does not start; see {directory}/output")
            running = [gateway for gateway in everything if gateway.start(log)]
            for gateway in everything:
                if gateway not in running:
                    note(f"{gateway.name} does not start; see {directory}/output")
                    complete, options.keep = False, True
            for scenario in options.scenario or load.SCENARIOS:
                on = []
                for gateway in [gateway for gateway in running if scenario in gateway.scenarios]:
                    wrong = load.proves_its_work(gateway, scenario, directory)
                    if wrong:
                        note(f"{gateway.name} {scenario}: {wrong}")
                        complete, options.keep = False, True
                    else:
                        on.append(gateway)
                cpu, rss = measure_cpu(scenario, on, directory, options.rounds, options.seconds)
                instructions = {}
                if not options.no_instructions and shutil.which("valgrind"):
                    for gateway in on:
                        gateway.stop()
                        instructions[gateway.name] = count_instructions(gateway, scenario, directory, log)
                        gateway.start(log)
                for name, median in table(scenario, cpu, rss, instructions).items():
                    rows.append({"scenario": scenario, "gateway": name, "cpu_us_per_request": round(median, 2),
                                 "instructions_per_request": instructions.get(name), "rss_kib": rss[name],
                                 "min": round(min(cpu[name]), 2), "max": round(max(cpu[name]), 2)})
            if not options.no_idle:
                on = [gateway for gateway in running if "idle" in gateway.scenarios]
                rows += measure_idle(on, directory, options.idle, log)
        finally:
            for gateway in [*everything, upstream]:
                gateway.stop()
            sink.close()
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
        print(f"\nwritten to {options.out}")
    if options.keep:
        print(f"configurations and logs are in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if complete else 1)


if __name__ == "__main__":
    main()
