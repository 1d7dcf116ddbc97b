"""What bad input gets: malformed HTTP, a full disk, too few descriptors. Nothing ambiguous reaches a server behind."""
import os
import resource
import socket
import subprocess
import time

from plant import Skip, equal, holds, main, parse_answer, proxying, read_all, wait

HOST = "Host: gateway\r\n"
CHUNKED = "POST /open HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n"

# Name, bytes, status. All are answered and then closed.
MALFORMED = [
    ("no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ("two words", f"GET /open\r\n{HOST}\r\n", 400),
    ("no Host", "GET /open HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", f"GET /open HTTP/1.1\r\n{HOST}{HOST}\r\n", 400),
    ("bare line feeds", "GET /open HTTP/1.1\nHost: gateway\n\n", 400),
    ("a folded line", f"GET /open HTTP/1.1\r\n{HOST}X: a\r\n b\r\n\r\n", 400),
    ("a space before the colon", f"GET /open HTTP/1.1\r\n{HOST}X : a\r\n\r\n", 400),
    ("NUL in a value", f"GET /open HTTP/1.1\r\n{HOST}X: a\0b\r\n\r\n", 400),
    ("length and chunks", f"POST /open HTTP/1.1\r\n{HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("two lengths", f"POST /open HTTP/1.1\r\n{HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    ("a bad chunk size", CHUNKED + "xyz\r\nabc\r\n0\r\n\r\n", 400),
    ("a chunk without its end", CHUNKED + "3\r\nabcdef\r\n0\r\n\r\n", 400),
    ("an encoded slash in the path", f"GET /open%2f..%2fweb HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n", 400),
    ("a body that is announced too large", f"POST /open HTTP/1.1\r\n{HOST}Content-Length: 999999999\r\n\r\n", 413),
    ("chunks that become too large", CHUNKED + "3000\r\n" + "x" * 0x3000 + "\r\n3000\r\n" + "x" * 0x3000 + "\r\n", 413),
    ("a target too long", f"GET /open{'a' * 9000} HTTP/1.1\r\n{HOST}\r\n", 414),
    ("an unknown expectation", f"GET /open HTTP/1.1\r\n{HOST}Expect: miracles\r\n\r\n", 417),
    ("a field line too long", f"GET /open HTTP/1.1\r\n{HOST}X: {'a' * 9000}\r\n\r\n", 431),
    ("too many fields", f"GET /open HTTP/1.1\r\n{HOST}" + "X: a\r\n" * 120 + "\r\n", 431),
    ("a head too long", f"GET /open HTTP/1.1\r\n{HOST}" + f"X: {'a' * 4000}\r\n" * 5 + "\r\n", 431),
    ("trailers too long", CHUNKED + "0\r\n" + f"X: {'a' * 4000}\r\n" * 3 + "\r\n", 431),
    ("an unknown transfer coding", f"POST /open HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("a method too long", f"{'G' * 40} /open HTTP/1.1\r\n{HOST}\r\n", 501),
    ("another version", f"GET /open HTTP/3.0\r\n{HOST}\r\n", 505),
]


def check_malformed_requests_get_their_status_and_the_end(plant):
    back = plant.server()
    gateway = plant.gateway(changes={**proxying(back), "server": {"body_max": "16KiB"}})
    for name, data, status in MALFORMED:
        answer = parse_answer(gateway.exchange(data))
        equal(answer.status, status, f"{name}: {answer}")
        equal(answer.field("Content-Type"), "application/problem+json", name)
        equal((answer.field("Connection") or "").lower(), "close", name)
        equal(answer.json["status"], status, name)
    holds(gateway.count("refusals_total", reason="malformed") >= len(MALFORMED) - 2, gateway.metrics())
    # A request that cannot be read to its end is not passed on as one that ended.
    holds(b"\r\n0\r\n\r\n" not in back.text(), back.text()[-200:])
    equal(gateway.request("GET", "/open/still-there").status, 200)


def check_methods_that_nobody_should_send_are_refused(plant):
    gateway = plant.gateway(changes=proxying(plant.server()))
    for method, status in [("CONNECT", 501), ("TRACE", 501), ("FROBNICATE", 501)]:
        target = "gateway:80" if method == "CONNECT" else "/open"
        fields = "Host: gateway:80\r\nConnection: close\r\n\r\n"
        answer = parse_answer(gateway.exchange(f"{method} {target} HTTP/1.1\r\n{fields}"))
        equal(answer.status, status, f"{method}: {answer}")


def check_slow_heads_and_bodies_get_408_and_the_end(plant):
    gateway = plant.gateway(changes={
        **proxying(plant.server()),
        "server": {"head_timeout": "1s", "body_timeout": "1s", "idle_timeout": "2s"}})
    for what, data in [("head", f"GET /open HTTP/1.1\r\n{HOST}"),
                       ("body", f"POST /open HTTP/1.1\r\n{HOST}Content-Length: 10\r\n\r\nabc")]:
        started = time.monotonic()
        answer = parse_answer(gateway.exchange(data, seconds=20))
        equal(answer.status, 408, f"{what}: {answer}")
        holds(time.monotonic() - started >= 0.9, what)
    # Who says nothing at all is closed without a word.
    equal(gateway.exchange("", seconds=20), b"")


def check_expect_100_continue_is_answered_before_the_body(plant):
    gateway = plant.gateway(changes=proxying(plant.server()))
    with gateway.connect() as s:
        s.sendall(f"POST /open HTTP/1.1\r\n{HOST}Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
                  .encode())
        equal(s.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
        s.sendall(b"abc")
        holds(read_all(s).startswith(b"HTTP/1.1 200"), "200")
    # What is refused anyway is refused at once: the body need not be sent.
    with gateway.connect() as s:
        s.sendall(f"POST /v1/nowhere HTTP/1.1\r\n{HOST}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n".encode())
        answer = read_all(s)
        holds(answer.startswith(b"HTTP/1.1 404"), repr(answer))


def check_a_full_disk_refuses_writes_and_serves_reads(plant):
    if os.getuid() != 0:
        raise Skip("only root can mount a small file system")
    state = plant.directory / "small"
    state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(state)], capture_output=True)
    if mounted.returncode != 0:
        raise Skip("a small file system cannot be mounted here: " + mounted.stderr.decode().strip())
    try:
        full_disk(plant, state)
    finally:
        for gateway in plant.gateways:
            gateway.stop()
        subprocess.run(["umount", "-l", str(state)], check=True)


def full_disk(plant, state):
    sandbox = plant.sandbox()
    gateway = plant.gateway(changes={"state": str(state), "odoo": sandbox.settings()})

    def create(number):
        return gateway.request("POST", "/v1/production-orders", {"product": 8, "quantity": 1, "site": "plant-1"}, "mes",
                               {"Idempotency-Key": f"disk-{number}"})

    acknowledged = {}
    for number in range(3):
        answer = create(number)
        equal(answer.status, 201, repr(answer))
        acknowledged[number] = answer.json["id"]
    with open(state / "ballast", "wb") as file:
        try:
            while True:
                file.write(b"x" * 65536)
                file.flush()
        except OSError:
            pass
    # What the stores had allotted already may still be written; then it ends, in a refusal and not in a lie.
    refused = 0
    for number in range(3, 400):
        answer = create(number)
        if answer.status == 201:
            acknowledged[number] = answer.json["id"]
            continue
        holds(answer.status in (503, 504), repr(answer))
        refused += 1
        if refused == 3:
            break
    equal(refused, 3, "writes that were refused")
    for _ in range(5):
        equal(gateway.request("GET", "/v1/products?limit=1", token="mes").status, 200, "a read while the disk is full")
    os.unlink(state / "ballast")
    wait(30, lambda: create(1000).status == 201, "writes are taken again once there is room")
    gateway.kill()
    gateway.start()
    for number, order in acknowledged.items():
        again = create(number)
        equal((again.status, again.json["id"], again.field("Idempotent-Replayed")), (201, order, "true"), f"{number}")
    # And what was refused did not happen behind anybody's back: each acknowledged order is there once.
    ids = [order["id"] for order in sandbox.state()["orders"]]
    for order in acknowledged.values():
        equal(ids.count(order), 1)
    gateway.stop()
    verify = plant.run("audit", "verify", str(state / "audit"), "--key", plant.file("audit.key"))
    equal(verify.returncode, 0, verify.stdout + verify.stderr)


def check_when_descriptors_run_out_the_listener_rests_and_recovers(plant):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (160, 160))

    gateway = plant.gateway(changes=proxying(plant.server()), limits=few)
    honest = gateway.connect()

    def ask(s):
        s.sendall(f"GET /open/x HTTP/1.1\r\n{HOST}\r\n".encode())
        return s.recv(65536).startswith(b"HTTP/1.1 200")

    holds(ask(honest), "before")
    greedy = []
    for _ in range(300):
        s = socket.socket()
        s.settimeout(2)
        s.bind(("127.0.0.66", 0))
        s.connect(("127.0.0.1", gateway.ports["plain"]))
        greedy.append(s)
    time.sleep(0.3)
    for _ in range(5):
        holds(ask(honest), "a connection that stands is served")
    holds(gateway.process.poll() is None, "it lives")
    for s in greedy:
        s.close()
    wait(20, lambda: gateway.request("GET", "/open/y").status == 200, "new connections are taken again")
    holds(gateway.cut("too-many") + gateway.cut("shed-idle") > 100, "they are refused or make room")
    equal(gateway.cut("no-descriptors"), 0, "before it comes to that")


def check_when_the_system_has_no_descriptors_left_the_listener_rests_and_recovers(plant):
    gateway = plant.gateway(changes=proxying(plant.server()))
    honest = gateway.connect()
    request = f"GET /open/x HTTP/1.1\r\n{HOST}\r\n".encode()
    honest.sendall(request)
    holds(honest.recv(65536).startswith(b"HTTP/1.1 200"), "before")
    # Taken away while it runs, as when other processes use up what there is.
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (gateway.descriptors() + 4, 20_000))
    greedy = [gateway.connect(source="127.0.0.66") for _ in range(40)]
    for _ in range(5):
        honest.sendall(request)
        holds(honest.recv(65536).startswith(b"HTTP/1.1 200"), "a connection that stands is served")
        time.sleep(0.1)
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (4_096, 20_000))
    for s in greedy:
        s.close()
    wait(20, lambda: gateway.request("GET", "/open/y").status == 200, "new connections are taken again")
    holds(gateway.cut("no-descriptors") > 0, "it is counted")


if __name__ == "__main__":
    main(globals())
