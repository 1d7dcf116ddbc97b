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
    bench.py --no-instructions --no-idle         CPU only, of all scenarios
    bench.py --only-idle                         memory of connections that wait, alone
    bench.py --only-instructions                 adds instructions to rows measured before; needs no quiet machine

Scenarios: plain (HTTP/1.1 keepalive on both sides), tls (the same behind TLS 1.3), h2 (HTTP/2 over TLS, 100 streams on
each of 10 connections, HTTP/1.1 behind), policy (RS256 token, issuer, audience, expiry, role, limit for each subject, a
line of JSON), policy-1000-tokens (the same, 1,000 tokens in rotation), policy-new-tokens (a token never seen at each
request), download and upload (1 MiB), handshake (full ones of TLS 1.3, P-256; per handshake). Besides them idle and
idle-tls: memory for each keepalive connection that waits. scale.py and lifecycle.py measure Millgate alone.
"""
import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import counting
import gateways
import keys
import load
from rows import merge, row, update

ROOT = Path(__file__).resolve().parent.parent
# Peers that each scenario is compared with, and the ratio of CPU that is aimed at; `best` is the best of all.
AIMS = {"plain": [("best", 0.80)], "tls": [("best", 0.85)], "h2": [("nghttpx", 0.80), ("nginx", 0.50)],
        "policy": [("haproxy", 0.30), ("envoy", 0.12)], "policy-1000-tokens": [("haproxy", 0.30)],
        "policy-new-tokens": [("haproxy", 0.60)], "download": [("best", 1.0)], "upload": [("best", 1.0)],
        "handshake": [("nginx", 1.0), ("haproxy", 1.0)]}
# Instructions are counted of these: of the others callgrind would count the TLS library or the load's pace.
COUNTED = {"plain": ["millgate", "nginx", "haproxy", "nghttpx"], "policy": ["millgate", "haproxy"]}


def note(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def measure_cpu(scenario, on, directory, rounds, seconds):
    """CPU µs per request of each gateway, by round; those of them in the kernel; and its memory in KiB after them."""
    found = {gateway.name: [] for gateway in on}
    kernel = {gateway.name: [] for gateway in on}
    for gateway in on:
        load.run(gateway, scenario, directory, 1)
    for _ in range(rounds):
        for gateway in on:
            before = gateway.cpu_times()
            done, bad = load.run(gateway, scenario, directory, seconds)
            user, system = (after - then for after, then in zip(gateway.cpu_times(), before))
            if bad:
                note(f"{gateway.name} {scenario}: {bad} of {done + bad} requests failed")
            if done:
                found[gateway.name].append((user + system) / done * 1e6)
                kernel[gateway.name].append(system / done * 1e6)
    return found, kernel, {gateway.name: gateway.rss_kib() for gateway in on}


def instructions_of(gateway, scenario, directory, log):
    try:
        return counting.per_request(gateway, scenario, directory, log)
    except (OSError, RuntimeError) as error:
        note(f"{gateway.name} {scenario} under callgrind: {error}")
        return None


def compared(medians, peer):
    """The median that `peer` stands for, None where it was not measured."""
    if peer == "best":
        return min((value for name, value in medians.items() if name != "millgate"), default=None)
    return medians.get(peer)


def table(scenario, cpu, kernel, rss, instructions):
    medians = {name: statistics.median(values) for name, values in cpu.items() if values}
    best = compared(medians, "best")
    print(f"\n{scenario}")
    print(f"  {'gateway':10} {'CPU µs/req':>10} {'kernel':>8} {'min':>8} {'max':>8} {'x best peer':>11} "
          f"{'instr/req':>10} {'RSS MiB':>8}")
    for name, median in sorted(medians.items(), key=lambda pair: pair[1]):
        count = instructions.get(name)
        print(f"  {name:10} {median:10.1f} {statistics.median(kernel[name]):8.1f} {min(cpu[name]):8.1f} "
              f"{max(cpu[name]):8.1f} "
              f"{f'{median / best:.2f}' if best else '–':>11} {f'{count:,}' if count else '–':>10} "
              f"{rss[name] / 1024:8.1f}")
    for peer, aim in AIMS[scenario]:
        base = compared(medians, peer)
        if base and "millgate" in medians:
            ratio = medians["millgate"] / base
            print(f"  {ratio:.2f} x {peer}, aim {aim:.2f}: {'reached' if ratio <= aim else 'not reached'}")
    sys.stdout.flush()
    return medians


def measure_idle(scenario, on, directory, count, log):
    """Memory for each idle connection; every gateway is fresh."""
    rows = []
    tls = scenario == "idle-tls"
    print(f"\n{scenario}: {count:,} keepalive connections that wait")
    print(f"  {'gateway':10} {'KiB/connection':>14} {'RSS MiB':>8}")
    for gateway in on:
        gateway.stop()
        if not gateway.start(log):
            continue
        held = min(count, gateway.connections - 100)
        if held < count:
            note(f"{gateway.name}: the limit of open files leaves room for {held:,}; raise it with ulimit -n")
        try:
            load.run(gateway, "tls" if tls else "plain", directory, 1)
            before = gateway.rss_kib()
            after = load.hold_idle(gateway, held, gateway.rss_kib, tls)
        except (OSError, RuntimeError) as error:
            note(f"{gateway.name} idle: {error}")
            continue
        each = (after - before) / held
        print(f"  {gateway.name:10} {each:14.2f} {after / 1024:8.1f}")
        rows.append(row(scenario, gateway.name, rss_kib=after, connections=held, kib_per_connection=round(each, 3)))
    sys.stdout.flush()
    return rows


def count_all(on, directory, log, out):
    """Instructions of what is counted, for rows that were measured before."""
    for scenario, names in COUNTED.items():
        for gateway in [gateway for gateway in on if gateway.name in names]:
            gateway.stop()
            count = instructions_of(gateway, scenario, directory, log)
            print(f"{gateway.name:10} {scenario:8} {count:,} instructions per request" if count else gateway.name)
            sys.stdout.flush()
            if count and out:
                update(out, scenario, gateway.name, instructions_per_request=count,
                       digest_instructions=counting.digests[gateway.name, scenario])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", action="append", choices=load.SCENARIOS)
    parser.add_argument("--gateway", action="append", help="only this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of load for each gateway and round (2)")
    parser.add_argument("--idle", type=int, default=10_000, metavar="N",
                        help="idle connections (10,000); a fifth of them with TLS")
    parser.add_argument("--only-idle", action="store_true")
    parser.add_argument("--only-instructions", action="store_true")
    parser.add_argument("--no-idle", action="store_true")
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--binary", default=ROOT / ".build/release/millgate", type=Path)
    parser.add_argument("--out", type=Path, help="puts the rows in a file, in the place of older ones")
    parser.add_argument("--keep", action="store_true", help="keeps the directory of configurations and logs")
    return parser.parse_args()


def main():
    options = arguments()
    directory = Path(tempfile.mkdtemp(prefix="millgate-bench-"))
    directory.chmod(0o755)
    keys.make(directory)
    (directory / "www" / "big").mkdir(parents=True)
    (directory / "www" / "big" / "mebibyte").write_bytes(bytes(range(256)) * 4096)
    upstream = gateways.nginx(directory, "upstream", gateways.NGINX_UPSTREAM, [], body=gateways.body())
    scenarios = options.scenario or load.SCENARIOS
    if options.only_idle or options.only_instructions:
        scenarios = []
    if "policy-new-tokens" in scenarios:
        keys.make_new_tokens(directory)
    everything = []
    if options.binary.exists():
        everything.append(gateways.millgate(directory, upstream.plain, options.binary, ROOT / "policies/services"))
    else:
        note(f"{options.binary} is not there: only the peers are measured")
    everything += gateways.peers(directory, upstream.plain, ROOT / ".build/venv")
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
            for scenario in scenarios:
                on = []
                for gateway in [gateway for gateway in running if scenario in gateway.scenarios]:
                    wrong = load.proves_its_work(gateway, scenario, directory)
                    if wrong:
                        note(f"{gateway.name} {scenario}: {wrong}")
                        complete, options.keep = False, True
                    else:
                        on.append(gateway)
                cpu, kernel, rss = measure_cpu(scenario, on, directory, options.rounds, options.seconds)
                instructions = {}
                if not options.no_instructions and shutil.which("valgrind"):
                    for gateway in [gateway for gateway in on if gateway.name in COUNTED.get(scenario, [])]:
                        gateway.stop()
                        instructions[gateway.name] = instructions_of(gateway, scenario, directory, log)
                        gateway.start(log)
                for name, median in table(scenario, cpu, kernel, rss, instructions).items():
                    rows.append({**row(scenario, name), "cpu_us_per_request": round(median, 2),
                                 "instructions_per_request": instructions.get(name), "rss_kib": rss[name],
                                 "digest_instructions": counting.digests.get((name, scenario)),
                                 "kernel_us_per_request": round(statistics.median(kernel[name]), 2),
                                 "min": round(min(cpu[name]), 2), "max": round(max(cpu[name]), 2)})
            if options.only_instructions:
                count_all(running, directory, log, options.out)
            idle = options.only_idle or not (options.scenario or options.no_idle or options.only_instructions)
            for scenario in ["idle", "idle-tls"] if idle else []:
                on = [gateway for gateway in running if scenario in gateway.scenarios]
                count = options.idle if scenario == "idle" else options.idle // 5
                rows += measure_idle(scenario, on, directory, count, log)
        finally:
            for gateway in [*everything, upstream]:
                gateway.stop()
            sink.close()
    if options.out and rows:
        merge(options.out, rows)
        print(f"\nwritten to {options.out}")
    if options.keep:
        print(f"configurations and logs are in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if complete else 1)


if __name__ == "__main__":
    main()
