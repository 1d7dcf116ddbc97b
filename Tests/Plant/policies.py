"""Policies while they are enforced: conditions, second persons, masks, observing, signatures, rolling back, and other
applications that ask."""
import json
import re
import signal
import subprocess
import threading
import time

from plant import equal, holds, main, wait
from governed import released
from identity import Issuer, gateway_with


def rules(gateway, name, text):
    """Writes a file of rules; gives its path."""
    file = gateway.directory / f"policies/access/{name}.yaml"
    file.write_text("rules:\n" + text)
    return file


def reload(gateway):
    """Takes up the files now, and waits until it is done."""
    before = gateway.admin("/readyz").json["generation"]
    gateway.process.send_signal(signal.SIGHUP)
    wait(20, lambda: gateway.admin("/readyz").json["generation"] > before, "a reload:\n" + gateway.output()[-1500:])


def millgate(gateway, *arguments):
    return subprocess.run([str(gateway.plant.millgate), "policy", *arguments, "--config", "millgate.yaml"],
                          cwd=gateway.directory, capture_output=True, text=True)


def confirm(gateway, order, key, quantity, token="operator"):
    return gateway.request("POST", f"/v1/production-orders/{order}/confirm", {"quantity": quantity}, token=token,
                           fields={"Idempotency-Key": key})


LARGE = """
  - id: no-large-confirmations
    effect: forbid
    roles: [operator]
    operations: [production-order.confirm]
    sites: "*"
    condition: has(input.quantity) && input.quantity > 2.0
    disclosure: help
    help: Call the shift's supervisor.
"""


def check_a_condition_decides_by_the_input(plant):
    gateway = plant.gateway()
    order = released(gateway)["id"]
    rules(gateway, "test", LARGE)
    reload(gateway)
    refused = confirm(gateway, order, "c-1", 3)
    equal(refused.status, 403, repr(refused))
    equal(refused.json["rule"], "no-large-confirmations")
    equal(refused.json["help"], "Call the shift's supervisor.")
    equal(confirm(gateway, order, "c-2", 1).status, 200)
    # The audit log says what was decided, by which policy, and what of the input it depended on.
    digest = gateway.admin("/readyz").json["policy"]
    log = "".join(file.read_text() for file in sorted((gateway.directory / "var/audit").iterdir())
                  if file.suffix in (".log", ".jsonl"))
    entry = next(json.loads(line) for line in log.splitlines() if '"rule":"no-large-confirmations"' in line)
    equal((entry["effect"], entry["input"]["quantity"], entry["policy"]), ("forbid", 3, digest[:16]))
    equal(entry["claims"]["roles"], ["operator"])


def check_a_second_person_lets_a_write_through_once(plant):
    gateway = plant.gateway()
    order = released(gateway)["id"]
    file = gateway.directory / "policies/access/production.yaml"
    text = file.read_text()
    changed = re.sub(r"(?m)(id: site-staff-confirm(?:\n    .*)*?\n    sites: own\n)",
                     r"\1    obligations: {second_person: {roles: [supervisor]}}" + "\n", text, count=1)
    holds(changed != text, "the rule is there")
    file.write_text(changed)
    reload(gateway)
    asked = confirm(gateway, order, "s-1", 1)
    equal(asked.status, 403, repr(asked))
    holds(asked.json["type"].endswith("/approval-required"), repr(asked))
    address = asked.json["approval"]
    equal(gateway.request("POST", address + "/approve", token="operator").status, 403, "the operator's own")
    seen = gateway.request("GET", address, token="supervisor")
    equal((seen.status, seen.json["state"], seen.json["request"]["body"]["quantity"]), (200, "pending", 1))
    said = gateway.request("POST", address + "/approve", token="supervisor")
    equal((said.status, said.json["state"]), (200, "approved"))
    # A restart forgets neither.
    gateway.stop()
    gateway.start()
    done = confirm(gateway, order, "s-1", 1)
    equal(done.status, 200, repr(done))
    equal(confirm(gateway, order, "s-2", 1).status, 403, "the next needs its own")


