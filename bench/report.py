#!/usr/bin/env python3
"""Writes docs/PERFORMANCE.md from the bench's rows.

    report.py .build/bench.json docs/PERFORMANCE.md
"""
import os
import re
import sys
from pathlib import Path

import bench
import rows as table
import scale

TITLES = {
    "plain": "HTTP/1.1 plain proxy, 1 KiB JSON", "tls": "HTTP/1.1 over TLS 1.3",
    "h2": "HTTP/2 over TLS, 100 streams × 10 connections, HTTP/1.1 upstream",
    "policy": "whole policy pipeline: RS256 JWT, role, limit, audit entry",
    "policy-1000-tokens": "the same, 1,000 tokens in rotation",
    "policy-new-tokens": "the same, a token never seen before at each request",
    "download": "1 MiB responses", "upload": "1 MiB uploads", "handshake": "full TLS 1.3 handshakes, ECDSA P-256"}
PEERS = ["nginx", "haproxy", "nghttpx", "envoy"]
# KiB for each idle connection, and instructions for each request.
MEMORY = {"idle": ("keepalive connection that waits, cleartext", 0.5),
          "idle-tls": ("keepalive connection that waits, TLS", 13)}
COUNTS = {"plain": 9_000, "policy": 15_000}


def verdict(isReached):
    return "reached" if isReached else "**missed**"


def processor():
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores of {found[1] if found else 'an unknown processor'}"


def cell(row):
    """CPU per request, and the kernel's part of it where it was taken."""
    kernel = row.get("kernel_us_per_request")
    return f"{row['cpu_us_per_request']:.1f}" + (f" ({kernel:.1f})" if kernel is not None else "")


def floor(found):
    """What no proxy can save: a sentence on the kernel's part of the plain scenario."""
    own, best = (found.get(("plain", name), {}).get("kernel_us_per_request") for name in ("millgate", "nginx"))
    if own is None or best is None:
        return ""
    total = found["plain", "nginx"]["cpu_us_per_request"]
    code, theirs = found["plain", "millgate"]["cpu_us_per_request"] - own, total - best
    return f"""
A proxied request is two receives and two sends, and no other system call: the kernel has {own:.1f} µs of it here, and
{best:.1f} µs of nginx's. Millgate's own code has {code:.1f} µs, nginx's {theirs:.1f} µs: {code / theirs:.2f} ×. Beside
a peer of {total:.1f} µs no code at all would be {own / total:.2f} ×.
"""


