"""A plant to test in: a gateway of its own in a fresh directory, and the clients and servers around it.

Standard library only. Each check is a function whose name begins with `check_`; `run` gives it a Plant, prints one
line for each (`ok`, `FAIL` or `skip`, the name, the reason) and ends with status 1 where one failed.
"""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# What a program that was built with a sanitizer is told, handed on where the environment is not.
SANITIZERS = {name: os.environ[name] for name in ("ASAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ}


class Skip(Exception):
    """What this machine cannot show, and why."""


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what + ': ' if what else ''}{got!r} is not {wanted!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def wait(seconds, condition, what):
    """Polls until `condition` gives something true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def bind(s, source):
    """The address that a socket will connect from; its port is chosen when it connects.

    A port chosen now would be no other connection's for as long as the kernel remembers this one, and a flood of them
    would leave none to anybody.
    """
    s.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT of linux/in.h
    s.bind((source, 0))


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def field(self, name):
        found = [value for known, value in self.fields if known.lower() == name.lower()]
        return found[0] if found else None

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def parse_answer(data):
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
    return Answer(int(lines[0].split(" ")[1]), fields, body)


def read_all(s, seconds=10):
    """What comes until the other side closes, or until `seconds` have passed."""
    end, data = time.monotonic() + seconds, b""
    while time.monotonic() < end:
        s.settimeout(max(0.01, end - time.monotonic()))
        try:
            part = s.recv(65536)
        except (TimeoutError, ssl.SSLError):
            break
        except OSError:
            return data
        if not part:
            return data
        data += part
    raise AssertionError(f"the connection stayed open for {seconds} s; it said {data[:200]!r}")


class Server:
    """A scripted server: `answer(connection, head, number)` is called with each request's head; it answers on the
    socket, reads a body itself, and returns False to close. All bytes that came are kept in `received`."""

    def __init__(self, answer=None, address="127.0.0.1", port=0):
        self.answer = answer or respond_ok
        self.received, self.heads, self.connections = [], [], []
        # For TLS: an `ssl.SSLContext`.
        self.context = None
        self.lock = threading.Lock()
        self.listener = socket.create_server((address, port), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://{address}:{self.port}"
        self.isOpen = True
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.isOpen:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections.append(s)
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            if self.context:
                s = self.context.wrap_socket(s, server_side=True)
            connection = ServerConnection(s, self)
            while True:
                head = connection.head()
                if head is None:
                    break
                with self.lock:
                    self.heads.append(head)
                    number = len(self.heads)
                if self.answer(connection, head, number) is False:
                    break
        except OSError:
            pass
        finally:
            s.close()
            with self.lock:
                if s in self.connections:
                    self.connections.remove(s)

    def text(self):
        with self.lock:
            return b"".join(self.received)

    def close(self):
        self.isOpen = False
        # A thread that waits in accept() would keep the port.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self.lock:
            for s in self.connections:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class ServerConnection:
    def __init__(self, s, server):
        self.socket, self.server, self.rest = s, server, b""

    def receive(self, count=65536):
        data = self.socket.recv(count)
        with self.server.lock:
            self.server.received.append(data)
        return data

    def more(self):
        data = self.receive()
        if not data:
            raise OSError("it ended in the middle")
        return data

    def head(self):
        while b"\r\n\r\n" not in self.rest:
            part = self.receive()
            if not part:
                return None
            self.rest += part
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return head.decode("latin-1")

    def body(self, head):
        """The request's body; chunked ones with their frames taken away."""
        length = re.search(r"(?im)^content-length: *(\d+)", head)
        if length:
            while len(self.rest) < int(length[1]):
                self.rest += self.more()
            body, self.rest = self.rest[:int(length[1])], self.rest[int(length[1]):]
            return body
        if not re.search(r"(?im)^transfer-encoding: *chunked", head):
            return b""
        body = b""
        while True:
            size = int(self.line(), 16)
            while len(self.rest) < size + 2:
                self.rest += self.more()
            body, self.rest = body + self.rest[:size], self.rest[size + 2:]
            if size == 0:
                return body

    def line(self):
        while b"\r\n" not in self.rest:
            self.rest += self.more()
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))


def respond_ok(connection, head, number):
    """200 with the head that came as body, so that a client sees what reached the server."""
    connection.body(head)
    body = head.encode("latin-1")
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def merge(base, changes):
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
    return base


