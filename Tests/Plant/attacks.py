"""Attacks on one side, a well-behaved client on the other: a table of what each did to whom.

    python3 Tests/Plant/attacks.py [--short] [--only NAME,…] [--on PROTOCOL] [--seconds 6]
                                   [--kept .build/attacks.json] [--write docs/ATTACKS.md]

With `--kept` the rows can be run in parts: the page is made of every row's last run.

For each attack a gateway of its own is started. A well-behaved client sends requests one after the other for a while in
calm, then again while the attack runs from other addresses of this machine. Printed and asserted are:

- its success: every request is answered rightly;
- its p99 beside that of calm (asserted in the long form only; other processes on the machine show in it);
- how much the gateway's resident memory grew;
- that the attacker was cut off, and by what counter of /metrics it shows.

Limits in time are set to seconds for the attacks that wait for them; the figures in the table say which.
"""
import argparse
import json
import os
import platform
import random
import resource
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import http2_attacks as http2
from plant import REPOSITORY, Plant, Server, bind, holds, program, proxying

HOST = b"Host: gateway\r\n"
GET = b"GET /open/x HTTP/1.1\r\nHost: gateway\r\n\r\n"
# The whole of 127.0.0.0/8 is this machine: attackers and the honest client have addresses of their own.
ATTACKER, OTHERS = "127.0.0.66", [f"127.0.1.{i}" for i in range(1, 41)]


class Honest:
    """A client in a process of its own, so that what the attackers compute does not slow it down: requests one after
    the other over a keepalive connection, a new one after every 20."""

    def __init__(self, gateway, listener="plain"):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--honest", str(gateway.ports[listener]), listener,
             gateway.plant.file("ca.pem")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.times, self.failures = [], []

    def stop(self):
        output, _ = self.process.communicate(timeout=60)
        found = json.loads(output)
        self.times, self.failures = found["times"], found["failures"]

    def quantile(self, q):
        times = sorted(self.times)
        return times[min(len(times) - 1, int(len(times) * q))] * 1000 if times else 0


def honest(port, listener, authority):
    """The honest client's process: works until its input ends, then prints what it saw."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    context = ssl.create_default_context(cafile=authority)
    request, times, failures = GET, [], []
    s, count = None, 0
    while not over.is_set():
        started = time.monotonic()
        try:
            if s is None or count % 20 == 0:
                if s:
                    s.close()
                s = socket.create_connection(("127.0.0.1", port), 20)
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if listener == "tls":
                    s = context.wrap_socket(s, server_hostname="localhost")
            count += 1
            s.sendall(request)
            data = b""
            while len(data) < 1024 or b"\r\n\r\n" not in data:
                part = s.recv(65536)
                if not part:
                    raise OSError("closed without an answer")
                data += part
                # Any other answer may be shorter than the one that is waited for.
                if not data.startswith(b"HTTP/1.1 200"[:len(data)]):
                    raise OSError(data.split(b"\r\n")[0].decode())
        except OSError as error:
            failures.append(f"{type(error).__name__}: {error}")
            if s:
                s.close()
            s = None
            time.sleep(0.05)
        times.append(time.monotonic() - started)
        time.sleep(0.002)
    print(json.dumps({"times": times, "failures": failures}))


class Servers:
    """The servers behind the gateways, in a process of their own."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, __file__, "--servers"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.good, self.lying = (f"http://127.0.0.1:{port}" for port in json.loads(self.process.stdout.readline()))

    def close(self):
        self.process.kill()
        self.process.wait()


def servers():
    print(json.dumps([Server(plain_answer).port, Server(Lies.answer).port]), flush=True)
    sys.stdin.read()


