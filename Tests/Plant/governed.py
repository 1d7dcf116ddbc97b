"""A governed read, a confirmation, its replay and refusals, over HTTP/1.1 and TLS, with other people's clients."""
import json
import re
import socket
import threading

from plant import equal, holds, main, wait


def released(gateway, token="mes"):
    """A released order of plant-1 with much left to produce."""
    answer = gateway.request("GET", "/v1/production-orders?site=plant-1&state=released", token=token)
    equal(answer.status, 200, repr(answer))
    return max(answer.json["items"], key=lambda order: order["quantity_remaining"])


def check_a_read_is_answered_over_cleartext_and_tls(plant):
    gateway = plant.gateway()
    for listener in ["plain", "tls"]:
        answer = gateway.request("GET", "/v1/production-orders?site=plant-1&limit=2", token="operator",
                                 listener=listener)
        equal(answer.status, 200, repr(answer))
        equal(len(answer.json["items"]), 2)
        for order in answer.json["items"]:
            equal(order["site"], "plant-1")
        holds(answer.field("X-Request-Id"), f"fields: {answer.fields}")
    for path, status in [("/v1/products", 200), ("/v1/inventory?site=plant-1", 200), ("/v1/work-centers", 200),
                         ("/openapi.json", 200)]:
        equal(gateway.request("GET", path, token="operator", listener="tls").status, status, path)


def check_curl_reads_confirms_replays_and_is_refused(plant):
    gateway = plant.gateway()
    order = released(gateway)
    for scheme, port, more in [("http", gateway.ports["plain"], []),
                               ("https", gateway.ports["tls"], ["--cacert", plant.file("ca.pem")]),
                               ("https", gateway.ports["tls"], ["--cacert", plant.file("ca.pem"), "--tls-max", "1.2"])]:
        host = "127.0.0.1" if scheme == "http" else "localhost"
        base = f"{scheme}://{host}:{port}"
        bearer = "Authorization: Bearer " + plant.token("operator")
        read = gateway.curl("-i", "--http1.1", *more, "-H", bearer, url=f"{base}/v1/production-orders/{order['id']}")
        holds(read.stdout.startswith("HTTP/1.1 200"), read.stdout[:300] + read.stderr)
        order = json.loads(read.stdout.split("\n\n")[-1])
        write = ["-i", "--http1.1", *more, "-H", bearer, "-H", f"Idempotency-Key: curl-{port}-{len(more)}", "-H",
                 "Content-Type: application/json", "-d", '{"quantity": 1}']
        url = f"{base}/v1/production-orders/{order['id']}/confirm"
        first = gateway.curl(*write, url=url)
        holds(first.stdout.startswith("HTTP/1.1 200"), first.stdout + first.stderr)
        again = gateway.curl(*write, url=url)
        holds("idempotent-replayed: true" in again.stdout.lower(), again.stdout)
        equal(again.stdout.split("\n\n")[-1], first.stdout.split("\n\n")[-1], "the replayed body")
        order["id"] = json.loads(first.stdout.split("\n\n")[-1])["backorder"]["id"]
        auditor = "Authorization: Bearer " + plant.token("auditor")
        refused = gateway.curl("-i", "--http1.1", *more, "-H", auditor, "-H", "Idempotency-Key: no", "-H",
                               "Content-Type: application/json", "-d", '{"quantity": 1}', url=url)
        holds(refused.stdout.startswith("HTTP/1.1 403"), refused.stdout[:300] + refused.stderr)


def check_a_confirmation_happens_once_however_often_it_is_sent(plant):
    sandbox = plant.sandbox()
    gateway = plant.gateway(changes={"odoo": sandbox.settings()})
    order = released(gateway)
    path = f"/v1/production-orders/{order['id']}/confirm"
    answers = [gateway.request("POST", path, {"quantity": 2}, "operator", {"Idempotency-Key": '"once"'}, listener)
               for listener in ["plain", "tls", "plain"]]
    for answer in answers:
        equal(answer.status, 200, repr(answer))
        equal(answer.json, answers[0].json)
    equal([answer.field("Idempotent-Replayed") for answer in answers], [None, "true", "true"])
    equal(answers[0].json["quantity_confirmed"], 2)
    # Reused for something else it is a mistake, and nothing happens.
    other = gateway.request("POST", path, {"quantity": 3}, "operator", {"Idempotency-Key": '"once"'})
    equal((other.status, other.json["type"].rpartition("/")[2]), (422, "idempotency-key-reused"))
    none = gateway.request("POST", path, {"quantity": 3}, "operator")
    equal((none.status, none.json["type"].rpartition("/")[2]), (400, "idempotency-key-required"))
    done = gateway.request("GET", f"/v1/production-orders/{order['id']}", token="operator").json
    equal((done["state"], done["quantity_produced"]), ("done", 2))
    backorder = answers[0].json["backorder"]["id"]
    rest = gateway.request("GET", f"/v1/production-orders/{backorder}", token="operator").json
    equal(rest["quantity_remaining"], order["quantity_remaining"] - 2)