class Gateway:
    """One run of `millgate serve`."""

    def __init__(self, plant, name, directory, settings, environment=None, before=(), limits=None):
        self.plant, self.name, self.directory, self.settings = plant, name, directory, settings
        self.environment, self.before, self.limits = environment or {}, list(before), limits
        self.process, self.ports = None, {}

    def write(self):
        # JSON is YAML, but for durations and sizes, which stand without quotes.
        text = re.sub(r'"(\d+(?:ms|s|m|h|d|KiB|MiB))"', r"\1", json.dumps(self.settings, indent=1))
        (self.directory / "millgate.yaml").write_text(text)

    def start(self, seconds=60):
        self.write()
        addresses = self.directory / "addresses.json"
        addresses.unlink(missing_ok=True)
        command = [*self.before, str(self.plant.millgate), "serve", "--config", "millgate.yaml",
                   "--address-file", "addresses.json"]
        output = open(self.directory / "output", "ab")
        self.process = subprocess.Popen(command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=output,
                                        stderr=output, env={**os.environ, **self.environment},
                                        preexec_fn=self.limits)
        output.close()
        end = time.monotonic() + seconds
        while not addresses.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{self.name} did not start:\n{self.output()[-2000:]}")
            time.sleep(0.01)
        known = json.loads(addresses.read_text())
        self.ports = {name: place["port"] for name, place in known.items()}
        return self

    def output(self):
        return (self.directory / "output").read_text(errors="replace")

    def stop(self, seconds=20):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()

    # What the kernel and the gateway say of it.

    def rss_kib(self):
        """Resident memory; 0 under a sanitizer, which keeps what was freed and much of its own beside it."""
        if SANITIZERS:
            return 0
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def metrics(self):
        """Each sample of /metrics by its name with labels."""
        answer = self.admin("/metrics")
        found = {}
        for line in answer.body.decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def count(self, name, **labels):
        """The sum of a metric's samples that carry these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(value for sample, value in self.metrics().items()
                   if re.fullmatch(r"(millgate_)?" + name, sample.partition("{")[0])
                   and all(label in sample for label in wanted))

    def cut(self, reason):
        return self.count("connections_cut", reason=reason)

    def admin(self, path):
        return self.request("GET", path, listener="admin")

    # Clients.

    def connect(self, listener="plain", source=None, seconds=20, tls=None, receive_buffer=None):
        s = socket.socket()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            bind(s, source)
        s.settimeout(seconds)
        s.connect(("127.0.0.1", self.ports[listener]))
        if listener == "tls":
            s = (tls or self.plant.client_context()).wrap_socket(s, server_hostname="localhost")
        return s

    def exchange(self, data, listener="plain", seconds=10, source=None):
        """Sends bytes and reads until the gateway closes."""
        with self.connect(listener, source=source) as s:
            try:
                s.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
            except OSError:
                pass
            return read_all(s, seconds)

    def request(self, method, path, body=None, token=None, fields=None, listener="plain", seconds=60, source=None):
        """One request on a connection of its own."""
        if listener == "tls":
            connection = http.client.HTTPSConnection(
                "localhost", self.ports[listener], timeout=seconds, context=self.plant.client_context())
        else:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.ports[listener], timeout=seconds)
            if source:
                connection.sock = self.connect(listener, source, seconds)
        headers = dict(fields or {})
        if token:
            headers["Authorization"] = "Bearer " + self.plant.token(token)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def curl(self, *arguments, url):
        return subprocess.run(["curl", "-sS", "-m", "60", *arguments, url], cwd=self.directory, capture_output=True,
                              text=True)


class Sandbox:
    """`millgate sandbox`, and what is in it. With `keeps` it comes back from `restart` as a database does."""

    def __init__(self, plant, odoo, keeps=False, arguments=()):
        self.command = [str(plant.millgate), "sandbox", "--odoo", str(odoo), "--port", "0", *map(str, arguments)]
        if keeps:
            self.command += ["--state", str(plant.directory / f"odoo-{len(plant.servers)}.state")]
        self.key = plant.directory / "odoo.key"
        self.key.write_text("sandbox-key")
        self.key.chmod(0o600)
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.strip().rpartition(":")[2])

    def restart(self):
        """`kill -9`, and another start on another port; faults that were waiting wait still."""
        waiting = self.ask("GET", "/sandbox/faults")
        self.close()
        self.start()
        if waiting:
            self.ask("POST", "/sandbox/faults", waiting)

    def call(self, model, method, *arguments, **named):
        """A call of Odoo's own interface, as its administrator."""
        answer = self.ask("POST", "/jsonrpc", {
            "jsonrpc": "2.0", "id": 1, "method": "call", "params": {
                "service": "object", "method": "execute_kw",
                "args": ["millgate", 2, "admin", model, method, list(arguments), named]}})
        if "error" in answer:
            raise AssertionError(f"{model}.{method}: {answer['error']['data']['message']}")
        return answer.get("result")

    def create(self, model, **values):
        return self.call(model, "create", values)

    def records(self, model, domain=(), fields=("id",)):
        return self.call(model, "search_read", list(map(list, domain)), fields=list(fields))

    def settings(self, port=None):
        """The `odoo` part of the settings; `port` is something in between."""
        return {"sandbox": None, "url": f"http://127.0.0.1:{port or self.port}", "database": "millgate", "login": "mes",
                "key": {"file": str(self.key)}, "companies": [1], "in_flight": 4}

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=json.dumps(body) if body is not None else None,
                               headers={"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read() or b"null")
        finally:
            connection.close()

    def state(self):
        return self.ask("GET", "/sandbox/state")

    def fault(self, **fault):
        return self.ask("POST", "/sandbox/faults", fault)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Plant:
    def __init__(self, millgate, directory):
        self.millgate, self.directory = millgate, Path(directory)
        self.gateways, self.servers, self.tokens = [], [], {}
        made = subprocess.run([self.millgate, "keys", "dev", "--out", "certs/dev"], cwd=directory,
                              capture_output=True, text=True)
        if made.returncode != 0:
            raise AssertionError(made.stderr)

    def file(self, name):
        return str(self.directory / "certs" / "dev" / name)

    def token(self, name):
        """A demo token by role, or any other text as it stands."""
        if name not in self.tokens:
            known = Path(self.file(f"tokens/{name}.jwt")) if len(name) < 40 else None
            self.tokens[name] = known.read_text().strip() if known and known.exists() else name
        return self.tokens[name]

    def client_context(self, certificate=None):
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        if certificate:
            context.load_cert_chain(self.file(certificate + ".pem"), self.file(certificate + ".key"))
        return context

    def server(self, answer=None, port=0):
        server = Server(answer, port=port)
        self.servers.append(server)
        return server

    def gateway(self, name="gateway", changes=None, start=True, environment=None, before=(), limits=None):
        """A gateway in a directory of its own. `changes` are merged into the settings."""
        directory = self.directory / name
        directory.mkdir()
        shutil.copytree(REPOSITORY / "policies", directory / "policies")
        settings = {
            "name": "millgate", "reactors": 1, "state": "var", "policies": "policies", "drain_timeout": "2s",
            "listeners": [
                {"name": "plain", "address": "127.0.0.1:0"},
                {"name": "tls", "address": "127.0.0.1:0", "tls": {
                    "certificates": [{"certificate": self.file("server.pem"), "key": self.file("server.key")}],
                    "client_certificates": "optional", "client_authorities": self.file("ca.pem")}}],
            "admin": {"address": "127.0.0.1:0"},
            "identity": {"issuers": [{
                "issuer": "https://id.millgate.example", "audiences": ["millgate"],
                "algorithms": ["RS256", "ES256", "HS256"],
                "keys": [self.file("jwks.json"), self.file("hmac.jwk")]}]},
            "odoo": {"sandbox": 19, "companies": [1], "in_flight": 4},
            "sites": [{"name": "plant-1", "warehouse": "WH", "work_centers": ["ASSEMBLY-1", "DRILL-1"],
                       "hold_location": "WH/Hold"},
                      {"name": "plant-2", "warehouse": "WH2", "work_centers": ["ASSEMBLY-2", "DRILL-2"],
                       "hold_location": "WH2/Hold"}],
            "upstreams": [{"name": "odoo", "url": "odoo", "health_path": "/web/health"}],
            "routes": [{"name": "odoo-web", "path": "/", "upstream": "odoo", "access": "token"},
                       {"name": "odoo-websocket", "path": "/websocket", "upstream": "odoo", "access": "token",
                        "operation": "proxy.odoo-web", "websocket": True},
                       {"name": "odoo-database", "path": "/web/database", "upstream": "odoo", "access": "token"},
                       {"name": "odoo-rpc", "paths": ["/jsonrpc", "/xmlrpc", "/json"], "upstream": "odoo",
                        "access": "token"}],
            "server": {"connections_per_address": 0, "connection_rate_per_address": 0},
            "audit": {"key": {"file": self.file("audit.key")}},
            "log": {"level": "info", "access": "off"}}
        merge(settings, changes or {})
        gateway = Gateway(self, name, directory, settings, environment, before, limits)
        self.gateways.append(gateway)
        return gateway.start() if start else gateway

    def sandbox(self, odoo=19, keeps=False, arguments=()):
        """The built-in Odoo in a process of its own, so that it outlives a gateway."""
        sandbox = Sandbox(self, odoo, keeps, arguments)
        self.servers.append(sandbox)
        return sandbox

    def run(self, *arguments, cwd=None):
        return subprocess.run([str(self.millgate), *map(str, arguments)], cwd=cwd or self.directory,
                              capture_output=True, text=True)

    def close(self):
        for gateway in self.gateways:
            gateway.stop()
        for server in self.servers:
            server.close()


def proxying(server, **route):
    """Settings for a gateway whose /open leads to `server`, or its URL, and asks nobody who they are."""
    return {
        "upstreams": [{"name": "odoo", "url": "odoo"},
                      {"name": "back", "url": getattr(server, "url", server), "in_flight": 0, "hide_errors": False}],
        "routes": [{"name": "odoo-web", "path": "/", "upstream": "odoo"},
                   {"name": "odoo-database", "path": "/web/database", "upstream": "odoo"},
                   {"name": "odoo-rpc", "paths": ["/jsonrpc", "/xmlrpc", "/json"], "upstream": "odoo"},
                   {"name": "open", "path": "/open", "upstream": "back", "access": "open", **route}]}


def metric_names(gateway):
    return {sample.partition("{")[0] for sample in gateway.metrics()}


def program():
    """The binary to test: MILLGATE, else the release build, else the debug build."""
    named = os.environ.get("MILLGATE")
    for path in [named] if named else [REPOSITORY / ".build" / kind / "millgate" for kind in ("release", "debug")]:
        if path and Path(path).exists():
            return Path(path).resolve()
    sys.exit("no millgate: build it, or name it in MILLGATE")


def play(name, run, arguments):
    """Ends the program by whether `run(plant, arguments)`, which prints what it found, is good."""
    with tempfile.TemporaryDirectory(prefix=f"millgate-{name}-") as directory:
        plant = Plant(program(), directory)
        try:
            good = run(plant, arguments).isGood
        finally:
            plant.close()
    sys.exit(0 if good else 1)


def run(checks, selected=()):
    """Runs `check_…` functions one after the other, each with a fresh Plant in one shared set of keys."""
    millgate, failed = program(), 0
    with tempfile.TemporaryDirectory(prefix="millgate-plant-") as directory:
        for check in checks:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            if selected and check.__name__ not in selected:
                continue
            home = Path(directory) / check.__name__
            home.mkdir()
            plant = None
            try:
                plant = Plant(millgate, home)
                check(plant)
                print(f"ok    {name}", flush=True)
            except Skip as reason:
                print(f"skip  {name}: {reason}", flush=True)
            except Exception as error:
                failed += 1
                place = traceback.extract_tb(error.__traceback__)
                line = next((f.lineno for f in reversed(place) if f.filename.endswith(".py")
                             and not f.filename.endswith("plant.py")), 0)
                text = str(error).replace("\n", " ⏎ ") or type(error).__name__
                print(f"FAIL  {name}: line {line}: {type(error).__name__}: {text[:1500]}", flush=True)
                if os.environ.get("PLANT_VERBOSE"):
                    traceback.print_exc()
                    for gateway in plant.gateways if plant else []:
                        print(gateway.output()[-3000:])
            finally:
                if plant:
                    plant.close()
    return 1 if failed else 0


def main(namespace):
    """Runs the checks of a module: all, or those named on the command line."""
    checks = [value for name, value in namespace.items() if name.startswith("check_")]
    sys.exit(run(checks, sys.argv[1:]))