class Attack:
    """The attackers' side: `each` runs in so many threads until time is up."""

    def __init__(self, gateway, seconds):
        self.gateway, self.until = gateway, time.monotonic() + seconds
        self.done, self.cut, self.lock = 0, 0, threading.Lock()

    @property
    def goes_on(self):
        return time.monotonic() < self.until

    def connect(self, listener="plain", source=ATTACKER, buffer=None, seconds=5):
        return self.gateway.connect(listener, source, seconds, self.context(), buffer)

    def raw(self, listener, source=ATTACKER, seconds=5):
        """A connection to the TLS port on which no handshake is done."""
        s = socket.socket()
        bind(s, source)
        s.settimeout(seconds)
        s.connect(("127.0.0.1", self.gateway.ports[listener]))
        return s

    @staticmethod
    def context():
        context = ssl._create_unverified_context()
        return context

    def count(self, done=0, cut=0):
        with self.lock:
            self.done += done
            self.cut += cut

    def threads(self, count, each):
        def guarded():
            while self.goes_on:
                try:
                    each()
                except OSError:
                    # Refused or cut off: what was wanted.
                    self.count(cut=1)
                    time.sleep(0.001)

        threads = [threading.Thread(target=guarded, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.until - time.monotonic() + 10)

    def wait_for_end(self, s):
        """Reads until the gateway closes; true when it did before time was up."""
        while self.goes_on:
            s.settimeout(0.3)
            try:
                if not s.recv(65536):
                    return True
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError:
                return True
        return False


# MARK: HTTP/1.1

def dripping(start, byte):
    """Begins a request and goes on byte by byte."""
    def each(attack):
        with attack.connect() as s:
            s.sendall(start)
            while attack.goes_on:
                s.sendall(byte)
                attack.count(done=1)
                s.settimeout(0.1)
                try:
                    if s.recv(4096):
                        attack.count(cut=1)
                        return
                except TimeoutError:
                    pass
    return lambda attack: attack.threads(60, lambda: each(attack))


# Slowloris, and the same in the body.
slow_heads = dripping(b"GET /open/x HTTP/1.1\r\n" + HOST + b"X-A: ", b"a")
slow_bodies = dripping(b"POST /open/x HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n", b"b")


def slow_readers(attack):
    """Ask for large answers and take a few bytes now and then."""
    def each():
        with attack.connect(buffer=2048) as s:
            s.sendall(b"GET /open/large HTTP/1.1\r\n" + HOST + b"\r\n")
            attack.count(done=1)
            while attack.goes_on:
                time.sleep(0.2)
                if not s.recv(1):
                    attack.count(cut=1)
                    return
    attack.threads(40, each)


def holding_up(start, act):
    """More calls than a server works on at once, each going on at 1 KiB/s: nothing that any other limit minds."""
    def each(attack):
        with attack.connect(buffer=2048) as s:
            s.sendall(start)
            attack.count(done=1)
            while attack.goes_on:
                time.sleep(0.2)
                act(s)
                readable, _, _ = select.select([s], [], [], 0)
                if readable and not s.recv(200):
                    attack.count(cut=1)
                    return
    return lambda attack: attack.threads(24, lambda: each(attack))


readers_of_a_small_server = holding_up(b"GET /open/large HTTP/1.1\r\n" + HOST + b"\r\n", lambda s: None)
bodies_for_a_small_server = holding_up(
    b"POST /open/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n", lambda s: s.sendall(b"b" * 200))


def pipelined_without_reading(attack):
    def each():
        with attack.connect(buffer=2048) as s:
            s.settimeout(1)
            while attack.goes_on:
                try:
                    s.sendall(GET.replace(b"/x", b"/middle") * 200)
                    attack.count(done=200)
                except TimeoutError:
                    pass
    attack.threads(20, each)


def pipelining_bombs(attack):
    """Requests without pause, answers read and thrown away."""
    def each():
        with attack.connect() as s:
            s.settimeout(2)
            over = threading.Event()

            def drain():
                try:
                    while s.recv(1 << 20):
                        pass
                except OSError:
                    pass
                over.set()

            threading.Thread(target=drain, daemon=True).start()
            while attack.goes_on and not over.is_set():
                s.sendall(GET * 100)
                attack.count(done=100)
                time.sleep(0.002)
    attack.threads(2, each)


def header_bombs(attack):
    bombs = [b"X-%d: %s\r\n" % (i, b"a" * 7000) for i in range(40)]
    many = b"".join(b"a%d: b\r\n" % i for i in range(5000))

    def each():
        for body in [b"".join(bombs), many, b"X: " + b"y" * 200_000]:
            with attack.connect() as s:
                s.sendall(b"GET /open/x HTTP/1.1\r\n" + HOST + body)
                attack.count(done=1)
                if attack.wait_for_end(s):
                    attack.count(cut=1)
    attack.threads(4, each)


def chunk_bombs(attack):
    """Chunks of one byte, chunk extensions, trailers without end."""
    def each():
        for part in [b"1\r\na\r\n" * 5000, b"1;" + b"x" * 100_000, b"0\r\n" + b"X-T: t\r\n" * 20_000]:
            with attack.connect() as s:
                s.sendall(b"POST /open/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
                for _ in range(10):
                    s.sendall(part)
                attack.count(done=1)
                if attack.wait_for_end(s):
                    attack.count(cut=1)
    attack.threads(2, each)


def garbage(attack):
    generator = random.Random(7)

    def each():
        with attack.connect() as s:
            s.sendall(generator.randbytes(2000) + b"\r\n\r\n")
            attack.count(done=1)
            if attack.wait_for_end(s):
                attack.count(cut=1)
    attack.threads(4, each)


# MARK: Connections

def connection_flood(attack):
    """One address opens as many as it can and holds them."""
    held = []

    def each():
        s = attack.connect()
        held.append(s)
        attack.count(done=1)
        if len(held) > 3000:
            held.pop(0).close()
    attack.threads(4, each)
    for s in held:
        s.close()


def connection_churn(attack):
    """One address opens and closes without end."""
    def each():
        s = attack.connect()
        attack.count(done=1)
        s.sendall(GET)
        if not s.recv(65536):
            attack.count(cut=1)
        s.close()
    attack.threads(4, each)


def idle_connections(attack, count):
    """From 40 addresses, each below what one may have."""
    held = []
    try:
        for i in range(count):
            s = attack.connect(source=OTHERS[i % len(OTHERS)])
            held.append(s)
            attack.count(done=1)
        while attack.goes_on:
            time.sleep(0.1)
    finally:
        for s in held:
            s.close()


def descriptor_exhaustion(attack):
    """More connections than the gateway has descriptors, from many addresses, all idle."""
    held = []

    def each():
        s = attack.connect(source=random.choice(OTHERS))
        s.sendall(GET)
        if not s.recv(65536):
            raise OSError("refused")
        attack.count(done=1)
        with attack.lock:
            held.append(s)
            old = held.pop(0) if len(held) > 800 else None
        if old:
            old.close()
    attack.threads(4, each)
    for s in held:
        s.close()


# MARK: TLS

def handshake_flood(attack):
    """Whole handshakes, one after the other, nothing asked."""
    context = attack.context()
    context.options |= ssl.OP_NO_TICKET

    def each():
        s = context.wrap_socket(attack.raw("tls"), server_hostname="localhost")
        attack.count(done=1)
        s.close()
    attack.threads(4, each)


def half_open_tls(attack):
    """Connections that begin a handshake and drip, from many addresses."""
    hello = bytes.fromhex("16030102000100 01fc0303".replace(" ", "")) + bytes(64)
    held = []
    try:
        for i in range(1500):
            if not attack.goes_on:
                break
            s = attack.raw("tls", source=OTHERS[i % len(OTHERS)])
            s.sendall(hello)
            held.append(s)
            attack.count(done=1)
        gone = set()
        while attack.goes_on and len(gone) < len(held):
            for number, s in enumerate(held):
                if number in gone:
                    continue
                try:
                    s.sendall(b"\0")
                except OSError:
                    gone.add(number)
                    attack.count(cut=1)
            time.sleep(0.1)
    finally:
        for s in held:
            s.close()


def repeating(version, letter, pause):
    """What `s_client` does when it reads this letter, without end."""
    def each(attack):
        process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{attack.gateway.ports['tls']}", version, "-bind",
             ATTACKER + ":0"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3)
        try:
            while attack.goes_on and process.poll() is None:
                process.stdin.write(letter + b"\n")
                process.stdin.flush()
                attack.count(done=1)
                time.sleep(pause)
            attack.count(cut=process.poll() is not None)
        except OSError:
            attack.count(cut=1)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
    return lambda attack: attack.threads(4, lambda: each(attack))


renegotiation = repeating("-tls1_2", b"R", 0.05)
key_updates = repeating("-tls1_3", b"K", 0.01)


# MARK: Servers behind it

class Lies:
    """What a lying server answers, by the path; each is tried in turn by clients that hope for an answer."""
    TABLE = {
        "reset": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc",
        "short": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc",
        "long": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n",
        "cutchunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "both": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2000,
        "head": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 500_000 + b"\r\n\r\n",
        "fields": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        "nothing": b"",
        "garbage": b"\x00\xff" * 500,
        "split": b"HTTP/1.1 200 OK\r\nX: a\nEvil: b\r\nContent-Length: 0\r\n\r\n",
        "unasked101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    }
    # What must not be believed gets 502; what broke off after its head breaks off for the client too.
    TORN = {"reset", "short", "chunk", "cutchunk"}
    WHOLE = {"long"}

    @staticmethod
    def answer(connection, head, number):
        name = head.split(" ")[1].rpartition("/")[2].split("?")[0]
        if name == "x":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            return True
        if name == "early":
            # Answers before the request has ended, and goes on as if nothing were.
            connection.send(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
            time.sleep(0.05)
            return False
        if name == "reuse":
            # Keeps the connection and closes it just as the next request comes.
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            connection.socket.settimeout(1)
            connection.socket.recv(1)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        if name == "stall":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab")
            time.sleep(4)
            return False
        try:
            connection.send(Lies.TABLE[name])
        except OSError:
            pass
        if name == "reset":
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return False


def ask(gateway, path, body=None):
    """Status and body; status 0 for a connection that closed without an answer, `torn` for an answer that broke off."""
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["plain"], timeout=10)
    connection.sock = gateway.connect("plain", ATTACKER, 10)
    try:
        connection.request("POST" if body is not None else "GET", path, body=body)
        response = connection.getresponse()
        try:
            return response.status, response.read(), False
        except (http.client.IncompleteRead, OSError, ValueError):
            return response.status, b"", True
    except (http.client.HTTPException, OSError):
        return 0, b"", True
    finally:
        connection.close()


def told(attack, name):
    """Tells one lie; what is wrong with what the client gets, or nothing."""
    if name == "early":
        status, body, torn = ask(attack.gateway, "/lies/early", b"x" * 300_000)
        good = status in (0, 403, 502)
    else:
        status, body, torn = ask(attack.gateway, f"/lies/{name}?{random.random()}")
        if name == "stall" or name in Lies.TORN:
            good = torn
        elif name in Lies.WHOLE:
            good = (status, body) == (200, b"abc")
        elif name == "reuse":
            good = (status, body) == (200, b"ok")
        else:
            good = status == 502
    attack.count(done=1, cut=good)
    return "" if good else f"{name}: {status} {body[:60]!r} torn={torn}"


def lying(*names):
    """These lies in turn."""
    def attack_with(attack):
        wrong = []

        def each():
            for name in names:
                for _ in range(3 if name == "reuse" else 1):
                    wrong.append(told(attack, name))
                # Some truth in between, or the circuit opens and the lies are not heard at all.
                for _ in range(3):
                    ask(attack.gateway, "/lies/x")
        attack.threads(2, each)
        found = sorted(set(wrong) - {""})
        holds(not found, "; ".join(found[:8]))
    return attack_with


class Case:
    """One row of the table."""

    def __init__(self, name, run, reasons=("upstream",), listener="plain", server=None, memory_kib=16_384, cut=True,
                 metric="cut", limits=None, protocol="HTTP/1.1", settings=None, short=None, note="", least=0,
                 form="", in_flight=0):
        self.name, self.run, self.reasons, self.listener = name, run, reasons, listener
        self.server, self.memory_kib, self.cut, self.metric = server or {}, memory_kib, cut, metric
        self.limits, self.protocol, self.settings, self.note = limits, protocol, settings or {}, note
        # Settings of the short form, which has a debug build on a busy machine.
        self.short = short or self.settings
        # Seconds that it needs to show, however short the form.
        self.least = least
        # How many calls the server behind works on at once, 0 for any number.
        self.in_flight = in_flight
        # "short" or "long" where it belongs to that form alone.
        self.form = form


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))