def check_obligations_ask_for_a_certificate_and_a_fresh_token_and_keep_the_body(plant):
    issuer = Issuer(plant)
    issuer.make_key("k1")
    gateway = gateway_with(plant, issuer.entry())
    rules(gateway, "test", """
  - id: proof
    effect: allow
    roles: [operator]
    operations: [production-order.confirm]
    sites: own
    obligations: {client_certificate: true, fresh_token: {max_age: 5m}, audit_body: true}
""")
    reload(gateway)

    def token(signed_in):
        return issuer.token("k1", "--claim", "site=plant-1", "--claim", f"auth_time={int(time.time()) - signed_in}")

    fresh, stale = token(60), token(3600)
    order = released(gateway, token=fresh)["id"]

    def answer(token, key, *certificate):
        made = gateway.curl(
            "-i", "--http1.1", "--cacert", plant.file("ca.pem"), *certificate, "-H", "Authorization: Bearer " + token,
            "-H", "Idempotency-Key: " + key, "-H", "Content-Type: application/json", "-d", '{"quantity": 1}',
            url=f"https://localhost:{gateway.ports['tls']}/v1/production-orders/{order}/confirm")
        head, _, body = made.stdout.partition("\n\n")
        return head, json.loads(body)

    certificate = ["--cert", plant.file("client.pem"), "--key", plant.file("client.key")]
    head, problem = answer(fresh, "o-1")
    holds(" 403" in head and problem["type"].endswith("/client-certificate-required"), head + str(problem))
    head, problem = answer(stale, "o-2", *certificate)
    holds(" 401" in head and problem["type"].endswith("/fresh-token-required"), head + str(problem))
    # As RFC 9470 has it, so that a client knows what to ask its provider for.
    holds('error="insufficient_user_authentication"' in head and 'max_age=300' in head, head)
    head, done = answer(fresh, "o-3", *certificate)
    holds(" 200" in head, head + str(done))
    log = "".join(file.read_text(errors="replace") for file in (gateway.directory / "var/audit").iterdir()
                  if file.is_file())
    entries = [json.loads(line) for line in log.splitlines() if line.startswith('{"') and '"body":{' in line]
    equal([(entry["rule"], entry["body"]["quantity"]) for entry in entries if entry["kind"] == "outcome"],
          [("site-staff-confirm", 1)], "the body is kept of what was done")


def check_masked_members_are_null(plant):
    gateway = plant.gateway()
    rules(gateway, "test", """
  - id: hide
    effect: allow
    roles: [operator]
    operations: [production-order.read]
    sites: "*"
    obligations: {mask: [product]}
""")
    reload(gateway)
    for path in ["/v1/production-orders?site=plant-1&limit=2", "/v1/production-orders?limit=2"]:
        answer = gateway.request("GET", path, token="operator")
        equal([item["product"] for item in answer.json["items"]], [None, None], path)
        holds(all(item["name"] for item in answer.json["items"]), path)


def check_a_rule_may_name_the_warehouse(plant):
    gateway = plant.gateway()
    rules(gateway, "test", """
  - {id: closed, effect: forbid, roles: "*", operations: [inventory.read], sites: "*", warehouses: [WH2]}
""")
    reload(gateway)
    equal(gateway.request("GET", "/v1/inventory?site=plant-1", token="wms").status, 200)
    refused = gateway.request("GET", "/v1/inventory?site=plant-2", token="wms")
    equal((refused.status, refused.json["rule"]), (403, "closed"))