def check_refusals_say_why(plant):
    gateway = plant.gateway()
    order = released(gateway)["id"]
    key = {"Idempotency-Key": "k"}
    expired = plant.token("operator")[:-8] + "AAAAAAAA"
    cases = [
        ("no token", "GET", f"/v1/production-orders/{order}", None, None, {}, 401, "unauthenticated"),
        ("a forged token", "GET", f"/v1/production-orders/{order}", None, expired, {}, 401, "unauthenticated"),
        ("a role that may not", "POST", f"/v1/production-orders/{order}/confirm", {"quantity": 1}, "auditor", key, 403,
         "forbidden"),
        ("another site", "GET", "/v1/production-orders?site=plant-2", None, "operator", {}, 403, "forbidden"),
        ("an unknown order", "POST", "/v1/production-orders/99999/confirm", {"quantity": 1}, "mes",
         {"Idempotency-Key": "unknown-order"}, 404, "not-found"),
        ("an unknown path", "GET", "/v1/nothing", None, "operator", {}, 404, "not-found"),
        ("another method", "DELETE", f"/v1/production-orders/{order}", None, "operator", {}, 405, "method-not-allowed"),
        ("more than remains", "POST", f"/v1/production-orders/{order}/confirm", {"quantity": 99999}, "operator",
         {"Idempotency-Key": "too-much"}, 409, "conflict-state"),
        ("another media type", "POST", f"/v1/production-orders/{order}/confirm", "quantity=1", "operator",
         {"Idempotency-Key": "form", "Content-Type": "application/x-www-form-urlencoded"}, 415,
         "unsupported-media-type"),
        ("a closed side door", "GET", "/web/database/manager", None, "supervisor", {}, 403, "forbidden"),
        ("raw RPC", "POST", "/jsonrpc", {"jsonrpc": "2.0"}, "supervisor", {}, 403, "forbidden"),
        ("old RPC", "POST", "/xmlrpc/2/object", "<x/>", "mes", {}, 403, "forbidden"),
        ("JSON-2 past the gateway", "POST", "/json/2/res.users/search", {}, "supervisor", {}, 403, "forbidden")]
    for listener in ["plain", "tls"]:
        for what, method, path, body, token, fields, status, kind in cases:
            answer = gateway.request(method, path, body, token, fields, listener)
            equal(answer.status, status, f"{what}: {answer}")
            equal(answer.field("Content-Type"), "application/problem+json", what)
            equal(answer.json["type"], "https://millgate.dev/problems/" + kind, what)
            equal(answer.json["status"], status, what)
            if status == 401:
                challenge = answer.field("WWW-Authenticate") or ""
                holds(challenge.startswith('Bearer realm="millgate"'), f"{what}: {challenge}")
                holds(("error=" in challenge) == (token is not None), f"{what}: {challenge}")


def check_every_json_violation_is_told_at_once(plant):
    gateway = plant.gateway()
    order = released(gateway)["id"]
    path = f"/v1/production-orders/{order}/confirm"

    def send(body):
        return gateway.request("POST", path, body, "operator", {"Idempotency-Key": "violations"})

    answer = send({"quantity": -1, "final": "yes", "colour": "red", "unit": ""})
    equal(answer.status, 400, repr(answer))
    places = {violation.get("pointer") for violation in answer.json["violations"]}
    equal(places, {"/quantity", "/final", "/colour", "/unit"}, repr(answer))
    for body, what in [(b'{"quantity": 1, "quantity": 2}', "a name twice"), (b'{"quantity": 1', "cut"),
                       (b'{"quantity": 01}', "a leading zero"), (b'{"quantity": 1e999}', "out of range"),
                       (b"[" * 200 + b"]" * 200, "too deep"), (b'{"quantity": "\xff"}', "no UTF-8"), (b"", "no body"),
                       (b'{"quantity": 1}x', "more behind it"), (b'[1]', "no object"),
                       (b'{"quantity": NaN}', "no number")]:
        answer = send(body)
        equal((answer.status, answer.json["type"].rpartition("/")[2]), (400, "invalid-input"), f"{what}: {answer}")
        holds(answer.json["violations"], what)
    # Nothing of all this has happened, and the key is free still.
    equal(send({"quantity": 1}).status, 200)