HTTP2 = {"metric": "http2", "protocol": "HTTP/2", "memory_kib": 65_536}
UPSTREAM = {"metric": "upstream", "protocol": "upstream"}
# A server with a cap; before Odoo the shipped one is 4.
SMALL = {"metric": "yielded", "note": "8 calls in flight"}
# As shipped: who is cut off for a flood does not come back at once.
RATED, RATE = {"connection_rate_per_address": 500}, "connection_rate_per_address 500, as shipped"

CASES = [
    Case("slow heads", slow_heads, ["slow-head"], server={"head_timeout": "1s"}, note="head_timeout 1 s"),
    Case("slow bodies", slow_bodies, ["slow-body"], server={"body_timeout": "1s"}, note="body_timeout 1 s"),
    Case("slow readers, a byte now and then", slow_readers, ["slow-reader"], server={"send_timeout": "1s"},
         note="send_timeout 1 s"),
    Case("slow readers of a small server", readers_of_a_small_server, ["yielded"], in_flight=8, least=4, **SMALL),
    Case("slow bodies for a small server", bodies_for_a_small_server, ["yielded"], in_flight=8, least=4, **SMALL),
    Case("pipelined requests, answers not read", pipelined_without_reading, ["slow-reader"],
         server={"send_timeout": "1s"}, note="send_timeout 1 s"),
    Case("pipelining bombs", pipelining_bombs, ["limited"], metric="limited",
         settings={"limits": [{"name": "per-address", "key": "address", "quota": 60_000, "window": "60s",
                               "burst": 6000}]},
         short={"limits": [{"name": "per-address", "key": "address", "quota": 15_000, "window": "60s",
                            "burst": 2000}]}, note="429 by the limit per address; turns of 64"),
    Case("header bombs", header_bombs, ["head-too-large"]),
    Case("chunk bombs and trailers without end", chunk_bombs, ["malformed-request", "head-too-large"]),
    Case("bytes that are no HTTP", garbage, ["malformed-request"]),
    Case("connections held by one address", connection_flood, ["too-many-from-address"],
         server={"connections_per_address": 256}, protocol="TCP", note="connections_per_address 256"),
    Case("connections opened and closed by one address", connection_churn, ["too-fast-from-address"],
         server={"connection_rate_per_address": 20}, protocol="TCP", note="connection_rate_per_address 20"),
    Case("idle connections from 40 addresses", None, ["idle"], metric="idle", protocol="TCP",
         server={"idle_timeout": "1s"}, memory_kib=24_576, note="idle_timeout 1 s"),
    Case("descriptors running out", descriptor_exhaustion, ["too-many", "shed-idle"], limits=few_descriptors,
         protocol="TCP", note="400 descriptors"),
    Case("TLS handshakes without end", handshake_flood, ["too-fast-from-address"], listener="tls", protocol="TLS",
         server={"connection_rate_per_address": 20}, note="connection_rate_per_address 20"),
    Case("half-open TLS, dripping", half_open_tls, ["slow-handshake", "crowded-handshake"], listener="tls",
         server={"handshake_timeout": "2s", "handshakes": 256}, protocol="TLS", memory_kib=65_536,
         note="handshake_timeout 2 s, handshakes 256"),
    Case("TLS renegotiation", renegotiation, ["repeated-handshake"], listener="tls", protocol="TLS"),
    Case("TLS key updates without end", key_updates, ["repeated-handshake"], listener="tls", protocol="TLS"),
    Case("rapid reset (CVE-2023-44487)", http2.rapid_reset, ["reset-flood"], server=RATED, note=RATE, **HTTP2),
    Case("rapid reset, once the request is under way", http2.later_reset, ["reset-flood"], server=RATED, in_flight=8,
         note="8 calls in flight", **HTTP2),
    # Where the gateway reads so much at once that it is more streams than there may be, that ends the connection.
    Case("server-induced resets (CVE-2025-8671)", http2.induced_resets, ["reset-flood", "protocol-error"],
         server=RATED, note=RATE, **HTTP2),
    Case("WINDOW_UPDATE of zero", http2.empty_updates, ["protocol-error"], server=RATED, note=RATE, **HTTP2),
    Case("CONTINUATION flood (CVE-2024-27316)", http2.continuation_flood, ["continuation-flood", "header-list-bomb"],
         **HTTP2),
    Case("HPACK bomb", http2.hpack_bomb, ["header-list-bomb", "malformed-request"], **HTTP2),
    Case("SETTINGS flood (CVE-2019-9515)", http2.settings_flood, ["settings-flood"], **HTTP2),
    Case("PING flood (CVE-2019-9512)", http2.ping_flood, ["ping-flood"], **HTTP2),
    Case("empty DATA flood (CVE-2019-9518)", http2.empty_data_flood, ["empty-data-flood"], **HTTP2),
    Case("windows of zero (CVE-2019-9517)", http2.zero_window, ["response-stalled", "connection-stalled"],
         server={"send_timeout": "1s"}, note="send_timeout 1 s", least=5, **HTTP2),
    Case("windows of a byte", http2.tiny_window, ["response-stalled", "connection-stalled"],
         server={"send_timeout": "1s"}, note="send_timeout 1 s", least=5, **HTTP2),
    Case("lying and stalling servers", lying(*Lies.TABLE, "early", "reuse", "stall"), form="short", **UPSTREAM),
    Case("server resets in the middle of a body", lying("reset"), form="long", **UPSTREAM),
    Case("server sends less or more than its length", lying("short", "long"), form="long", **UPSTREAM),
    Case("server's chunks are malformed or break off", lying("chunk", "cutchunk"), form="long", **UPSTREAM),
    Case("server says two lengths, or length and chunks", lying("lengths", "both"), form="long", **UPSTREAM),
    Case("server's interim answers never end, 101 unasked", lying("interim", "unasked101"), form="long", **UPSTREAM),
    Case("server's head is too large", lying("head", "fields"), form="long", **UPSTREAM),
    Case("server answers what is no HTTP, or nothing", lying("garbage", "split", "nothing"), form="long", **UPSTREAM),
    Case("server answers before the request has ended", lying("early"), ["early"], form="long",
         **{**UPSTREAM, "metric": "early"}),
    Case("server closes a kept connection at its reuse", lying("reuse"), ["repeated"], form="long",
         **{**UPSTREAM, "metric": "repeated"}),
    Case("server stalls in the middle of a body", lying("stall"), form="long", **UPSTREAM),
]


