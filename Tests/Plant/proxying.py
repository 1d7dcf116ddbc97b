"""The reverse proxy: what it passes on, what it takes away, and how it behaves where one side is slow or lies."""
import base64
import hashlib
import os
import re
import socket
import threading
import time

from plant import equal, holds, main, parse_answer, proxying, read_all, wait

HOST = "Host: gateway\r\n"


def check_forwarding_fields_are_overwritten_and_hop_by_hop_fields_removed(plant):
    back = plant.server()
    gateway = plant.gateway(changes=proxying(back))
    gateway.exchange(
        "GET /open/a?b=c HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
        "X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 6.6.6.6\r\n"
        "Forwarded: for=6.6.6.6;proto=https\r\nVia: 1.1 forged\r\nConnection: close, X-Secret-Hop\r\n"
        "X-Secret-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: Basic eA==\r\nTE: trailers\r\n"
        "Proxy-Connection: keep-alive\r\nAuthorization: Bearer abc\r\nX-Kept: yes\r\n\r\n")
    head = back.heads[0]
    fields = [line.partition(": ") for line in head.split("\r\n")[1:]]
    found = {}
    for name, _, value in fields:
        found.setdefault(name.lower(), []).append(value)
    equal(head.split("\r\n")[0], "GET /open/a?b=c HTTP/1.1")
    equal(found.get("x-forwarded-for"), ["127.0.0.1"])
    equal(found.get("x-forwarded-proto"), ["http"])
    equal(found.get("x-forwarded-host"), ["shop.example"])
    equal(found.get("forwarded"), ["for=127.0.0.1;proto=http"])
    equal(found.get("via"), ["1.1 millgate"])
    equal(found.get("x-kept"), ["yes"])
    equal(found.get("host"), [f"127.0.0.1:{back.port}"])
    for name in ["x-secret-hop", "keep-alive", "proxy-authorization", "te", "proxy-connection", "x-real-ip",
                 "x-forwarded-port", "connection", "authorization"]:
        holds(name not in found, f"{name} went on: {found.get(name)}")
    holds("6.6.6.6" not in head and "evil" not in head and "forged" not in head, head)
    gateway.request("GET", "/open/tls", listener="tls")
    holds("X-Forwarded-Proto: https" in back.heads[-1] and ";proto=https" in back.heads[-1], back.heads[-1])


def check_fields_of_an_answer_are_passed_on_without_its_hop(plant):
    def answer(connection, head, number):
        connection.send("HTTP/1.1 203 Odd\r\nServer: Secret/1.0\r\nX-Kept: a\r\nX-Kept: b\r\nSet-Cookie: one=1\r\n"
                        "Set-Cookie: two=2\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n"
                        "Content-Length: 2\r\n\r\nok")

    gateway = plant.gateway(changes=proxying(plant.server(answer)))
    answer = gateway.request("GET", "/open")
    equal((answer.status, answer.body), (203, b"ok"))
    names = [name.lower() for name, _ in answer.fields]
    equal([value for name, value in answer.fields if name in ("X-Kept", "Set-Cookie")], ["a", "b", "one=1", "two=2"])
    for name in ["server", "x-hop", "keep-alive"]:
        holds(name not in names, f"{name} came through")
    holds("via" in names, names)