def forwarding(sandbox, instead=None):
    """A server that asks the sandbox, unless `instead(head, body)` has an answer of its own."""

    def forward(connection, head, number):
        body = connection.body(head)
        answer = instead(head, body) if instead else None
        if answer:
            connection.send(answer)
            return False
        lines = [line for line in head.split("\r\n")
                 if not line.lower().startswith(("transfer-encoding", "content-length"))]
        with socket.create_connection(("127.0.0.1", sandbox.port), 30) as s:
            s.sendall("\r\n".join(lines).encode("latin-1") + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            while data := s.recv(65536):
                connection.send(data)
        return False

    return forward


def check_what_odoo_refuses_is_told_in_its_words_without_its_traceback(plant):
    sandbox = plant.sandbox()
    recorded = json.dumps({
        "name": "odoo.exceptions.UserError", "message": "You need to supply a Lot/Serial number",
        "arguments": ["You need to supply a Lot/Serial number"], "context": {},
        "debug": "Traceback (most recent call last):\n  File \"/opt/odoo/http.py\", line 2164"}).encode()

    def refuse(head, body):
        if "/button_mark_done" in head.split("\r\n")[0]:
            return (b"HTTP/1.1 422 UNPROCESSABLE ENTITY\r\nContent-Type: application/json; charset=utf-8\r\n"
                    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(recorded), recorded))
        return None

    tap = plant.server(forwarding(sandbox, refuse))
    gateway = plant.gateway(changes={"odoo": sandbox.settings(tap.port)})
    order = released(gateway)
    answer = gateway.request("POST", f"/v1/production-orders/{order['id']}/confirm", {"final": True}, "operator",
                             {"Idempotency-Key": "refused"})
    equal(answer.status, 422, f"{answer} {[head.splitlines()[0] for head in tap.heads]}")
    equal(answer.json["type"].rpartition("/")[2], "odoo-refused", repr(answer))
    equal(answer.json["detail"], "You need to supply a Lot/Serial number")
    equal(answer.json["odoo_error"], "odoo.exceptions.UserError")
    holds(b"Traceback" not in answer.body and b"/opt" not in answer.body, repr(answer))


def check_every_decision_is_in_the_audit_log_and_the_log_is_whole(plant):
    gateway = plant.gateway()
    order = released(gateway)["id"]
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = gateway.request(
        "POST", f"/v1/production-orders/{order}/confirm", {"quantity": 1}, "operator",
        {"Idempotency-Key": "audited", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}, "tls")
    equal(answer.status, 200, repr(answer))
    refused = gateway.request("POST", f"/v1/production-orders/{order}/confirm", {"quantity": 1}, "auditor",
                              {"Idempotency-Key": "refused"})
    equal(refused.status, 403)
    gateway.stop()
    verify = plant.run("audit", "verify", "var/audit", "--key", plant.file("audit.key"), cwd=gateway.directory)
    equal(verify.returncode, 0, verify.stdout + verify.stderr)
    lines = [json.loads(line) for file in sorted((gateway.directory / "var/audit").glob("*.jsonl"))
             for line in file.read_text().splitlines()]
    request = answer.field("X-Request-Id")
    mine = [line for line in lines if line.get("request") == request or request in json.dumps(line)]
    kinds = [line.get("kind") for line in mine]
    holds("intent" in kinds and "outcome" in kinds and kinds.index("intent") < kinds.index("outcome"), f"{kinds}")
    text = json.dumps(mine)
    for part in [trace, "production-order.confirm", "site-staff-confirm", f"mrp.production,{order}", "applied",
                 "https://id.millgate.example", "127.0.0.1"]:
        holds(part in text, f"{part} is not in {text}")
    holds("eyJ" not in text, "a token is in the audit log")
    no = [line for line in lines if refused.json["instance"] in json.dumps(line)]
    holds(no and "auditor" in json.dumps(no), f"the refusal is not in the log: {no}")