def plain_answer(connection, head, number):
    """1 KiB; /large is 50 MB, /middle 60 KiB."""
    path = head.split(" ")[1]
    if path.endswith("/large"):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(800):
            connection.send(b"z" * 62_500)
        return True
    if path.endswith("/middle"):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 61440\r\n\r\n" + b"m" * 61_440)
        return True
    connection.body(head)
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n" + b"j" * 1024)
    return True


class Row:
    pass


def counted(gateway, case):
    return {reason: count(gateway, case.metric, reason) for reason in case.reasons}


def sides():
    """The processors of the gateway, its client and its servers, and those of the attackers, who have machines of their
    own in life; the same ones where there is one."""
    all_of_them = sorted(os.sched_getaffinity(0))
    return (set(all_of_them[:-1]) or set(all_of_them)), {all_of_them[-1]}


OURS, THEIRS = sides()


def perform(plant, number, case, arguments):
    """One attack; the row of the table."""
    # What is started inherits where it may run.
    os.sched_setaffinity(0, OURS)
    behind = Servers()
    plant.servers.append(behind)
    changes = proxying(behind.good)
    changes["upstreams"].append({"name": "lies", "url": behind.lying, "in_flight": 0, "response_timeout": "2s",
                                 "hide_errors": False})
    changes["routes"].append({"name": "lies", "path": "/lies", "upstream": "lies", "access": "open"})
    changes["upstreams"][1]["in_flight"] = case.in_flight
    changes["server"] = case.server
    changes.update(case.short if arguments.short else case.settings)
    gateway = plant.gateway(f"g{number}", changes, limits=case.limits)
    row = Row()
    row.load = os.getloadavg()[0]
    calm = Honest(gateway, case.listener)
    time.sleep(0.6 if arguments.short else arguments.seconds / 2)
    calm.stop()
    before = gateway.rss_kib()
    client = Honest(gateway, case.listener)
    os.sched_setaffinity(0, THEIRS)
    attack = Attack(gateway, max(arguments.seconds, case.least))
    peak, isOver = [before], threading.Event()

    def watch():
        while not isOver.wait(0.1):
            if gateway.process.poll() is None:
                peak[0] = max(peak[0], gateway.rss_kib())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    row.problem = ""
    try:
        if case.run is None:
            idle_connections(attack, 1_000 if arguments.short else 10_000)
        else:
            case.run(attack)
            # On a slow machine it takes longer until an attacker has used up what it is allowed.
            patience = time.monotonic() + 20
            while not any(counted(gateway, case).values()) and time.monotonic() < patience:
                attack.until = time.monotonic() + arguments.seconds
                case.run(attack)
    except (AssertionError, OSError) as error:
        row.problem = str(error)
    client.stop()
    isOver.set()
    watcher.join()
    row.case, row.done = case, attack.done
    row.calm, row.p99 = calm.quantile(0.99), client.quantile(0.99)
    row.median_calm, row.median = calm.quantile(0.5), client.quantile(0.5)
    row.requests, row.failures = len(client.times), calm.failures + client.failures
    row.memory = peak[0] - before
    row.counts = {}
    if gateway.process.poll() is None:
        row.counts = counted(gateway, case)
    else:
        row.problem = f"the gateway ended with {gateway.process.returncode}: {gateway.output()[-500:]}"
    gateway.stop()
    behind.close()
    return row