def main():
    rows = table.read(Path(sys.argv[1]))
    found = {(row["scenario"], row["gateway"]): row for row in rows}
    text = f"""# Performance

Made by `make bench` ({processor()}, load average {os.getloadavg()[1]:.0f}); do not edit.
One worker each before the same nginx; each gateway has shown that it does the work before it was measured. Rounds are
interleaved, medians count. Absolute figures move with what else the machine does; ratios within a run hardly do.
`bench/bench.py` says how each is measured.

## CPU per request, in µs

In brackets what of it is the kernel's.

| scenario | Millgate | {' | '.join(PEERS)} | aim | measured | |
|---|---|{'---|' * len(PEERS)}---|---|---|
"""
    for scenario, title in TITLES.items():
        medians = {name: found[scenario, name]["cpu_us_per_request"]
                   for name in ["millgate", *PEERS] if (scenario, name) in found}
        cells = [cell(found[scenario, name]) if name in medians else "–" for name in ["millgate", *PEERS]]
        aims, ratios, reached = [], [], []
        for peer, aim in bench.AIMS[scenario]:
            base = bench.compared(medians, peer)
            if base and "millgate" in medians:
                ratio = medians["millgate"] / base
                aims.append(f"≤ {aim:.2f} × {'the best peer' if peer == 'best' else peer}")
                ratios.append(f"{ratio:.2f}")
                reached.append(verdict(ratio <= aim))
        text += f"| {title} | {' | '.join(cells)} | {', '.join(aims)} | {', '.join(ratios)} | {', '.join(reached)} |\n"
    text += floor(found)
    text += """
Of downloads, uploads and handshakes a figure is for one of them: bytes and handshakes per CPU second are its reverse.
HAProxy, Envoy and nginx verify a signature each time; Millgate remembers tokens until they expire. nginx and nghttpx
have no policy of this kind. Envoy's limit is for the route, not for each subject, and its handshakes are BoringSSL's.

## Memory, instructions, life

| | Millgate | peers | aim | |
|---|---|---|---|---|
"""
    for scenario, (title, aim) in MEMORY.items():
        if (scenario, "millgate") not in found:
            continue
        own = found[scenario, "millgate"]["kib_per_connection"]
        others = ", ".join(f"{name} {found[scenario, name]['kib_per_connection']:.1f}" for name in PEERS
                           if (scenario, name) in found)
        text += f"| {title} | {own:.2f} KiB | {others} | ≤ {aim} KiB | {verdict(own <= aim)} |\n"
    for scenario, aim in COUNTS.items():
        own = found.get((scenario, "millgate"), {}).get("instructions_per_request")
        if own:
            others = ", ".join(f"{name} {found[scenario, name]['instructions_per_request']:,}" for name in PEERS
                               if found.get((scenario, name), {}).get("instructions_per_request"))
            text += (f"| user instructions per request, {scenario} (callgrind) | {own:,} | {others} | ≤ {aim:,} | "
                     f"{verdict(own <= aim)} |\n")
    digest = found.get(("policy", "millgate"), {}).get("digest_instructions")
    if digest:
        own = found["policy", "millgate"]["instructions_per_request"]
        text += f"| the same, policy, without OpenSSL's SHA-256 | {own - digest:,} | | | |\n"
    if ("scale", "millgate") in found:
        row = found["scale", "millgate"]
        text += (f"| user instructions per request with {row['rules']:,} rules, {row['routes']:,} routes, "
                 f"{row['keys']:,} keys of limits | {row['many']:,} | with one of each {row['one']:,} | "
                 f"≤ {scale.AIM:.2f} × | "
                 f"{verdict(row['ratio'] <= scale.AIM)} ({row['ratio']:.2f} ×) |\n")
    else:
        text += "| user instructions with very many rules, routes and keys (`bench/scale.py`) | not run | | | |\n"
    if ("decisions", "millgate") in found:
        row = found["decisions", "millgate"]
        more = row["nanoseconds"][-1] - row["nanoseconds"][0]
        counted = (f", {row['instructions'][0]:,} and {row['instructions'][-1]:,} instructions"
                   if row["instructions"] else "")
        text += (f"| a decision by {row['rules'][0]:,} and by {row['rules'][-1]:,} rules | "
                 f"{row['nanoseconds'][0]:,} and {row['nanoseconds'][-1]:,} ns{counted} | | < 2,000 ns more | "
                 f"{verdict(more < 2_000)} |\n")
    if ("start", "millgate") in found:
        row = found["start", "millgate"]
        text += (f"| start to first answered request | {row['milliseconds']} ms ({row['min']} to {row['max']}) | | "
                 f"< 50 ms | {verdict(row['milliseconds'] < 50)} |\n")
    for name in ("reload", "upgrade"):
        if (name, "millgate") in found:
            row = found[name, "millgate"]
            text += (f"| {name} under load: {row['times']} in {row['requests']:,} requests | {row['lost']} lost | | "
                     f"0 | {verdict(row['lost'] == 0)} |\n")
    if ("reactors", "millgate") in found:
        row = found["reactors", "millgate"]
        # Starved of the machine, one reactor says nothing of two.
        is_free = row["cores_one"] > 0.8 and row["cores_two"] > 1.6
        shown = verdict(row["ratio"] >= 1.8) if is_free or row["ratio"] >= 1.8 else "the machine did not allow it"
        cost = f", at {row['us_one']} and {row['us_two']} CPU µs per request" if "us_one" in row else ""
        text += (f"| requests/s of two reactors against one; load and upstream share the {row['cores']} cores and left "
                 f"them {row['cores_one']} and {row['cores_two']}{cost} | {row['ratio']} × | | 1.8 × on two free "
                 f"cores | {shown} |\n")
    text += """
callgrind shows no SHA extensions to what it counts, so that OpenSSL hashes the audit log's chain without them: 20 and
more instructions for each byte of an entry. With them a processor needs less than half a microsecond for a whole entry.

The instructions of `plain` and `policy` are held: `make count` fails where they are more than 3 % above
`bench/instructions.json`. `make count UPDATE=1` writes the file anew, for a change that is worth its price.
"""
    Path(sys.argv[2]).write_text(text)
    print(f"written to {sys.argv[2]}")


if __name__ == "__main__":
    main()
