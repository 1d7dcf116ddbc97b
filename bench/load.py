"""What is done to a gateway: load for a time, an exact number of requests, or connections that only wait."""
import re
import resource
import socket
import ssl
import subprocess
import threading
import time

from keys import HEADERS

SCENARIOS = ["plain", "tls", "policy", "policy-1000-tokens"]


def url(gateway, scenario):
    if scenario == "tls":
        return f"https://127.0.0.1:{gateway.tls}/api/x"
    return f"http://127.0.0.1:{gateway.plain}" + ("/api/x" if scenario == "plain" else "/secure/x")


def status(address, token=None):
    command = ["curl", "-sk", "-o", "/dev/null", "-m", "20", "-w", "%{http_code}", address]
    if token:
        command += ["-H", "Authorization: Bearer " + token]
    return subprocess.run(command, capture_output=True, text=True).stdout


def proves_its_work(gateway, scenario, directory):
    """An empty text when it does what the scenario measures, else what it does instead."""
    address = url(gateway, scenario)
    if scenario in ("plain", "tls"):
        got = status(address)
        return "" if got == "200" else f"answers {got}"
    tokens = [(directory / f"{name}.jwt").read_text() for name in ("forged", "wrongrole", "good")]
    got = [status(address, token) for token in [None, *tokens]]
    if got != ["401", "401", "403", "200"]:
        return f"answers {', '.join(got)} to no token, a forged one, a wrong role, a good one"
    time.sleep(0.3)
    return "" if logged(gateway.log, b"svc-mes-line-2") else "writes no line with the subject"


def logged(place, text):
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    return any(text in file.read_bytes() for file in files if file.is_file())


def run(gateway, scenario, directory, seconds):
    """Load of wrk over 64 connections. Returns how many requests were answered with success, and how many not."""
    command = ["wrk", "-t1", "-c64", f"-d{max(1, round(seconds))}s"]
    if scenario == "policy-1000-tokens":
        command += ["-s", str(directory / "tokens.lua")]
    else:
        for field in HEADERS:
            command += ["-H", field]
        if scenario == "policy":
            command += ["-H", "Authorization: Bearer " + (directory / "good.jwt").read_text()]
    output = subprocess.run([*command, url(gateway, scenario)], capture_output=True, text=True).stdout
    total = re.search(r"(\d+) requests in", output)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    bad = int(failed[1]) if failed else 0
    dropped = sum(map(int, errors.groups())) if errors else 0
    return (int(total[1]) if total else 0) - bad, bad + dropped


def exactly(gateway, scenario, directory, count, connections=8):
    """Sends exactly `count` requests, in turn over keepalive connections, and checks each answer."""
    tokens = [""]
    if scenario.startswith("policy"):
        tokens = [(directory / "good.jwt").read_text()]
    if scenario == "policy-1000-tokens":
        tokens = (directory / "tokens.txt").read_text().split()
    path = "/api/x" if scenario in ("plain", "tls") else "/secure/x"
    port = gateway.tls if scenario == "tls" else gateway.plain
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n" + "".join(f"{field}\r\n" for field in HEADERS)
    requests = [(head + (f"Authorization: Bearer {t}\r\n" if t else "") + "\r\n").encode() for t in tokens]
    context = ssl._create_unverified_context()
    sockets = []
    try:
        for _ in range(connections):
            s = socket.create_connection(("127.0.0.1", port), 60)
            sockets.append(context.wrap_socket(s) if scenario == "tls" else s)
        for i in range(count):
            s = sockets[i % connections]
            s.sendall(requests[i % len(requests)])
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += receive(s)
            front, _, body = answer.partition(b"\r\n\r\n")
            if not front.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(front.split(b"\r\n")[0].decode())
            length = re.search(rb"(?i)content-length: *(\d+)", front)
            if length:
                missing = int(length[1]) - len(body)
                while missing > 0:
                    missing -= len(receive(s))
            else:
                while not body.endswith(b"0\r\n\r\n"):
                    body += receive(s)
    finally:
        for s in sockets:
            s.close()


def receive(s):
    data = s.recv(65536)
    if not data:
        raise RuntimeError("the connection was closed")
    return data


def hold_idle(gateway, count, measure):
    """Opens `count` connections, sends one request on each, and calls `measure` while they only wait."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    request = (f"GET /api/x HTTP/1.1\r\nHost: 127.0.0.1:{gateway.plain}\r\n" + "\r\n".join(HEADERS) + "\r\n\r\n")
    sockets = []
    try:
        for first in range(0, count, 64):
            batch = [socket.create_connection(("127.0.0.1", gateway.plain), 30) for _ in range(min(64, count - first))]
            for s in batch:
                s.sendall(request.encode())
            for s in batch:
                if not receive(s).startswith(b"HTTP/1.1 200"):
                    raise RuntimeError("no 200 on an idle connection")
            sockets += batch
        time.sleep(1)
        return measure()
    finally:
        for s in sockets:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class LogSink:
    """Takes HAProxy's log lines from a datagram socket and appends them to a file, as a syslog would."""

    def __init__(self, address, file):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(address))
        address.chmod(0o666)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.file = open(file, "wb", buffering=0)
        self.isOpen = True
        threading.Thread(target=self.copy, daemon=True).start()

    def copy(self):
        kept = 0
        while self.isOpen:
            line = self.socket.recv(65536)
            # Enough to prove the work; a disk full of lines proves no more.
            if kept < 1 << 20:
                self.file.write(line + b"\n")
                kept += len(line)

    def close(self):
        self.isOpen = False
        self.socket.close()
        self.file.close()