def count(gateway, metric, reason):
    if metric == "limited":
        return int(gateway.count("refusals_total", reason="limit"))
    if metric == "idle":
        return int(gateway.count("server_events", event="idle-timeout"))
    if metric == "upstream":
        return int(gateway.count("upstream_failures", upstream="lies"))
    if metric == "yielded":
        return int(gateway.count("upstream_connections", upstream="back", event=metric))
    if metric in ("early", "repeated"):
        return int(gateway.count("upstream_connections", upstream="lies", event=metric))
    if metric == "http2":
        return int(gateway.count("http2_cut_off", reason=reason))
    return int(gateway.cut(reason))


def judge(row, arguments):
    """What is wrong with a row; empty where all holds."""
    wrong = [row.problem] if row.problem else []
    if row.failures:
        wrong.append(f"{len(row.failures)} honest requests failed: {row.failures[0]}")
    # The short form also runs under sanitizers on busy machines.
    if row.requests < (5 if arguments.short else 20):
        wrong.append(f"only {row.requests} honest requests")
    if not any(row.counts.values()):
        wrong.append(f"nothing was counted under {', '.join(row.case.reasons)}")
    if row.memory > row.case.memory_kib:
        wrong.append(f"{row.memory} KiB more memory than before, {row.case.memory_kib} at most")
    if not arguments.short and row.p99 > 3 * row.calm:
        wrong.append(f"p99 {row.p99:.2f} ms, in calm {row.calm:.2f} ms")
    return wrong


