"""Events reach their subscribers: signed, in order, at least once through `kill -9`, whatever their endpoints do."""
import base64
import hashlib
import hmac
import json
import os
import re
import ssl
import subprocess
import threading
import time

from plant import REPOSITORY, Skip, equal, holds, main, wait

SECRET = "whsec_" + base64.b64encode(b"millgate-test-secret-of-32-bytes").decode()
HERE = {"webhooks": {"allowed_networks": ["127.0.0.0/8"], "allow_plain_text": True}}


class Receiver:
    """An endpoint: keeps what came, verifies it, and answers what `answer(delivery)` says: a status, or with fields."""

    def __init__(self, plant, answer=None, secret=SECRET):
        self.deliveries, self.bad, self.secret = [], [], secret
        self.answer = answer or (lambda delivery: 204)
        self.lock = threading.Lock()
        self.server = plant.server(self.serve)
        self.url = self.server.url + "/hook"

    def serve(self, connection, head, number):
        body = connection.body(head)
        fields = {name.strip().lower(): value.strip()
                  for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
        delivery = {"head": head, "fields": fields, "body": body, "time": time.time(), "id": fields.get("webhook-id")}
        try:
            delivery["json"] = json.loads(body)
        except ValueError:
            delivery["json"] = None
        with self.lock:
            if not signed(delivery, self.secret):
                self.bad.append(delivery)
            self.deliveries.append(delivery)
        answer = self.answer(delivery)
        if answer is None:
            return False
        status, more = answer if isinstance(answer, tuple) else (answer, "")
        text = b"" if status == 204 else b"Content-Length: 2\r\n"
        connection.send(b"HTTP/1.1 %d X\r\n%s%s\r\n%s" % (status, more.encode(), text, b"" if status == 204 else b"ok"))
        return True

    def ids(self):
        with self.lock:
            return [delivery["id"] for delivery in self.deliveries]

    def types(self):
        with self.lock:
            return [delivery["json"]["type"].split(".", 2)[2] for delivery in self.deliveries if delivery["json"]]


def signatures(delivery, secret):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    fields = delivery["fields"]
    content = f"{fields.get('webhook-id')}.{fields.get('webhook-timestamp')}.".encode() + delivery["body"]
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def signed(delivery, secret):
    given = delivery["fields"].get("webhook-signature", "").split(" ")
    age = abs(time.time() - int(delivery["fields"]["webhook-timestamp"]))
    return signatures(delivery, secret) in given and age < 60


def subscribe(gateway, name, url, **more):
    """Puts a subscriber's document among the policies of a gateway that is not started yet, or is told to reload."""
    folder = gateway.directory / "policies" / "subscribers"
    folder.mkdir(exist_ok=True)
    secret = gateway.directory / f"{name}.secret"
    secret.write_text(more.pop("secret", SECRET))
    secret.chmod(0o600)
    document = {"subscriber": name, "url": url,
                "as": {"issuer": "https://id.millgate.example", "client_id": more.pop("client", "mes")},
                "events": more.pop("events", ["*"]), "secrets": [{"file": str(secret)}], **more}
    text = re.sub(r'"(\d+(?:ms|s|m|h|d))"', r"\1", json.dumps(document, indent=1))
    (folder / f"{name}.yaml").write_text(text)


def started(plant, subscribers, settings=None, name="gateway"):
    gateway = plant.gateway(name, changes={**HERE, **(settings or {})}, start=False)
    for subscriber, options in subscribers.items():
        subscribe(gateway, subscriber, **options)
    return gateway.start()


def order(gateway, key, steps=("release",), site="plant-1"):
    """A new order with what happens to it; gives its id."""
    made = gateway.request("POST", "/v1/production-orders", {"product": 9, "quantity": 50, "site": site}, "mes",
                           {"Idempotency-Key": key})
    equal(made.status, 201, repr(made))
    for step in steps:
        body = {"quantity": 1} if step == "confirm" else {}
        answer = gateway.request("POST", f"/v1/production-orders/{made.json['id']}/{step}", body, "mes",
                                 {"Idempotency-Key": f"{key}-{step}"})
        equal(answer.status, 200, repr(answer))
    return made.json["id"]


def cli(gateway, *arguments, status=0):
    """`millgate webhook …` against the running gateway."""
    made = subprocess.run(
        [str(gateway.plant.millgate), "webhook", *map(str, arguments), "--config", "millgate.yaml", "--admin",
         f"http://127.0.0.1:{gateway.ports['admin']}"],
        cwd=gateway.directory, capture_output=True, text=True, timeout=60)
    equal(made.returncode, status, made.stdout + made.stderr)
    return made.stdout


def listed(gateway, name):
    return next(one for one in json.loads(cli(gateway, "list", "--json"))["subscribers"] if one["subscriber"] == name)


def check_an_order_reaches_its_subscriber_signed_and_in_order(plant):
    receiver = Receiver(plant)
    thin, binary = Receiver(plant), Receiver(plant)
    gateway = started(plant, {
        "partner": {"url": receiver.url, "events": ["production-order.*", "production.confirmed"]},
        "thin": {"url": thin.url, "events": ["production-order.released"], "format": "thin",
                 "headers": {"Authorization": "Bearer top-secret"}},
        "binary": {"url": binary.url, "events": ["production-order.released"], "format": "binary"}})
    number = order(gateway, "first", ["release", "confirm"])
    wait(10, lambda: "production.confirmed.v1" in receiver.types() and thin.deliveries and binary.deliveries,
         receiver.types())
    equal(receiver.bad + thin.bad + binary.bad, [], "badly signed")
    # Those of its backorder come at any time among them.
    own = [d["json"] for d in receiver.deliveries if d["json"]["subject"] == f"production-order/{number}"]
    equal([event["type"].split(".", 2)[2] for event in own[:2]],
          ["production-order.created.v1", "production-order.released.v1"])
    holds("production.confirmed.v1" in receiver.types(), receiver.types())
    sequences = [event["sequence"] for event in own]
    equal(sequences, sorted(sequences), "the order's events in their sequence")
    first = receiver.deliveries[0]
    equal(first["fields"]["content-type"], "application/cloudevents+json")
    equal(first["json"]["id"], first["id"])
    holds("data" not in thin.deliveries[0]["json"], thin.deliveries[0]["json"])
    equal(thin.deliveries[0]["fields"]["authorization"], "Bearer top-secret")
    equal(binary.deliveries[0]["fields"]["ce-type"], "dev.millgate.production-order.released.v1")
    holds("order" in binary.deliveries[0]["json"], binary.deliveries[0]["body"])
    wait(5, lambda: gateway.count("webhook_deliveries_total", subscriber="partner") == len(receiver.deliveries),
         "the metrics count the deliveries")
    equal(len(set(receiver.ids())), len(receiver.ids()), "each once")


def check_the_published_libraries_verify_and_read_it(plant):
    made = subprocess.run([str(REPOSITORY / "scripts/venv.sh")], capture_output=True, text=True)
    equal(made.returncode, 0, made.stderr)
    python = REPOSITORY / ".build/venv/bin/python"
    structured, binary = Receiver(plant), Receiver(plant)
    gateway = started(plant, {"structured": {"url": structured.url},
                              "binary": {"url": binary.url, "format": "binary"}})
    order(gateway, "library")
    wait(10, lambda: len(structured.deliveries) >= 2 and len(binary.deliveries) >= 2, "two deliveries each")
    cases = [{"fields": d["fields"], "body": d["body"].decode()} for d in structured.deliveries + binary.deliveries]
    script = """
import json, sys
from standardwebhooks.webhooks import Webhook
from svix.webhooks import Webhook as Svix, WebhookVerificationError
from cloudevents.http import from_http
cases = json.load(sys.stdin)
types = []
for case in cases:
    Webhook(SECRET).verify(case["body"], case["fields"])
    Svix(SECRET).verify(case["body"], case["fields"])
    event = from_http(case["fields"], case["body"])
    assert event["id"] == case["fields"]["webhook-id"] and event["specversion"] == "1.0", event
    assert event["type"].startswith("dev.millgate.production-order."), event
    assert event.data["order"]["id"] > 0, event.data
    types.append(event["type"])
    for verify in (Webhook(SECRET).verify, Svix(SECRET).verify):
        try:
            verify(case["body"] + " ", case["fields"])
        except Exception as error:
            assert type(error).__name__ == "WebhookVerificationError", error
        else:
            raise SystemExit("a changed body was accepted")
print(len(types))
""".replace("SECRET", repr(SECRET))
    checked = subprocess.run([str(python), "-c", script], input=json.dumps(cases), capture_output=True, text=True)
    equal(checked.returncode, 0, checked.stderr[-2000:])
    equal(checked.stdout.strip(), str(len(cases)))


def check_killed_at_any_moment_every_event_comes_at_least_once_with_its_id(plant):
    sandbox = plant.sandbox()
    receiver = Receiver(plant)
    slow = Receiver(plant, answer=lambda delivery: time.sleep(0.02) or 204)
    strict = Receiver(plant)
    # Several strings of work, so that a kill meets deliveries in flight.
    gateway = started(plant, {"fast": {"url": receiver.url}, "slow": {"url": slow.url, "concurrency": 2},
                              "strict": {"url": strict.url, "ordering": "strict"}},
                      {"odoo": sandbox.settings()})
    over = threading.Event()
    made = []

    def work(number):
        count = 0
        while not over.is_set():
            count += 1
            key = f"kill-{number}-{count}"
            while not over.is_set():
                try:
                    order(gateway, key)
                    made.append(key)
                    # No more than the slow receiver can take in the time that the test has.
                    time.sleep(0.02)
                    break
                except Exception:
                    time.sleep(0.05)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.7)
        gateway.kill()
        gateway.start()
    time.sleep(0.5)
    over.set()
    for thread in threads:
        thread.join(30)
    # What the log has is what each must have got.
    events, cursor = [], None
    while True:
        after = f"&after={cursor}" if cursor else ""
        page = gateway.request("GET", "/v1/events?limit=1000" + after, token="mes").json
        events += page["events"]
        cursor = page["cursor"]
        if not page["events"]:
            break
    wanted = {event["id"] for event in events}
    holds(len(wanted) >= 20, f"only {len(wanted)} events")
    for name, one in [("fast", receiver), ("slow", slow), ("strict", strict)]:
        wait(60, lambda one=one: wanted <= set(one.ids()), f"{name}: {len(wanted - set(one.ids()))} missing")
        equal(one.bad, [], f"{name}: badly signed")
        holds(set(one.ids()) <= wanted, f"{name}: {set(one.ids()) - wanted} are no events")
        # In order of their first coming, for each subject; for the strict one in that of the log.
        first, last = {}, {}
        for position, delivery in enumerate(one.deliveries):
            first.setdefault(delivery["id"], (position, delivery["json"]))
        for _, event in sorted(first.values(), key=lambda pair: pair[0]):
            subject, sequence = event["subject"], int(event["sequence"])
            holds(sequence > last.get(subject, 0), f"{name}: {subject} {sequence} after {last.get(subject)}")
            last[subject] = sequence
    order_of = {event["id"]: place for place, event in enumerate(events)}
    places = [order_of[one] for one in dict.fromkeys(strict.ids())]
    equal(places, sorted(places), "strict order")


