"""Idle keepalive connections: what each costs in resident memory.

    python3 Tests/Plant/idle.py [--count 10000] [--tls 2000] [--limit-kib 4]

Each connection sends one request, reads the answer, and then only waits; afterwards a request on a sample of them shows
that they are served still. Ends with a line of figures, and with status 1 where cleartext is above the limit.
"""
import argparse
import resource
import sys
import tempfile
import time

from plant import Plant, holds, program

REQUEST = b"GET /openapi.json HTTP/1.1\r\nHost: idle\r\nUser-Agent: idle/1.0\r\n\r\n"


def answer(s):
    s.sendall(REQUEST)
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += s.recv(65536)
    holds(head.startswith(b"HTTP/1.1 200"), head)


def measure(gateway, listener, count, warm):
    """KiB for each of `count` connections, after `warm` have come and gone, so that pools are filled."""
    for batch in range(2):
        for s in [gateway.connect(listener) for _ in range(warm)]:
            answer(s)
            s.close()
    time.sleep(0.3)
    before = gateway.rss_kib()
    sockets = []
    for _ in range(count):
        s = gateway.connect(listener)
        answer(s)
        sockets.append(s)
    time.sleep(1)
    each = (gateway.rss_kib() - before) / count
    for s in sockets[::max(1, count // 100)]:
        answer(s)
    for s in sockets:
        s.close()
    return each


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--tls", type=int, default=2_000)
    parser.add_argument("--limit-kib", type=float, default=4)
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(arguments.count, hard - 500)
    with tempfile.TemporaryDirectory(prefix="millgate-idle-") as directory:
        plant = Plant(program(), directory)
        try:
            gateway = plant.gateway(changes={"server": {"idle_timeout": "10m", "connections": count + 1_000}})
            plain = measure(gateway, "plain", count, 64)
            tls = measure(gateway, "tls", min(arguments.tls, count), 64) if arguments.tls else 0
        finally:
            plant.close()
    print(f"{count} idle connections: {plain:.2f} KiB each in cleartext"
          + (f", {min(arguments.tls, count)} over TLS: {tls:.1f} KiB each" if arguments.tls else ""), flush=True)
    sys.exit(0 if plain <= arguments.limit_kib else 1)


if __name__ == "__main__":
    main()