def check_a_rule_may_name_product_categories_and_work_centers(plant):
    gateway = plant.gateway()
    rules(gateway, "test", """
  - id: no-furniture
    effect: forbid
    roles: [mes]
    operations: [production-order.confirm, scrap.report]
    sites: "*"
    product_categories: [All / Furniture]
  - id: auditors-furniture
    effect: allow
    roles: [auditor]
    operations: [production-order.release, production-order.create]
    sites: "*"
    product_categories: [All / Furniture]
  - id: own-machine
    effect: forbid
    roles: [mes]
    operations: [work-order.start]
    sites: "*"
    work_centers: [ASSEMBLY-2]
""")
    reload(gateway)

    def orders(code, state="released"):
        path = f"/v1/production-orders?product_code={code}&state={state}"
        return gateway.request("GET", path, token="auditor").json["items"]

    def post(path, key, body=None, token="mes"):
        return gateway.request("POST", path, body, token=token, fields={"Idempotency-Key": key})

    pump, table = orders("PUMP-100")[0]["id"], orders("TABLE-01")[0]["id"]
    equal(confirm(gateway, pump, "p-1", 1, token="mes").status, 200)
    refused = confirm(gateway, table, "p-2", 1, token="mes")
    equal((refused.status, refused.json["rule"]), (403, "no-furniture"), repr(refused))
    scrap = {"product_code": "SCREW-M6", "quantity": 1, "site": "plant-2"}
    equal(post("/v1/scrap", "p-3", scrap).status, 201)
    equal(post("/v1/scrap", "p-4", {**scrap, "product_code": "LEG-STEEL"}).json["rule"], "no-furniture")
    # Allowed for a category alone, also where the caller does not say at which site.
    draft = {code: orders(code, "draft")[0]["id"] for code in ["CHAIR-01", "PUMP-100"]}
    equal(post(f"/v1/production-orders/{draft['PUMP-100']}/release", "p-5", token="auditor").status, 403)
    done = post(f"/v1/production-orders/{draft['CHAIR-01']}/release", "p-6", token="auditor")
    equal(done.status, 200, repr(done))
    made = {"product_code": "CHAIR-01", "quantity": 1, "site": "plant-2"}
    equal(post("/v1/production-orders", "p-7", made, token="auditor").status, 201)
    equal(post("/v1/production-orders", "p-8", {**made, "product_code": "PUMP-100"}, token="auditor").status, 403)
    work = gateway.request("GET", f"/v1/production-orders/{table}", token="auditor").json["operations"][0]["id"]
    refused = post(f"/v1/work-orders/{work}/start", "p-9")
    equal((refused.status, refused.json["rule"]), (403, "own-machine"), repr(refused))
    log = "".join(file.read_text(errors="replace") for file in (gateway.directory / "var/audit").iterdir()
                  if file.is_file())
    holds('"product_category":"All / Furniture"' in log, "the audit log says by which category it was decided")
    same = millgate(gateway, "replay", "--audit", "var/audit", "policies")
    holds(", 0 change," in same.stdout, same.stdout + same.stderr)


def check_what_is_observed_is_counted_and_not_refused(plant):
    gateway = plant.gateway()
    rules(gateway, "test", """
  - {id: later, effect: forbid, roles: [operator], operations: [product.read], sites: "*", mode: observe}
""")
    reload(gateway)
    equal(gateway.request("GET", "/v1/products?limit=1", token="operator").status, 200)
    wait(10, lambda: gateway.count("policy_observed_total", effect="forbid") == 1, "the count")
    # The same for the bundle: who may nothing gets through, and is counted.
    (gateway.directory / "policies/bundle.yaml").write_text("mode: observe\n")
    reload(gateway)
    equal(gateway.request("GET", "/v1/production-orders?limit=1&site=plant-1", token="security").status, 200)
    wait(10, lambda: gateway.count("policy_observed_total", effect="forbid") >= 2, "the count")
    holds("observe" in gateway.admin("/readyz").json["checks"]["policies"]["detail"], "readiness says so")