def check_sick_endpoints_delay_nobody_and_redirects_are_not_followed(plant):
    healthy = Receiver(plant)
    trap = Receiver(plant)
    over = threading.Event()
    sick = {
        "failing": Receiver(plant, answer=lambda d: 500),
        "redirecting": Receiver(plant, answer=lambda d: (302, f"Location: {trap.url}\r\n")),
        "hanging": Receiver(plant, answer=lambda d: over.wait(30) and None),
        "closing": Receiver(plant, answer=lambda d: None),
        "slow": Receiver(plant, answer=lambda d: over.wait(0.7) or 204),
    }
    gateway = started(plant, {"healthy": {"url": healthy.url},
                              **{name: {"url": one.url, "timeout": "2s", "retry": ["1s", "1s"]}
                                 for name, one in sick.items()},
                              "nobody": {"url": "http://127.0.0.1:9/", "retry": ["1s", "1s"]}})
    began = time.time()
    for number in range(8):
        order(gateway, f"sick-{number}")
    wait(10, lambda: len(healthy.deliveries) >= 16, "the healthy one gets everything")
    lags = [d["time"] - began for d in healthy.deliveries]
    holds(max(lags) < 10, f"the last came after {max(lags):.1f} s")
    wait(20, lambda: listed(gateway, "failing")["dead_letters"] > 0, "given up after three attempts")
    wait(20, lambda: listed(gateway, "nobody")["dead_letters"] > 0, "given up where nobody listens")
    equal(trap.deliveries, [], "a redirect was followed")
    attempts = wait(5, lambda: json.loads(cli(gateway, "attempts", "redirecting", "--json"))["attempts"], "it is kept")
    equal({attempt["reason"] for attempt in attempts}, {"status 302"})
    holds("Location: " + trap.url in attempts[0]["response"], attempts[0]["response"])
    closed = wait(5, lambda: json.loads(cli(gateway, "attempts", "closing", "--json"))["attempts"], "it is kept")
    reasons = {attempt["reason"] for attempt in closed}
    equal(reasons, {"the connection ended before the answer did"})
    wait(10, lambda: any(attempt["reason"] == "no answer in time" for attempt in
                         json.loads(cli(gateway, "attempts", "hanging", "--json"))["attempts"]), "the hanging one")
    holds(listed(gateway, "failing")["waits_for"], "it says why")
    # Mended, a redrive brings what was given up; the loop guard stops at five.
    sick["failing"].answer = lambda d: 204
    letters = json.loads(cli(gateway, "dead-letters", "failing", "--json"))["dead_letters"]
    one = letters[0]
    holds(one["preview"] and one["type"].startswith("production-order."), one)
    said = cli(gateway, "redrive", "failing", "--number", one["event_number"])
    holds("sent again: 1" in said, said)
    event = one["event"]
    wait(10, lambda: sick["failing"].ids().count(event) == 4, "the letter came again with its id")
    wait(5, lambda: all(letter["event"] != event for letter in
                        json.loads(cli(gateway, "dead-letters", "failing", "--json"))["dead_letters"]),
         "it is no letter any more")
    told = wait(5, lambda: [e for e in gateway.request(
        "GET", "/v1/events?type=webhook-delivery.*&limit=1000", token="auditor").json["events"]], "told as an event")
    holds({"failing", "nobody"} <= {e["data"]["subscriber"] for e in told}, told)
    over.set()