TABLE = """\
| attack | on | honest requests | success | p99 calm → attacked, ms | memory grew by (bound) | attackers' acts | \
cut off, by counter | holds |
|---|---|---|---|---|---|---|---|---|
"""


def table_line(row, wrong):
    success = 100 * (1 - len(row.failures) / max(1, row.requests))
    counts = ", ".join(f"{name} {number}" for name, number in row.counts.items())
    name = row.case.name + (f" ({row.case.note})" if row.case.note else "")
    return (f"| {name} | {row.case.protocol} | {row.requests} | {success:.1f} % | "
            f"{row.calm:.2f} → {row.p99:.2f} | {max(0, row.memory) / 1024:.1f} MiB "
            f"({row.case.memory_kib // 1024}) | {row.done} | {counts} | {'; '.join(wrong) or 'yes'} |")


def page(kept):
    """The page of what was kept of every row's last run."""
    rows = [kept[case.name] for case in CASES if case.form != "short" and case.name in kept]
    missing = [case.name for case in CASES if case.form != "short" and case.name not in kept]
    closing = f"{len(rows)} attacks, {sum(row['requests'] for row in rows)} honest requests, " \
              f"{sum(row['failed'] for row in rows)} failed, {sum(row['wrong'] for row in rows)} rows do not hold."
    loads = [row["load"] for row in rows if "load" in row]
    if loads:
        closing += f" Load of the machine before a row (average of a minute): {min(loads):.1f} to {max(loads):.1f}."
    if missing:
        closing += " Not run: " + ", ".join(missing) + "."
    return PAGE.format(
        cores=os.cpu_count(), machine=f"{platform.machine()}, Linux {platform.release().split('-')[0]}",
        date=time.strftime("%Y-%m-%d"), table=TABLE + "\n".join(row["line"] for row in rows), closing=closing)