def check_unsigned_and_changed_policies_are_refused_and_the_last_good_stay(plant):
    gateway = plant.gateway()
    made = subprocess.run([str(plant.millgate), "keys", "new", "--kind", "ed25519", "--kid", "policies", "--out",
                           "keys"], cwd=gateway.directory, capture_output=True, text=True)
    equal(made.returncode, 0, made.stderr)
    signed = millgate(gateway, "sign", "--key", "keys/policies.key")
    equal(signed.returncode, 0, signed.stderr)
    gateway.settings["policies"] = {"directory": "policies", "verify": "keys/policies.jwk"}
    gateway.write()
    reload(gateway)
    digest = gateway.admin("/readyz").json["policy"]
    # OpenSSL agrees with the signature.
    key = next((gateway.directory / "keys").glob("*.key"))
    openssl = subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-inkey", str(key), "-in",
                              "policies/manifest.json", "-sigfile", "policies/manifest.sig"], cwd=gateway.directory,
                             capture_output=True, text=True)
    equal(openssl.returncode, 0, openssl.stderr)
    file = rules(gateway, "test", LARGE)
    verified = millgate(gateway, "verify")
    equal(verified.returncode, 1)
    holds("access/test.yaml:1:1: not in the manifest" in verified.stderr, verified.stderr)
    gateway.process.send_signal(signal.SIGHUP)
    wait(20, lambda: b"last reload was refused" in gateway.admin("/readyz").body, "the refusal")
    equal(gateway.admin("/readyz").json["policy"], digest, "the old ones stay")
    # Also after a restart.
    gateway.stop()
    gateway.start()
    ready = gateway.admin("/readyz").json
    equal(ready["policy"], digest, "after a restart")
    equal(gateway.request("GET", "/v1/products?limit=1", token="operator").status, 200)
    equal(millgate(gateway, "sign", "--key", "keys/policies.key").returncode, 0)
    reload(gateway)
    holds(gateway.admin("/readyz").json["policy"] != digest, "signed anew, it is taken")
    holds(file.exists(), "the file is there")


def check_a_rollback_is_one_command_and_drops_no_request(plant):
    gateway = plant.gateway()
    first = gateway.admin("/readyz").json["policy"]
    rules(gateway, "test", """
  - {id: shut, effect: forbid, roles: [operator], operations: [product.read], sites: "*"}
""")
    reload(gateway)
    equal(gateway.request("GET", "/v1/products?limit=1", token="operator").status, 403)
    statuses, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            statuses.append(gateway.request("GET", "/v1/products?limit=1", token="operator").status)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.daemon = True
        thread.start()
    back = millgate(gateway, "rollback")
    equal(back.returncode, 0, back.stderr)
    holds(first in back.stdout, back.stdout)
    wait(20, lambda: gateway.admin("/readyz").json["policy"] == first, "the earlier policy")
    equal(gateway.request("GET", "/v1/products?limit=1", token="operator").status, 200)
    released_again = millgate(gateway, "rollback", "--release")
    equal(released_again.returncode, 0, released_again.stderr)
    wait(20, lambda: gateway.request("GET", "/v1/products?limit=1", token="operator").status == 403, "the files again")
    stop.set()
    for thread in threads:
        thread.join()
    equal(set(statuses) - {200, 403}, set(), "every request was answered by one policy or the other")
    holds(200 in statuses and 403 in statuses and len(statuses) > 20, f"{len(statuses)} requests")