def check_changed_missing_reordered_and_cut_entries_are_found(plant):
    gateway = plant.gateway()
    for i in range(6):
        gateway.request("GET", f"/v1/products?limit={i + 1}", token="operator")
    gateway.stop()
    file = sorted((gateway.directory / "var/audit").glob("*.jsonl"))[0]
    lines = file.read_text().splitlines()
    holds(len(lines) > 6, f"{len(lines)} lines")
    middle = next(i for i, line in enumerate(lines) if "limit=3" in line)

    def verify(changed):
        file.write_text("\n".join(changed) + "\n")
        return plant.run("audit", "verify", "var/audit", "--key", plant.file("audit.key"), cwd=gateway.directory)

    cases = [("changed", [line.replace("limit=3", "limit=4") for line in lines]),
             ("missing", lines[:middle] + lines[middle + 1:]),
             ("reordered", lines[:middle] + [lines[middle + 1], lines[middle]] + lines[middle + 2:]),
             ("", lines[:-2])]
    for word, changed in cases:
        found = verify(changed)
        holds(found.returncode == 1 and word in found.stdout and "NOT intact" in found.stdout,
              f"{word or 'cut'}: {found.returncode} {found.stdout}")
    equal(verify(lines).returncode, 0, "as it was")


def check_a_trace_goes_on_to_odoo_and_to_servers(plant):
    sandbox = plant.sandbox()
    tap = plant.server(forwarding(sandbox))
    gateway = plant.gateway(changes={"odoo": sandbox.settings(tap.port)})
    trace = "0af7651916cd43dd8448eb211c80319c"
    fields = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = gateway.request("GET", "/v1/products?limit=1", token="operator", fields=fields)
    equal(answer.status, 200, repr(answer))
    passed = [re.search(r"(?im)^traceparent: *(\S+)", head) for head in tap.heads]
    spans = [found[1] for found in passed if found and trace in found[1]]
    holds(spans and all(span.split("-")[2] != "b7ad6b7169203331" for span in spans), f"Odoo saw {spans}")
    # Without one, or with a bad one, a new trace begins.
    for sent in [{}, {"traceparent": "00-0-0-0"}]:
        gateway.request("GET", "/web/login", token="supervisor", fields=sent)
        # The gateway asks Odoo of its own accord as well.
        head = [head for head in tap.heads if head.startswith("GET /web/login")][-1]
        found = re.search(r"(?im)^traceparent: *(\S+)", head)
        holds(found and re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]", found[1]), head)


def check_metrics_tell_of_all_that_happened(plant):
    gateway = plant.gateway()
    order = released(gateway)["id"]
    gateway.request("POST", f"/v1/production-orders/{order}/confirm", {"quantity": 1}, "operator",
                    {"Idempotency-Key": "m"}, "tls")
    gateway.request("GET", "/v1/products", listener="tls")
    gateway.exchange("NONSENSE\r\n\r\n")
    metrics = gateway.metrics()
    holds(gateway.count("requests_total", route="production-order.confirm", status="200") == 1, "the confirmation")
    holds(gateway.count("request_duration_seconds_count", route="production-order.confirm") == 1, "its duration")
    for part in ["connections", "connections_accepted", "server_events", "upstream_in_flight", "upstream_queue",
                 "upstream_circuit_open", "upstream_answers", "ledger_operations", "audit_log", "limit_keys",
                 "configuration_generation", "tokens_total", "refusals_total"]:
        holds(any(name.startswith("millgate_" + part) for name in metrics), f"{part} is not in {sorted(metrics)[:20]}")
    equal(gateway.count("ledger_operations", state="applied"), 1)
    holds(gateway.count("server_events", event="tls-handshake") >= 2, "handshakes")
    holds(gateway.count("refusals_total", reason="malformed") == 1, "malformed")
    equal(gateway.admin("/healthz").status, 200)
    ready = wait(20, lambda: gateway.admin("/readyz").status == 200, "ready")
    holds(ready, "ready")
    # Prometheus reads it: each line is a comment or a sample, and types are told.
    page = gateway.admin("/metrics")
    holds(re.search(r"(?m)^# TYPE millgate_requests_total counter$", page.body.decode()), "types")
    holds((page.field("Content-Type") or "").startswith("text/plain"), f"{page.fields}")