def check_the_policy_says_who_sends_dead_letters_again_and_who_agrees(plant):
    failing = Receiver(plant, answer=lambda delivery: 500)
    gateway = plant.gateway(changes=HERE, start=False)
    subscribe(gateway, "failing", failing.url, retry=["1s"])
    rules = gateway.directory / "policies/access/webhooks.yaml"
    rules.write_text(rules.read_text().replace("input.letters > 100", "input.letters > 1"))
    roles = gateway.directory / "policies/roles.yaml"
    everybody = "      - claim: interface\n        equals: admin\n        issuer: urn:millgate:admin\n"
    holds(everybody in roles.read_text(), "the shipped role")
    roles.write_text(roles.read_text().replace(everybody, "".join(
        f"      - subject: {name}\n        issuer: urn:millgate:admin\n" for name in ["anna", "bert"])))
    gateway.start()
    order(gateway, "redrive")
    wait(20, lambda: listed(gateway, "failing")["dead_letters"] == 2, "two are given up")
    cli(gateway, "redrive", "failing", "--all", "--by", "mallory", status=1)
    said = cli(gateway, "redrive", "failing", "--all", "--by", "anna")
    approval = re.search(r"--approve (\w+)", said)
    holds(approval and "delivery-operator must approve it" in said, said)
    equal(len(failing.deliveries), 4, "nothing is sent before somebody agrees")
    for nobody in ["anna", "mallory"]:
        cli(gateway, "redrive", "failing", "--approve", approval[1], "--by", nobody, status=1)
    said = cli(gateway, "redrive", "failing", "--approve", approval[1], "--by", "bert")
    holds("sent again: 2" in said, said)
    cli(gateway, "redrive", "failing", "--approve", approval[1], "--by", "bert", status=1)
    # One at a time needs nobody else, and goes five times.
    letters = wait(20, lambda: (lambda found: found if len(found) == 2 else None)(
        json.loads(cli(gateway, "dead-letters", "failing", "--json"))["dead_letters"]), "given up again")
    number, redrives = letters[0]["event_number"], letters[0]["redrives"]
    equal(redrives, 1)
    while redrives < 5:
        holds("sent again: 1" in cli(gateway, "redrive", "failing", "--number", number, "--by", "anna"), redrives)
        redrives += 1
        wait(20, lambda: any(one["event_number"] == number and one["redrives"] == redrives for one in json.loads(
            cli(gateway, "dead-letters", "failing", "--json"))["dead_letters"]), f"given up after redrive {redrives}")
    said = cli(gateway, "redrive", "failing", "--number", number, "--by", "anna")
    holds("sent again: 0" in said and "not sent: 1" in said, said)
    log = "".join(path.read_text(errors="replace") for path in (gateway.directory / "var/audit").iterdir())
    holds("anna, approved by bert" in log and "mallory may not send" in log, "it is audited")