PAGE = """\
# Attacks

Written by `make attacks`; do not edit. An attack on one side, a well-behaved client on the other; one gateway with one
event loop for each, on {cores} cores ({machine}), {date}. Limits in time are set to seconds where an attack waits for
them, as the row says; the shipped ones are in [LIMITS.md](LIMITS.md).

Asserted for each row: every honest request succeeds; its p99 stays within three times that of calm; resident memory
grows by no more than the bound in the row; a counter of `/metrics` says what was done to the attacker. The client, the
attackers and the servers behind are Python on the same machine; the attackers have a processor of their own where
there are two, as they have machines of their own in life.

{table}

{closing}

`make test` runs the same table in a short form and asserts all but the p99.
"""


def main():
    if sys.argv[1:2] == ["--honest"]:
        return honest(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    if sys.argv[1:2] == ["--servers"]:
        return servers()
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default="", help="parts of names")
    parser.add_argument("--on", default="", help="HTTP/1.1, HTTP/2, TCP, TLS or upstream")
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--kept", default="")
    parser.add_argument("--write", default="")
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or (2.2 if arguments.short else 6)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    chosen = [case for case in CASES if arguments.on in ("", case.protocol)
              and any(part in case.name for part in arguments.only.split(","))
              and case.form != ("long" if arguments.short else "short")]
    file = Path(arguments.kept)
    kept = json.loads(file.read_text()) if arguments.kept and file.exists() else {}
    rows, failed = [], 0
    with tempfile.TemporaryDirectory(prefix="millgate-attacks-") as directory:
        plant = Plant(program(), directory)
        try:
            for number, case in enumerate(chosen):
                row = perform(plant, number, case, arguments)
                wrong = judge(row, arguments)
                rows.append(row)
                failed += bool(wrong)
                kept[case.name] = {"line": table_line(row, wrong), "requests": row.requests,
                                   "failed": len(row.failures), "wrong": bool(wrong), "load": row.load}
                counts = ", ".join(f"{name} {count}" for name, count in row.counts.items())
                print(f"{'FAIL' if wrong else 'ok  '}  {case.name}: {row.requests} honest, {len(row.failures)} failed,"
                      f" p99 {row.calm:.2f} → {row.p99:.2f} ms, {row.memory / 1024:+.1f} MiB, {row.done} acts;"
                      f" {counts}"
                      + (f"  [{'; '.join(wrong)}]" if wrong else ""), flush=True)
                if arguments.kept:
                    file.write_text(json.dumps(kept))
        finally:
            plant.close()
    closing = f"{len(rows)} attacks, {sum(row.requests for row in rows)} honest requests, " \
              f"{sum(len(row.failures) for row in rows)} failed, {failed} rows do not hold"
    print(closing)
    if arguments.write:
        (REPOSITORY / arguments.write).write_text(page(kept))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