def check_a_rate_limit_answers_429_with_its_name_and_when(plant):
    gateway = plant.gateway(changes={"limits": [
        {"name": "few", "key": "subject", "quota": 60, "window": "60s", "burst": 3}]})
    answers = [gateway.request("GET", "/v1/products?limit=1", token="operator") for _ in range(5)]
    equal([answer.status for answer in answers], [200, 200, 200, 429, 429])
    holds(answers[0].field("RateLimit-Policy") == '"few";q=60;w=60', answers[0].fields)
    holds(re.fullmatch(r'"few";r=2;t=\d+', answers[0].field("RateLimit") or ""), answers[0].fields)
    last = answers[-1]
    equal(last.json["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded")
    equal(last.json["violated-policies"], ["few"], repr(last))
    holds(1 <= int(last.field("Retry-After")) <= 60, last.fields)
    # Another caller is not touched.
    equal(gateway.request("GET", "/v1/products?limit=1", token="mes").status, 200)
    equal(gateway.count("refusals_total", reason="limit"), 2)


def check_odoo_away_means_503_or_an_operation_that_waits(plant):
    sandbox = plant.sandbox()
    gate = Tap(sandbox.port)
    plant.servers.append(gate)
    gateway = plant.gateway(changes={"odoo": sandbox.settings(gate.port)})
    order = released(gateway)["id"]
    path = f"/v1/production-orders/{order}/confirm"
    gate.shut()
    read = gateway.request("GET", "/v1/products", token="operator")
    equal(read.status, 503, repr(read))
    holds(int(read.field("Retry-After")) >= 1, read.fields)
    write = gateway.request("POST", path, {"quantity": 1}, "operator", {"Idempotency-Key": "away"})
    equal(write.status, 503, repr(write))
    holds(int(write.field("Retry-After")) >= 1, write.fields)
    later = gateway.request("POST", path, {"quantity": 1}, "operator",
                            {"Idempotency-Key": "later", "Prefer": "respond-async"})
    equal(later.status, 202, repr(later))
    equal(later.field("Preference-Applied"), "respond-async")
    place = later.field("Location")
    gate.open()

    def settled():
        state = gateway.request("GET", place, token="operator")
        return state.status == 200 and state.json["state"] in ("applied", "settled") and state.json

    found = wait(60, settled, "the operation is applied once Odoo is back")
    equal(found["answer"]["status"], 200)
    # What got 503 did nothing; the same key is tried anew.
    done = gateway.request("GET", f"/v1/production-orders/{order}", token="operator").json
    equal(done["quantity_produced"], 1)


def check_graceful_stop_answers_what_is_in_flight(plant):
    sandbox = plant.sandbox()
    gateway = plant.gateway(changes={"odoo": sandbox.settings(), "drain_timeout": "10s"})
    order = released(gateway)["id"]
    sandbox.fault(match="mrp.production.button_mark_done", kind="delay", delay_ms=1500, times=1)
    answers = []
    sender = threading.Thread(target=lambda: answers.append(gateway.request(
        "POST", f"/v1/production-orders/{order}/confirm", {"final": True}, "operator", {"Idempotency-Key": "drain"})))
    sender.start()
    wait(10, lambda: gateway.count("ledger_operations", state="dispatched") == 1, "it is under way")
    gateway.process.terminate()
    sender.join(30)
    equal(answers[0].status, 200, repr(answers[0]))
    equal(gateway.process.wait(20), 0)


class Tap:
    """Passes connections on to a port of this machine, or refuses them while it is shut."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.isShut, self.isOpen = False, True
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.isOpen:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            if self.isShut:
                s.close()
                continue
            other = socket.create_connection(("127.0.0.1", self.target))
            for a, b in [(s, other), (other, s)]:
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    @staticmethod
    def copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            a.close()
            b.close()

    def shut(self):
        self.isShut = True

    def open(self):
        self.isShut = False

    def close(self):
        self.isOpen = False
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


if __name__ == "__main__":
    main(globals())
