"""What is done to a gateway: load for a time, an exact number of requests, or connections that only wait."""
import re
import resource
import socket
import ssl
import subprocess
import threading
import time

from keys import HEADERS

SCENARIOS = ["plain", "tls", "h2", "policy", "policy-1000-tokens", "policy-new-tokens", "download", "upload",
             "handshake"]
MEBIBYTE = 1 << 20


def url(gateway, scenario):
    if scenario in ("tls", "h2", "handshake"):
        return f"https://127.0.0.1:{gateway.tls}/api/x"
    if scenario.startswith("policy"):
        return f"http://127.0.0.1:{gateway.secure}/secure/x"
    path = {"download": "/big/mebibyte", "upload": "/upload/x"}.get(scenario, "/api/x")
    return f"http://127.0.0.1:{gateway.plain}{path}"


def ask(address, *arguments, show="%{http_code}", token=None):
    """What curl says of one request."""
    command = ["curl", "-sk", "-o", "/dev/null", "-m", "20", "-w", show, *arguments, address]
    if token:
        command += ["-H", "Authorization: Bearer " + token]
    return subprocess.run(command, capture_output=True, text=True).stdout


def proves_its_work(gateway, scenario, directory):
    """An empty text when it does what the scenario measures, else what it does instead."""
    address = url(gateway, scenario)
    if not scenario.startswith("policy"):
        show, wanted, arguments = "%{http_code}", "200", []
        if scenario == "h2":
            show, wanted, arguments = "%{http_code} %{http_version}", "200 2", ["--http2"]
        if scenario == "download":
            show, wanted = "%{http_code} %{size_download}", f"200 {MEBIBYTE}"
        if scenario == "upload":
            show, wanted = "%{http_code} %{size_upload}", f"200 {MEBIBYTE}"
            arguments = ["-H", "Expect:", "--data-binary", f"@{directory}/www/big/mebibyte"]
        got = ask(address, *arguments, show=show)
        return "" if got == wanted else f"answers {got} where {wanted} is due"
    tokens = [(directory / f"{name}.jwt").read_text() for name in ("forged", "wrongrole", "good")]
    got = [ask(address, token=token) for token in [None, *tokens]]
    if got != ["401", "401", "403", "200"]:
        return f"answers {', '.join(got)} to no token, a forged one, a wrong role, a good one"
    # Envoy writes its log every ten seconds.
    end = time.monotonic() + 12
    while not logged(gateway.log, b"svc-mes-line-2") and time.monotonic() < end:
        time.sleep(0.1)
    return "" if logged(gateway.log, b"svc-mes-line-2") else "writes no line with the subject"


def logged(place, text):
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    return any(text in file.read_bytes() for file in files if file.is_file())


def run(gateway, scenario, directory, seconds):
    """Load of wrk over 64 connections, 16 for large bodies; of h2load; or of `openssl s_time` for handshakes. Returns
    how many requests were answered with success, and how many not."""
    if scenario == "h2":
        return run_h2(gateway, seconds)
    if scenario == "handshake":
        return run_handshakes(gateway, seconds)
    connections = 16 if scenario in ("download", "upload") else 64
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    scripts = {"policy-1000-tokens": "tokens.lua", "policy-new-tokens": "new-tokens.lua", "upload": "upload.lua"}
    if scenario in scripts:
        command += ["-s", str(directory / scripts[scenario])]
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


def run_h2(gateway, seconds):
    """100 streams on each of 10 connections. h2load counts requests, not seconds: as many as take about so long."""
    command = ["h2load", "-n", str(int(max(1, seconds) * 40_000)), "-c", "10", "-m", "100"]
    for field in HEADERS:
        command += ["-H", field]
    output = subprocess.run([*command, url(gateway, "h2")], capture_output=True, text=True, timeout=120).stdout
    found = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", output)
    other = sum(map(int, re.findall(r"(\d+) [345]xx", output)))
    return (int(found[1]) - other, int(found[2]) + int(found[3]) + other) if found else (0, 1)


def run_handshakes(gateway, seconds):
    """Full handshakes of TLS 1.3, one after the other: no session is offered again."""
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{gateway.tls}", "-new", "-tls1_3", "-time",
               str(max(1, round(seconds)))]
    output = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    found = re.search(r"(\d+) connections in \d+ real seconds", output)
    return (int(found[1]), 0) if found else (0, 1)


def exactly(gateway, scenario, directory, count, connections=8):
    """Sends exactly `count` requests, in turn over keepalive connections, and checks each answer."""
    tokens = [""]
    if scenario.startswith("policy"):
        tokens = [(directory / "good.jwt").read_text()]
    if scenario == "policy-1000-tokens":
        tokens = (directory / "tokens.txt").read_text().split()
    path = "/secure/x" if scenario.startswith("policy") else "/api/x"
    port = gateway.tls if scenario == "tls" else gateway.secure if scenario.startswith("policy") else gateway.plain
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


def hold_idle(gateway, count, measure, tls=False):
    """Opens `count` connections, sends one request on each, and calls `measure` while they only wait."""
    port = gateway.tls if tls else gateway.plain
    context = ssl._create_unverified_context()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    request = (f"GET /api/x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n" + "\r\n".join(HEADERS) + "\r\n\r\n")
    sockets = []
    try:
        for first in range(0, count, 64):
            batch = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(min(64, count - first))]
            if tls:
                batch = [context.wrap_socket(s) for s in batch]
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
