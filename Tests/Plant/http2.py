"""HTTP/2 through the whole gateway: curl, nghttp and h2load as clients, and our own frames where they do not reach."""
import base64
import hashlib
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import time

from plant import Skip, equal, holds, main, proxying, wait

WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def curl(gateway, path, *arguments, listener="tls", seconds=60):
    """Body, and what `-w` says: version, status, downloaded bytes."""
    scheme, kind = ("https", "--http2") if listener == "tls" else ("http", "--http2-prior-knowledge")
    done = subprocess.run(["curl", "-sk", kind, "--max-time", str(seconds), "-w", "\n%{http_version} %{http_code}",
                           f"{scheme}://127.0.0.1:{gateway.ports[listener]}{path}", *arguments],
                          capture_output=True, timeout=seconds + 10)
    body, _, said = done.stdout.rpartition(b"\n")
    version, status = said.decode().split(" ")
    return body, version, int(status)


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Skip(f"no {name} on this machine")
    return found


class Client:
    """Frames by hand (RFC 9113), and fields as literals without compression (RFC 7541 §6.2.2)."""

    def __init__(self, gateway, listener="plain", window=None, settings=b"", receive_buffer=None):
        self.socket = gateway.connect(listener if listener != "tls" else "plain", receive_buffer=receive_buffer)
        if listener == "tls":
            self.socket.close()
            context = ssl.create_default_context(cafile=gateway.plant.file("ca.pem"))
            context.set_alpn_protocols(["h2"])
            plain = socket.create_connection(("127.0.0.1", gateway.ports["tls"]), 20)
            self.socket = context.wrap_socket(plain, server_hostname="localhost")
            equal(self.socket.selected_alpn_protocol(), "h2")
        if window is not None:
            settings += struct.pack(">HI", 4, window)
        self.rest, self.seen = b"", []
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(4, 0, 0, settings) + self.frame(4, 1, 0))

    @staticmethod
    def frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    @staticmethod
    def block(fields):
        def text(value):
            value = value.encode("latin-1")
            assert len(value) < 127
            return bytes([len(value)]) + value
        return b"".join(b"\0" + text(name) + text(value) for name, value in fields)

    def send(self, data):
        self.socket.sendall(data)

    def request(self, stream, path, method="GET", more=(), end=True):
        fields = [(":method", method), (":scheme", "http"), (":authority", "gateway"), (":path", path), *more]
        self.send(self.frame(1, 4 | end, stream, self.block(fields)))

    def next(self, seconds=10):
        """The next frame: kind, flags, stream, payload; None at the end."""
        self.socket.settimeout(seconds)
        while True:
            if len(self.rest) >= 9:
                length = int.from_bytes(self.rest[:3], "big")
                if len(self.rest) >= 9 + length:
                    head, payload, self.rest = self.rest[:9], self.rest[9:9 + length], self.rest[9 + length:]
                    frame = (head[3], head[4], int.from_bytes(head[5:], "big") & 0x7fffffff, payload)
                    self.seen.append(frame)
                    return frame
            try:
                part = self.socket.recv(65_536)
            except (ConnectionError, ssl.SSLError):
                return None
            if not part:
                return None
            self.rest += part

    def until(self, wanted, what, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            frame = self.next(max(0.1, end - time.monotonic()))
            holds(frame is not None, f"the connection ended before {what}: {self.seen[-3:]}")
            if wanted(*frame):
                return frame
        raise AssertionError(f"not within {seconds} s: {what}")

    def close(self):
        self.socket.close()


def check_both_listeners_speak_it_and_say_so_in_logs_and_metrics(plant):
    back = plant.server()
    gateway = plant.gateway(changes={**proxying(back), "log": {"access": "access.log"}})
    for listener in ["plain", "tls"]:
        body, version, status = curl(gateway, "/open/a?b=c", "-H", "cookie: a=1", listener=listener)
        equal((version, status), ("2", 200))
        holds(b"GET /open/a?b=c HTTP/1.1\r\n" in body, body)
        holds(b"Via: 2.0 millgate" in body and b"cookie: a=1" in body, body)
    gateway.request("GET", "/open/old")
    equal(gateway.count("client_requests", protocol="HTTP/2"), 2)
    wait(5, lambda: (gateway.directory / "access.log").read_text().count("HTTP/2") == 2, "two lines of the access log")
    holds("HTTP/1 200" in (gateway.directory / "access.log").read_text(), "the line of HTTP/1.1")


def check_a_governed_call_is_the_same_in_both_protocols(plant):
    gateway = plant.gateway()
    token = ["-H", f"Authorization: Bearer {plant.token('mes')}"]
    for listener in ["plain", "tls"]:
        body, version, status = curl(gateway, "/v1/work-centers?site=plant-1", *token, listener=listener)
        equal((version, status), ("2", 200), body)
        equal(body, gateway.request("GET", "/v1/work-centers?site=plant-1", token=plant.token("mes")).body)
        body, version, status = curl(gateway, "/v1/work-centers", listener=listener)
        equal((version, status), ("2", 401), body)
    wait(5, lambda: any(b'"protocol":"HTTP/2"' in file.read_bytes()
                        for file in gateway.directory.rglob("*") if file.is_file()), "an audit entry with the protocol")


def check_large_bodies_go_both_ways_however_slow_either_side_is(plant):
    size = 6_000_000

    def answer(connection, head, number):
        digest, slow = hashlib.sha256(), "x-slow" in head.lower()
        length = re.search(r"(?im)^content-length: *(\d+)", head)
        left = int(length[1]) if length else 0
        while left > 0:
            part = connection.rest or connection.socket.recv(65_536)
            connection.rest = b""
            digest.update(part)
            left -= len(part)
            if slow:
                time.sleep(0.002)
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nX-Digest: {digest.hexdigest()}\r\n\r\n")
        connection.send(bytes(range(250)) * (size // 250))

    gateway = plant.gateway(changes=proxying(plant.server(answer)))
    data = os.urandom(size)
    (gateway.directory / "data").write_bytes(data)
    before = gateway.rss_kib()
    for more in [[], ["-H", "X-Slow: 1"], ["--limit-rate", "12M"]]:
        for listener in ["plain", "tls"]:
            body, version, status = curl(gateway, "/open/up", "--data-binary", f"@{gateway.directory / 'data'}",
                                         "-D", "-", *more, listener=listener)
            equal((version, status), ("2", 200))
            head, _, body = body.partition(b"\r\n\r\n")
            holds(f"x-digest: {hashlib.sha256(data).hexdigest()}".encode() in head, f"{more}: {head}")
            equal(body, bytes(range(250)) * (size // 250), "the answer")
    holds(gateway.rss_kib() - before < 30_000, f"{gateway.rss_kib() - before} KiB more")


def check_a_reader_that_stops_holds_its_server_and_is_cut_off(plant):
    sent = []

    def answer(connection, head, number):
        if "/big" not in head:
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            return True
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(1_000):
            connection.send(b"x" * 100_000)
            sent.append(100_000)

    gateway = plant.gateway(changes={**proxying(plant.server(answer)), "server": {"send_timeout": "1s"}})
    client = Client(gateway, window=0)
    client.request(1, "/open/big")
    client.until(lambda kind, flags, stream, payload: kind == 1 and stream == 1, "a head")
    # Others of the same connection are served meanwhile: here one without a body.
    client.request(3, "/open/small", method="HEAD")
    client.until(lambda kind, flags, stream, payload: kind == 1 and stream == 3 and flags & 1, "an answer to HEAD")
    client.until(lambda kind, flags, stream, payload: kind == 3 and stream == 1, "RST_STREAM", seconds=15)
    holds(sum(sent) < 8_000_000, f"{sum(sent)} bytes were taken from the server")
    equal(gateway.count("http2_cut_off", reason="response-stalled"), 1)
    client.close()


def check_heads_without_bodies_hints_trailers_and_early_answers(plant):
    def answer(connection, head, number):
        target = head.split(" ")[1]
        if target == "/open/hints":
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        elif target == "/open/trailers":
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                            "2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n")
        elif target == "/open/early":
            connection.send("HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            return False
        else:
            body = "" if head.startswith("HEAD") else "content"
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + body)

    gateway = plant.gateway(changes=proxying(plant.server(answer)))
    body, version, status = curl(gateway, "/open/x", "-I")
    equal((version, status), ("2", 200))
    holds(b"content-length: 7\r\n" in body and b"content\n" not in body, body)
    nghttp = tool("nghttp")
    seen = subprocess.run([nghttp, "-v", "-n", f"https://127.0.0.1:{gateway.ports['tls']}/open/hints"],
                          capture_output=True, text=True, timeout=30).stdout
    holds(":status: 103" in seen and "link: </a.css>" in seen and ":status: 200" in seen, seen)
    seen = subprocess.run([nghttp, "-v", f"https://127.0.0.1:{gateway.ports['tls']}/open/trailers"],
                          capture_output=True, text=True, timeout=30).stdout
    holds("x-sum: 42" in seen and seen.index(":status: 200") < seen.index("x-sum: 42"), seen)
    # Over HTTP/1.1 neither shows.
    answer = gateway.request("GET", "/open/hints")
    equal((answer.status, answer.body), (200, b"hi"))
    # An answer before the request has ended: it is whole, and the rest of the body is not wanted. (RFC 9113 §8.1)
    client = Client(gateway)
    client.request(1, "/open/early", method="POST", end=False)
    client.send(client.frame(0, 0, 1, b"part"))
    client.until(lambda kind, flags, stream, payload: kind == 0 and flags & 1 and payload == b"no", "the answer")
    reset = client.until(lambda kind, flags, stream, payload: kind == 3, "RST_STREAM")
    equal(reset[3], b"\0\0\0\0", "NO_ERROR")
    client.send(client.frame(0, 1, 1, b"the rest"))
    client.request(3, "/open/x")
    client.until(lambda kind, flags, stream, payload: kind == 0 and stream == 3 and payload == b"content", "the next")
    # CONNECT is refused.
    client.send(client.frame(1, 5, 5, client.block([(":method", "CONNECT"), (":authority", "a:443")])))
    client.until(lambda kind, flags, stream, payload: kind == 1 and stream == 5, "an answer to CONNECT")
    client.close()


def check_a_websocket_over_one_stream(plant):
    wrong = []

    def upgrade(connection, head, number):
        key = re.search(r"(?im)^sec-websocket-key: *(\S+)", head)[1]
        accept = base64.b64encode(hashlib.sha1((key + WEBSOCKET).encode()).digest())
        if wrong:
            accept = accept[::-1]
        holds("upgrade: websocket" in head.lower() and head.startswith("GET "), head)
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\nhello")
        while data := (connection.rest or connection.receive()):
            connection.rest = b""
            connection.send(data)
        return False

    gateway = plant.gateway(changes=proxying(plant.server(upgrade), websocket=True))
    ask = [(":protocol", "websocket"), ("sec-websocket-version", "13")]

    def opened(client, stream):
        fields = [(":method", "CONNECT"), (":scheme", "https"), (":authority", "gateway"), (":path", "/open/ws")] + ask
        client.send(client.frame(1, 4, stream, client.block(fields)))

    for listener in ["plain", "tls"]:
        client = Client(gateway, listener, window=1_000_000)
        client.send(client.frame(8, 0, 0, struct.pack(">I", 1_000_000)))
        opened(client, 1)
        got, message = b"", bytes(range(200)) * 1_000
        head = client.until(lambda kind, flags, stream, payload: kind == 1, "a head")
        holds(not head[1] & 1, "the stream ended")
        for i in range(0, len(message), 16_000):
            client.send(client.frame(0, 0, 1, message[i:i + 16_000]))
        while len(got) < len(message) + 5:
            got += client.until(lambda kind, flags, stream, payload: kind == 0, "DATA")[3]
        equal(got, b"hello" + message)
        # Other streams go on beside it.
        client.request(3, "/v1/none")
        client.until(lambda kind, flags, stream, payload: kind == 1 and stream == 3, "an answer beside the WebSocket")
        client.send(client.frame(0, 1, 1))
        client.until(lambda kind, flags, stream, payload: stream == 1 and kind == 0 and flags & 1, "the end")
        client.close()
    # A server that does not understand the handshake gets no stream.
    wrong.append(True)
    client = Client(gateway)
    opened(client, 1)
    reset = client.until(lambda kind, flags, stream, payload: kind in (1, 3) and stream == 1, "a refusal")
    holds(reset[0] == 3, f"{reset}")
    client.close()


def check_many_streams_of_many_connections(plant):
    gateway = plant.gateway(changes=proxying(plant.server()))
    for address in [f"http://127.0.0.1:{gateway.ports['plain']}", f"https://127.0.0.1:{gateway.ports['tls']}"]:
        said = subprocess.run([tool("h2load"), "-n", "2000", "-c", "5", "-m", "50", f"{address}/open/a"],
                              capture_output=True, text=True, timeout=120).stdout
        holds("2000 succeeded, 0 failed, 0 errored" in said, said)


def check_a_stop_loses_no_stream(plant):
    def answer(connection, head, number):
        time.sleep(0.5)
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    gateway = plant.gateway(changes={**proxying(plant.server(answer)), "drain_timeout": "8s"})
    busy, idle = Client(gateway), Client(gateway)
    busy.request(1, "/open/a")
    busy.until(lambda kind, flags, stream, payload: kind == 4 and flags & 1, "the ACK of our SETTINGS")
    idle.until(lambda kind, flags, stream, payload: kind == 4 and flags & 1, "the ACK of our SETTINGS")
    time.sleep(0.1)
    gateway.process.terminate()
    for client in [busy, idle]:
        notice = client.until(lambda kind, flags, stream, payload: kind == 7, "GOAWAY")
        equal(notice[3][:8], b"\x7f\xff\xff\xff\0\0\0\0", "the notice")
    # On its way when the notice was sent: served too.
    busy.request(3, "/open/b")
    ping = next((frame for frame in busy.seen if frame[0] == 6), None) or busy.until(
        lambda kind, flags, stream, payload: kind == 6, "PING")
    busy.send(busy.frame(6, 1, 0, ping[3]))
    answered = set()
    while len(answered) < 2:
        frame = busy.until(lambda kind, flags, stream, payload: kind == 0, "the answers")
        answered.add(frame[2])
    equal(answered, {1, 3})
    if not any(frame[0] == 7 and frame[3][:4] == b"\0\0\0\3" for frame in busy.seen):
        busy.until(lambda kind, flags, stream, payload: kind == 7 and payload[:4] == b"\0\0\0\3", "the last GOAWAY")
    equal(gateway.stop(), 0)
    busy.close()
    idle.close()


def check_silence_and_slowness_end(plant):
    settings = {"idle_timeout": "1s", "body_timeout": "1s", "head_timeout": "1s",
                "http2": {"settings_timeout": "1s", "ping_interval": "1s", "ping_timeout": "1s"}}

    def answer(connection, head, number):
        time.sleep(60)

    gateway = plant.gateway(changes={**proxying(plant.server(answer)), "server": settings})
    # SETTINGS that are never acknowledged.
    client = Client(gateway)
    silent = gateway.connect()
    silent.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Client.frame(4, 0, 0))
    client.socket, first = silent, client.socket
    goaway = client.until(lambda kind, flags, stream, payload: kind == 7, "GOAWAY")
    equal(goaway[3][4:8], b"\0\0\0\4", "SETTINGS_TIMEOUT")
    first.close()
    # An idle connection is told to go.
    client = Client(gateway)
    goaway = client.until(lambda kind, flags, stream, payload: kind == 7, "GOAWAY")
    equal(goaway[3][4:8], b"\0\0\0\0", "NO_ERROR")
    # A body that does not come.
    client = Client(gateway)
    client.request(1, "/open/a", method="POST", end=False)
    client.until(lambda kind, flags, stream, payload: kind == 1 and stream == 1, "408")
    equal(gateway.count("http2_cut_off", reason="body-too-slow"), 1)
    # A head that does not end.
    client = Client(gateway)
    client.send(client.frame(1, 1, 1, client.block([(":method", "GET")])))
    client.until(lambda kind, flags, stream, payload: kind == 7 and payload[7] == 11, "ENHANCE_YOUR_CALM")
    equal(gateway.count("http2_cut_off", reason="head-too-slow"), 1)
    # A client that waits for an answer and says nothing, not even to a PING, is gone.
    client = Client(gateway)
    client.request(1, "/open/a")
    client.until(lambda kind, flags, stream, payload: kind == 6, "PING")
    wait(10, lambda: gateway.count("http2_cut_off", reason="ping-timeout") == 1, "the end of a dead client")


def check_a_flood_of_resets_ends_its_connection_and_no_other(plant):
    gateway = plant.gateway()
    client, flood = Client(gateway), Client(gateway)
    for i in range(400):
        try:
            flood.request(2 * i + 1, "/v1/none")
            flood.send(flood.frame(3, 0, 2 * i + 1, b"\0\0\0\x08"))
        except OSError:
            break
    wait(10, lambda: gateway.count("http2_cut_off", reason="reset-flood") == 1, "the end of the flood")
    client.request(1, "/v1/none")
    client.until(lambda kind, flags, stream, payload: kind == 1 and stream == 1, "another client's answer")
    client.close()
    flood.close()


if __name__ == "__main__":
    main(globals())