def check_diff_finds_an_escalation_planted_among_five_hundred_rules(plant):
    roles = ["operator", "supervisor", "mes", "wms", "machine-connector", "auditor", "security"]
    operations = ["production-order.read", "production-order.create", "production-order.release",
                  "production-order.confirm", "inventory.read", "work-center.read", "operation.read"]

    def rule(number, roles, bound):
        text = (f"  - {{id: r{number}, effect: {'forbid' if number % 10 == 9 else 'allow'}, roles: [{roles}], "
                f"operations: [{operations[number % 7]}], sites: [plant-{number // 49 + 1}]")
        if operations[number % 7] == "production-order.confirm":
            text += f", condition: 'has(input.quantity) && input.quantity <= {bound}.0'"
        return text + "}\n"

    gateway = plant.gateway(start=False)
    gateway.write()
    lines = [rule(number, roles[number // 7 % 7], 10 + number % 90) for number in range(500)]
    planted = list(lines)
    # Rule 248 lets suppliers confirm at plant 6, and only what is small.
    holds("production-order.confirm" in lines[248], lines[248])
    planted[248] = rule(248, roles[248 // 7 % 7] + ", supplier", 10 + 248 % 90)
    for name, text in [("old", lines), ("new", planted)]:
        directory = gateway.directory / name
        (directory / "access").mkdir(parents=True)
        (directory / "roles.yaml").write_text((gateway.directory / "policies/roles.yaml").read_text())
        (directory / "access/rules.yaml").write_text("rules:\n" + "".join(text))
    start = time.monotonic()
    found = subprocess.run([str(plant.millgate), "policy", "diff", "old", "new", "--config", "millgate.yaml"],
                           cwd=gateway.directory, capture_output=True, text=True)
    equal(found.returncode, 1, found.stdout + found.stderr)
    print(f"      policy diff, 500 rules, {time.monotonic() - start:.1f} s: {found.stdout.splitlines()[-1]}")
    gains = [line for line in found.stdout.splitlines() if line.startswith("gains: ")]
    equal(gains, ["gains: roles with supplier — production-order.confirm — at plant-6"], found.stdout)
    holds("allowed by rule 'r248'" in found.stdout and '"quantity"' in found.stdout, found.stdout)
    same = subprocess.run([str(plant.millgate), "policy", "diff", "old", "old", "--config", "millgate.yaml"],
                          cwd=gateway.directory, capture_output=True, text=True)
    equal((same.returncode, same.stdout.splitlines()[-1].split(", ")[1:]),
          (0, ["0 gains", "0 losses", "0 other obligations"]), same.stdout + same.stderr)


def check_other_applications_ask_the_same_policy(plant):
    gateway = plant.gateway()
    known = gateway.request("GET", "/.well-known/authzen-configuration").json
    base = known["policy_decision_point"]
    equal(known["access_evaluation_endpoint"], base + "/access/v1/evaluation")
    question = {
        "subject": {"type": "user", "id": "anna", "properties": {"roles": ["operator"], "site": "plant-1"}},
        "action": {"name": "production-order.confirm", "properties": {"quantity": 5}},
        "resource": {"type": "production-order", "id": "26", "properties": {"site": "plant-1"}},
    }
    answer = gateway.request("POST", "/access/v1/evaluation", question, token="mes")
    equal((answer.status, answer.json["decision"]), (200, True), repr(answer))
    equal(answer.json["context"]["rule"], "site-staff-confirm")
    several = gateway.request("POST", "/access/v1/evaluations", {
        "subject": question["subject"], "action": {"name": "inventory.read"},
        "evaluations": [{"resource": {"type": "site", "id": name}} for name in ["plant-2", "plant-1"]]}, token="mes")
    equal([one["decision"] for one in several.json["evaluations"]], [False, True], repr(several))
    first = gateway.request("POST", "/access/v1/evaluations", {
        "subject": question["subject"], "action": {"name": "inventory.read"},
        "options": {"evaluations_semantic": "deny_on_first_deny"},
        "evaluations": [{"resource": {"type": "site", "id": name}} for name in ["plant-2", "plant-1"]]}, token="mes")
    equal([one["decision"] for one in first.json["evaluations"]], [False], repr(first))
    # Who asks is under the policy too.
    equal(gateway.request("POST", "/access/v1/evaluation", question, token="operator").status, 403)
    equal(gateway.request("POST", "/access/v1/evaluation", question).status, 401)
    equal(gateway.request("POST", "/access/v1/evaluation", {"action": {}}, token="mes").status, 400)


if __name__ == "__main__":
    main(globals())