def check_bodies_go_both_ways_whole_in_every_framing(plant):
    def answer(connection, head, number):
        body = connection.body(head)
        digest = hashlib.sha256(body).hexdigest()
        kind = re.search(r"(?im)^x-want: *(\S+)", head)[1]
        if kind == "chunked":
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Digest: %s\r\n\r\n" % digest)
            for i in range(0, len(body), 10_000):
                part = body[i:i + 10_000]
                connection.send(b"%x\r\n%s\r\n" % (len(part), part))
            connection.send(b"0\r\n\r\n")
            return True
        if kind == "length":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Digest: %s\r\n\r\n%s" % (
                len(body), digest.encode(), body))
            return True
        connection.send(b"HTTP/1.1 200 OK\r\nX-Digest: %s\r\n\r\n%s" % (digest.encode(), body))
        return False

    gateway = plant.gateway(changes=proxying(plant.server(answer)))
    for size in [0, 1, 4_096, 65_537, 3_000_000]:
        body = os.urandom(size)
        digest = hashlib.sha256(body).hexdigest()
        for want in ["chunked", "length", "close"]:
            for framing in ["length", "chunked"]:
                for listener in ["plain", "tls"]:
                    what = f"{size} {framing} to {want} by {listener}"
                    data = iter([body[i:i + 70_000] for i in range(0, size, 70_000)]) if framing == "chunked" else body
                    answer = gateway.request("POST", "/open", data, fields={"X-Want": want}, listener=listener)
                    equal(answer.status, 200, what)
                    equal(answer.field("X-Digest"), digest, f"{what}: as the server saw it")
                    equal(hashlib.sha256(answer.body).hexdigest(), digest, f"{what}: as the client saw it")
    head = gateway.request("HEAD", "/open", fields={"X-Want": "length"})
    equal((head.status, head.body), (200, b""))


def check_what_a_server_says_behind_a_large_answer_is_nobodys(plant):
    size = 2_000_003

    def answer(connection, head, number):
        count = size if "/large" in head else 2
        forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged" if "/forged" in head else b""
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s%s" % (count, b"z" * count, forged))
        return True

    gateway = plant.gateway(changes=proxying(plant.server(answer)))
    for path in ["/open/large/forged", "/open/large", "/open/small/forged", "/open/large/forged"] * 5:
        # The next request is there already when the answer to this one ends.
        with gateway.connect() as s:
            s.sendall(f"GET {path} HTTP/1.1\r\n{HOST}\r\nGET /open/small HTTP/1.1\r\n{HOST}"
                      "Connection: close\r\n\r\n".encode())
            got = read_all(s)
        equal(got.count(b"HTTP/1.1 200 OK"), 2, path)
        holds(b"forged" not in got, f"{path}: what was forged came through")
        holds(got.endswith(b"\r\n\r\nzz"), f"{path}: the second answer is {got[-200:]}")
        equal(got.count(b"z"), (size if "large" in path else 2) + 2, path)


def check_a_large_body_that_breaks_off_is_not_taken_for_a_whole_one(plant):
    size, cut = 4 << 20, 2_500_000

    def answer(connection, head, number):
        if head.startswith("POST"):
            try:
                connection.body(head)
                whole.append(head)
            except OSError:
                broken.append(len(connection.rest))
            return False
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, b"z" * cut))
        return False

    whole, broken = [], []
    gateway = plant.gateway(changes=proxying(plant.server(answer)))
    for _ in range(3):
        with gateway.connect() as s:
            s.sendall(f"GET /open HTTP/1.1\r\n{HOST}\r\n".encode())
            got = 0
            try:
                while data := s.recv(1 << 20):
                    got += len(data)
                holds(False, f"the cut answer ended like a whole one after {got} bytes")
            except ConnectionResetError:
                holds(got < size, f"{got} bytes of {cut}")
        with gateway.connect() as s:
            s.sendall(f"POST /open HTTP/1.1\r\n{HOST}Content-Length: {size}\r\n\r\n".encode() + b"y" * cut)
    wait(20, lambda: len(broken) == 3, "the server sees three uploads break off")
    equal(whole, [])
    equal(gateway.request("POST", "/open", b"y" * size).status, 502, "a server that closes without an answer")
    equal(len(whole), 1)