def check_tls_is_by_the_authorities_and_the_certificate_of_the_document(plant):
    receiver = Receiver(plant)
    receiver.server.context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plant.file("server.pem"), plant.file("server.key"))
    context.load_verify_locations(plant.file("ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    url = f"https://localhost:{receiver.server.port}/hook"
    authorities = {"authorities": plant.file("ca.pem")}
    own = {"certificate": plant.file("client.pem"), "key": plant.file("client.key")}
    gateway = started(plant, {"known": {"url": url, "tls": {**authorities, **own}},
                              "stranger": {"url": url, "tls": own}, "nameless": {"url": url, "tls": authorities}})
    order(gateway, "tls")
    wait(10, lambda: len(receiver.deliveries) == 2, "with both it is delivered")
    for name in ["stranger", "nameless"]:
        wait(10, lambda name=name: json.loads(cli(gateway, "attempts", name, "--json"))["attempts"], name)
    refused = json.loads(cli(gateway, "attempts", "stranger", "--json"))["attempts"][0]
    holds("certificate" in refused["reason"], refused)
    equal((len(receiver.deliveries), receiver.bad), (2, []), "nobody else came through")
    plain = gateway.directory / "policies/subscribers/known.yaml"
    plain.write_text(plain.read_text().replace("https://", "http://"))
    gateway.settings["webhooks"] = {**HERE["webhooks"], "allow_plain_text": False}
    gateway.write()
    checked = subprocess.run([str(plant.millgate), "check", "--config", "millgate.yaml"], cwd=gateway.directory,
                             capture_output=True, text=True)
    holds(checked.returncode == 78 and "use https://" in checked.stdout + checked.stderr, "without TLS nothing is sent")


def check_a_replay_goes_to_one_subscriber_and_letters_are_chosen_by_filter(plant):
    one, other = Receiver(plant), Receiver(plant)
    failing = Receiver(plant, answer=lambda d: 500)
    gateway = started(plant, {"one": {"url": one.url}, "other": {"url": other.url},
                              "failing": {"url": failing.url, "retry": ["1s"]}})
    order(gateway, "replayed", ["release"])
    wait(10, lambda: len(one.ids()) >= 2 and len(other.ids()) >= 2, "both have both")
    first = one.ids()[:2]
    # From a cursor on, by a time, and from a time at which nothing had happened yet.
    cli(gateway, "replay", "one", "--after", 0)
    wait(10, lambda: all(one.ids().count(event) == 2 for event in first), "from the first on")
    cli(gateway, "replay", "one", "--since", "1h")
    wait(10, lambda: all(one.ids().count(event) == 3 for event in first), "of the last hour")
    equal([other.ids().count(event) for event in first], [1, 1], "the other one has heard nothing of it")
    cli(gateway, "replay", "one", status=64)
    wait(20, lambda: listed(gateway, "failing")["dead_letters"] >= 2, "both are given up")
    failing.answer = lambda d: 204
    for choice, count in [(["--type", "lot.*"], 0), (["--reason", "status 404"], 0), (["--until", "1h"], 0),
                          (["--type", "production-order.released"], 1), (["--since", "1h", "--reason", "500"], 1)]:
        said = cli(gateway, "redrive", "failing", *choice)
        holds(f"sent again: {count}" in said, f"{choice}: {said}")
    wait(10, lambda: all(failing.ids().count(event) == 3 for event in first), failing.ids())
    wait(5, lambda: listed(gateway, "failing")["dead_letters"] == 0, "no letter is left")


def check_private_addresses_are_barred_after_the_name_is_resolved(plant):
    receiver = Receiver(plant)
    port = receiver.server.port
    gateway = started(plant, {"number": {"url": receiver.url}, "name": {"url": f"http://localhost:{port}/"},
                              "mapped": {"url": f"http://[::ffff:127.0.0.1]:{port}/"},
                              "octal": {"url": f"http://0x7f.1:{port}/"}},
                      {"webhooks": {"allowed_networks": ["10.20.0.0/16"], "allow_plain_text": True}})
    order(gateway, "barred")
    for name in ["number", "name", "mapped", "octal"]:
        attempts = wait(10, lambda name=name: json.loads(cli(gateway, "attempts", name, "--json"))["attempts"], name)
        holds("is not allowed" in attempts[0]["reason"], attempts[0]["reason"])
    equal(receiver.server.heads, [], "something was connected to")


def check_gone_disables_and_its_events_wait(plant):
    gone = Receiver(plant, answer=lambda d: 410)
    gateway = started(plant, {"gone": {"url": gone.url}})
    order(gateway, "gone-1")
    found = wait(10, lambda: (lambda one: one if one["state"] == "disabled" else None)(listed(gateway, "gone")), "410")
    holds("status 410" in found["waits_for"], found)
    order(gateway, "gone-2")
    gateway.stop()
    gateway.start()
    equal(listed(gateway, "gone")["state"], "disabled", "after a restart")
    wait(5, lambda: gateway.request("GET", "/v1/events?type=webhook-endpoint.disabled", token="auditor").json["events"],
         "told as an event")
    gone.answer = lambda d: 204
    before = len(gone.deliveries)
    cli(gateway, "enable", "gone")
    wait(10, lambda: len(set(gone.ids())) == 4 and len(gone.deliveries) >= before + 4, "its events were kept")
    equal(gone.bad, [])


def check_too_much_is_honoured(plant):
    moments = []

    def busy(delivery):
        moments.append(time.time())
        return (429, "Retry-After: 2\r\n") if len(moments) == 1 else 204

    receiver = Receiver(plant, answer=busy)
    gateway = started(plant, {"busy": {"url": receiver.url, "concurrency": 1, "retry": ["1s"]}})
    order(gateway, "busy")
    wait(10, lambda: len(set(receiver.ids())) == 2 and len(moments) == 3, "both came")
    holds(moments[1] - moments[0] > 1.9, f"again after {moments[1] - moments[0]:.2f} s")


def check_the_policy_decides_who_gets_what_and_masks(plant):
    wms, masked, other, filtered = (Receiver(plant) for _ in range(4))
    gateway = started(plant, {
        "wms": {"url": wms.url, "client": "wms"}, "stranger": {"url": other.url, "client": "nobody"},
        "masked": {"url": masked.url, "events": ["production-order.released"], "mask": ["external_reference"]},
        "filtered": {"url": filtered.url, "filter": "data.order.id < 0 || name == 'production-order.created'"}})
    order(gateway, "policy", ["release", "confirm"])
    order(gateway, "policy-2", site="plant-2")
    wait(10, lambda: wms.deliveries and masked.deliveries and len(filtered.deliveries) == 3, "they came")
    time.sleep(0.3)
    holds(all(t.split(".")[0] in ("finished-goods", "material", "scrap") for t in wms.types()), wms.types())
    equal(other.deliveries, [], "no role, no events")
    equal(set(filtered.types()), {"production-order.created.v1"})
    equal(masked.deliveries[0]["json"]["data"]["order"]["external_reference"], None)


def check_a_subscriber_is_registered_tested_rotated_and_removed_while_running(plant):
    receiver = Receiver(plant)
    # It outlives the gateway: the same order must not come twice.
    sandbox = plant.sandbox()
    gateway = started(plant, {}, {"odoo": sandbox.settings()})
    document = gateway.directory / "added.yaml"
    document.write_text(f"""
subscriber: added
url: {receiver.url}
as: {{ issuer: https://id.millgate.example, client_id: mes }}
events: [production-order.*]
""")
    secret = re.search(r"whsec_\S+", cli(gateway, "add", document))[0]
    receiver.secret = secret
    holds("verify" not in cli(gateway, "test", "added"), "the test was refused")
    equal([d["json"]["type"] for d in receiver.deliveries], ["dev.millgate.webhook.test.v1"])
    order(gateway, "added-1")
    wait(10, lambda: len(receiver.deliveries) == 3, "its events")
    equal(receiver.bad, [])
    # During the overlap both secrets sign.
    newer = re.search(r"whsec_\S+", cli(gateway, "rotate", "added", "--overlap", "1h"))[0]
    order(gateway, "added-2")
    wait(10, lambda: len(receiver.deliveries) == 5, "its events")
    equal(receiver.bad, [], "the old secret still verifies")
    last = receiver.deliveries[-1]
    holds(signed(last, newer) and signed(last, secret), last["fields"])
    # Without an overlap only the new one; also after a restart.
    public = re.search(r"whpk_\S+", cli(gateway, "rotate", "added", "--overlap", "0s", "--kind", "v1a"))[0]
    gateway.stop()
    gateway.start()
    order(gateway, "added-3")
    wait(10, lambda: len(receiver.deliveries) == 7, "its events")
    last = receiver.deliveries[-1]
    holds(not signed(last, newer) and last["fields"]["webhook-signature"].startswith("v1a,"), last["fields"])
    everything = gateway.output() + "".join(
        path.read_text(errors="replace") for path in (gateway.directory / "var/audit").iterdir())
    holds(secret[6:30] not in everything and newer[6:30] not in everything, "a secret was logged")
    holds("registered by" in everything and "rotated by" in everything, "it was audited")
    cli(gateway, "remove", "added")
    holds("added" not in cli(gateway, "list", "--json"), "it is gone")
    cli(gateway, "rotate", "added", status=1)
    document.write_text(document.read_text().replace("production-order.*", "production-ordr.*"))
    made = subprocess.run([str(plant.millgate), "webhook", "add", str(document), "--config", "millgate.yaml", "--admin",
                           f"http://127.0.0.1:{gateway.ports['admin']}"], cwd=gateway.directory, capture_output=True,
                          text=True)
    holds(made.returncode == 1 and "registered/added.yaml:5:10" in made.stderr, made.stderr)
    equal(public[:5], "whpk_")


def check_listen_verifies_and_refuses(plant):
    gateway = started(plant, {})
    secret = gateway.directory / "partner.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    listener = subprocess.Popen([str(plant.millgate), "webhook", "listen", "--port", "0", "--secret-file", str(secret)],
                                stdout=subprocess.PIPE, text=True)
    try:
        url = listener.stdout.readline().split()[-1]
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(listener.stdout.readline, "")), daemon=True).start()
        subscribe(gateway, "mine", url)
        subscribe(gateway, "wrong", url, secret="whsec_" + base64.b64encode(b"x" * 32).decode())
        gateway.process.send_signal(1)
        wait(10, lambda: '"mine"' in cli(gateway, "list", "--json"), "taken up by a reload")
        order(gateway, "listen")
        wait(10, lambda: sum("verified" in line for line in lines) == 2, lines)
        wait(10, lambda: sum("refused: no signature matches" in line for line in lines) >= 1, lines)
        attempt = wait(5, lambda: json.loads(cli(gateway, "attempts", "wrong", "--json"))["attempts"], "it is kept")[0]
        holds(attempt["reason"] == "status 401" and "no signature matches" in attempt["response"], attempt)
        holds("  mine  production-order.created" in cli(gateway, "tail", "mine", "--once"), "tail")
    finally:
        listener.kill()
        listener.wait()


def check_a_wrong_document_is_refused_with_its_place(plant):
    receiver = Receiver(plant)
    gateway = started(plant, {"good": {"url": receiver.url}})
    subscribe(gateway, "bad", receiver.url, filter="data.quantity >", events=["production-order.relased"])
    checked = subprocess.run([str(plant.millgate), "check", "--config", "millgate.yaml"], cwd=gateway.directory,
                             capture_output=True, text=True)
    equal(checked.returncode, 78, checked.stdout + checked.stderr)
    said = checked.stdout + checked.stderr
    holds("bad.yaml" in said and "selects no event; did you mean 'production-order.released'" in said, said)
    order(gateway, "good")
    wait(10, lambda: len(receiver.deliveries) == 2, "the good one goes on")


if __name__ == "__main__":
    main(globals())
