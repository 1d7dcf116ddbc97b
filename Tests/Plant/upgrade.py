"""Reloads (SIGHUP) and upgrades (SIGUSR2) under load: no request is lost, whatever it is and however it is sent.

Half a dozen clients at once: keepalive and one connection per request, cleartext and TLS, proxied and governed. Each
counts what did not get the answer that it should have; a connection that closed without one counts, unless the answer
before had said that it would.
"""
import http.client
import os
import shutil
import signal
import threading
import time

from plant import equal, holds, main, proxying, wait


class Client(threading.Thread):
    """Sends one request after the other until it is told to stop."""

    def __init__(self, gateway, listener, keepalive, send):
        super().__init__(daemon=True)
        self.gateway, self.listener, self.keepalive, self.send = gateway, listener, keepalive, send
        self.done, self.failures, self.slowest, self.isOver = 0, [], 0.0, False

    def connection(self):
        port = self.gateway.ports[self.listener]
        if self.listener == "tls":
            return http.client.HTTPSConnection("localhost", port, timeout=30,
                                               context=self.gateway.plant.client_context())
        return http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def run(self):
        connection = self.connection()
        while not self.isOver:
            began = time.monotonic()
            try:
                self.send(connection, self.done)
            except Exception as error:
                self.failures.append(f"{self.name} request {self.done}: {type(error).__name__} {error}")
                connection.close()
            self.done += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            if not self.keepalive:
                connection.close()
            time.sleep(0.001)
        connection.close()


def get(connection, number):
    connection.request("GET", f"/open/{number}")
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or f"/open/{number}".encode() not in body:
        raise AssertionError(f"{answer.status} {body[:200]!r}")


def post(connection, number):
    connection.request("POST", "/open", body=b"x" * 40_000)
    answer = connection.getresponse()
    answer.read()
    equal(answer.status, 200)


def runs(gateway):
    """The file of the program that the process runs; None when it has ended, and for a moment while it changes."""
    try:
        return os.stat(f"/proc/{gateway.process.pid}/exe").st_ino
    except OSError:
        return None


def check_no_request_is_lost_by_reloads_and_upgrades(plant):
    program = plant.directory / "bin" / "millgate"
    program.parent.mkdir()
    built = plant.millgate
    shutil.copy2(built, program)
    plant.millgate = str(program)
    sandbox, server = plant.sandbox(), plant.server()
    settings = proxying(server)
    settings["odoo"] = sandbox.settings()
    gateway = plant.gateway(changes=settings)
    created = []

    def create(connection, number):
        connection.request("POST", "/v1/production-orders", body='{"product": 9, "quantity": 1, "site": "plant-1"}',
                           headers={"Authorization": "Bearer " + plant.token("mes"), "Content-Type": "application/json",
                                    "Idempotency-Key": f"upgrade-{number}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 201:
            raise AssertionError(f"{answer.status} {body[:300]!r}")
        created.append(number)

    clients = [Client(gateway, listener, keepalive, send) for listener, keepalive, send in [
        ("plain", True, get), ("plain", False, get), ("tls", True, get), ("tls", False, get), ("plain", True, post),
        ("plain", True, create)]]
    for client in clients:
        client.start()
    pid = gateway.process.pid
    time.sleep(0.5)
    for round in range(2):
        for _ in range(2):
            gateway.process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
        fresh = program.parent / "next"
        shutil.copy2(program, fresh)
        inode = fresh.stat().st_ino
        fresh.rename(program)
        gateway.process.send_signal(signal.SIGUSR2)
        wait(30, lambda: runs(gateway) == inode or gateway.process.poll() is not None, "the new program runs")
        equal(gateway.process.poll(), None, f"it lives on: {gateway.output()[-1500:]}")
        before = [client.done for client in clients]
        wait(30, lambda: all(client.done > count + 3 for client, count in zip(clients, before)), "clients go on")
    # A program that cannot be run, or that finds the configuration bad, changes nothing.
    fresh.write_text("#!/bin/sh\nexit 78\n")
    fresh.chmod(0o755)
    fresh.rename(program)
    gateway.process.send_signal(signal.SIGUSR2)
    wait(20, lambda: "upgrade refused" in gateway.output(), "the refusal in the log")
    before = [client.done for client in clients]
    wait(20, lambda: all(client.done > count + 3 for client, count in zip(clients, before)), "clients go on")
    for client in clients:
        client.isOver = True
    for client in clients:
        client.join(40)
        holds(not client.is_alive(), "a client hangs")
    failures = [failure for client in clients for failure in client.failures]
    print(f"{sum(client.done for client in clients)} requests, 4 reloads, 2 upgrades, {len(failures)} lost, "
          f"slowest {max(client.slowest for client in clients):.2f} s", flush=True)
    equal(failures, [])
    equal(gateway.process.poll(), None, "still the same process")
    orders = sandbox.state()["orders"]
    holds(len(orders) >= len(created) > 3, f"{len(created)} orders were acknowledged, {len(orders)} are there")
    equal(gateway.stop(), 0, "it stops cleanly")
    shutil.copy2(built, program)
    verified = plant.run("audit", "verify", gateway.directory / "var/audit", "--key", plant.file("audit.key"))
    equal(verified.returncode, 0, verified.stdout)


if __name__ == "__main__":
    main(globals())