def check_slow_ends_hold_the_fast_ones_and_memory_stays_bounded(plant):
    size = 48 << 20

    def answer(connection, head, number):
        if head.startswith("GET"):
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            part = b"x" * 65_536
            for _ in range(size // len(part)):
                connection.send(part)
                pushed[0] += len(part)
            return True
        # Reads the upload slowly for a while, then the rest at once.
        taken = 0
        while taken < 40 * 4_096:
            taken += len(connection.receive(4_096))
            time.sleep(0.01)
        taken += len(connection.rest)
        while taken < size:
            taken += len(connection.socket.recv(1 << 20))
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nthat")
        return False

    pushed = [0]
    gateway = plant.gateway(changes={**proxying(plant.server(answer)), "server": {"body_max": "64MiB"}})
    gateway.request("GET", "/v1/products", token="operator")
    before = gateway.rss_kib()
    with gateway.connect(receive_buffer=4_096) as s:
        s.sendall(f"GET /open HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode())
        time.sleep(1.5)
        held = pushed[0]
        holds(held < 16 << 20, f"a client that reads nothing let {held >> 20} MiB come from the server")
        grown = gateway.rss_kib() - before
        holds(grown < 8_192, f"{grown} KiB for one slow reader")
        s.settimeout(30)
        total = 0
        while data := s.recv(1 << 20):
            total += len(data)
    holds(total > size, f"{total} bytes of {size}")
    done = []

    def upload():
        done.append(gateway.request("POST", "/open", b"y" * size, seconds=120))

    sender = threading.Thread(target=upload)
    sender.start()
    time.sleep(0.4)
    grown = gateway.rss_kib() - before
    holds(grown < 8_192, f"{grown} KiB for one slow server")
    sender.join(120)
    equal((done[0].status, done[0].body), (200, b"that"))


def check_a_websocket_goes_to_odoos_own_port_and_carries_bytes_both_ways(plant):
    def upgrade(connection, head, number):
        if "upgrade: websocket" not in head.lower():
            connection.send("HTTP/1.1 500 Odoo\r\nContent-Length: 0\r\n\r\n")
            return False
        key = re.search(r"(?im)^sec-websocket-key: *(\S+)", head)[1]
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\nhello")
        while data := (connection.rest or connection.receive()):
            connection.rest = b""
            connection.send(data[::-1])
        return False

    pages, gevent = plant.server(), plant.server(upgrade)
    settings = proxying(pages, websocket=True, websocket_upstream="gevent")
    settings["upstreams"].append({"name": "gevent", "url": gevent.url})
    gateway = plant.gateway(changes=settings)
    ask = (f"GET /open/websocket HTTP/1.1\r\n{HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    for listener in ["plain", "tls"]:
        with gateway.connect(listener) as s:
            s.sendall(ask.encode())
            data = b""
            while b"hello" not in data:
                data += s.recv(4_096)
            holds(data.startswith(b"HTTP/1.1 101") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in data, data)
            for message in [b"abc", b"x" * 200_000 + b"y"]:
                sender = threading.Thread(target=s.sendall, args=(message,))
                sender.start()
                got = b""
                while len(got) < len(message):
                    got += s.recv(65_536)
                sender.join()
                equal(sorted(got), sorted(message))
    equal(len(pages.heads), 0, "requests at the other port")
    equal(len(gevent.heads), 2)
    # A route that takes no WebSocket refuses the upgrade, and what is no whole handshake is none: a body would be read
    # as frames by one side and as a request by the other.
    smuggled = "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"
    for data, status in [(ask.replace("/open/websocket", "/web/x"), 401),
                         (ask.replace("Sec-WebSocket-Version: 13\r\n", ""), 400),
                         (ask.replace("Version: 13", "Version: 7"), 400),
                         (ask.replace("GET", "POST"), 400),
                         (ask.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"), 400),
                         (ask.replace("Upgrade: websocket", "Upgrade: h2c"), 400),
                         (ask.replace("\r\n\r\n", f"\r\nContent-Length: {len(smuggled)}\r\n\r\n{smuggled}"), 400)]:
        answer = parse_answer(gateway.exchange(data.replace("Connection: Upgrade", "Connection: Upgrade, close")))
        equal(answer.status, status, f"{data}: {answer}")
        if "Version: 7" in data:
            equal(answer.field("Sec-WebSocket-Version"), "13")
    equal(len(gevent.heads), 2)


def check_side_doors_are_shut_and_error_pages_do_not_leak(plant):
    page = ("<html><title>500</title>Traceback (most recent call last): File \"/opt/odoo/http.py\" "
            "psycopg2.OperationalError SELECT * FROM res_users</html>")

    def answer(connection, head, number):
        status = int(re.search(r"/s(\d+)", head)[1])
        kind = "application/json" if "json" in head.split("\r\n")[0] else "text/html"
        connection.send(f"HTTP/1.1 {status} Odoo\r\nServer: Werkzeug/2.2\r\nContent-Type: {kind}\r\n"
                        f"Content-Length: {len(page)}\r\n\r\n{page}")

    back = plant.server(answer)
    settings = proxying(back)
    settings["upstreams"][1]["hide_errors"] = True
    gateway = plant.gateway(changes=settings)
    for path, status in [("/open/s500", 502), ("/open/s404", 404), ("/open/s503", 502), ("/open/json/s500", 502)]:
        answer = gateway.request("GET", path)
        equal(answer.status, status, path)
        equal(answer.field("Content-Type"), "application/problem+json", path)
        for secret in [b"Traceback", b"/opt", b"psycopg2", b"SELECT", b"Werkzeug"]:
            holds(secret not in answer.body, f"{path}: {secret} leaks")
        holds("Werkzeug" not in str(answer.fields), f"{path}: {answer.fields}")
    equal(gateway.request("GET", "/open/s403").body.decode(), page, "what is no error page of Odoo's is passed on")
    count = len(back.heads)
    for path in ["/web/database/manager", "/web/database/selector", "/xmlrpc/2/common", "/jsonrpc", "/json/2/x/y"]:
        equal(gateway.request("POST", path, {}).status, 401, path)
        equal(gateway.request("POST", path, {}, "supervisor").status, 403, path)
        for spelling in [path.replace("/", "//", 1), path + "/../x", path.replace("a", "%61"), "/./" + path[1:],
                         path.replace("/", "/%2e/", 1)]:
            answer = gateway.request("POST", spelling, {}, "supervisor")
            holds(answer.status in (400, 403, 404), f"{spelling}: {answer.status}")
    equal(len(back.heads), count, "none of it went on")


def check_keepalive_to_a_server_is_used_where_it_is_offered(plant):
    def answer(connection, head, number):
        seen.add(id(connection))
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n"
                        % ("Connection: close\r\n" if "/close" in head else ""))
        return "/close" not in head

    seen = set()
    gateway = plant.gateway(changes=proxying(plant.server(answer)))
    for _ in range(20):
        equal(gateway.request("GET", "/open/keep").status, 200)
    holds(len(seen) <= 2, f"{len(seen)} connections for 20 requests")
    for _ in range(5):
        equal(gateway.request("GET", "/open/close").status, 200)


def check_calls_in_flight_are_capped_and_what_waits_too_long_is_told(plant):
    def answer(connection, head, number):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.15)
        with lock:
            now[0] -= 1
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    lock, now, most = threading.Lock(), [0], [0]
    settings = proxying(plant.server(answer))
    settings["upstreams"][1].update({"in_flight": 2, "queue": 4})
    gateway = plant.gateway(changes=settings)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(gateway.request("GET", "/open"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(most[0], 2, "at once")
    statuses = sorted(answer.status for answer in answers)
    holds(statuses.count(200) >= 6 and set(statuses) <= {200, 503}, f"{statuses}")
    for answer in answers:
        if answer.status == 503:
            equal(answer.json["type"].rpartition("/")[2], "overloaded")
            holds(1 <= int(answer.field("Retry-After")) <= 30, answer.fields)


def check_the_circuit_opens_for_a_dead_server_and_closes_again(plant):
    back = plant.server()
    port = back.port
    settings = proxying(back)
    settings["upstreams"][1].update({"health_path": "/health", "health_interval": "1s"})
    gateway = plant.gateway(changes=settings)
    equal(gateway.request("GET", "/open").status, 200)
    back.close()
    for _ in range(8):
        equal(gateway.request("GET", "/open").status, 503)
    holds(gateway.count("upstream_circuit_open", upstream="back") == 1, "the circuit is open")
    answer = gateway.request("GET", "/open")
    holds(int(answer.field("Retry-After")) >= 1, answer.fields)

    def answer_ok(connection, head, number):
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    plant.server(answer_ok, port=port)
    wait(30, lambda: gateway.request("GET", "/open").status == 200, "it is found again")


if __name__ == "__main__":
    main(globals())
