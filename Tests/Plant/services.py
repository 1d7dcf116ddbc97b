"""The whole catalogue of services on an Odoo, by `millgate services test`."""
import re
import threading
import time

from governed import released
from plant import REPOSITORY, equal, holds, main, wait


def check_every_service_is_tried_on_both_versions(plant):
    (plant.directory / "admin.key").write_text("admin")
    # With the addon only where answers are lost: what is tried without loss is a part of it.
    for odoo, addon in [(17, False), (19, False), (17, True), (19, True)]:
        sandbox = plant.sandbox(odoo, arguments=["--addon"] if addon else [])
        # The same database may be used again, also where no answer to a call that books something arrives.
        for mode in [["--lose-answers"]] if addon else [[], ["--lose-answers"]]:
            made = plant.run("services", "test", "--odoo", f"http://127.0.0.1:{sandbox.port}", "--login", "admin",
                             "--key-file", "admin.key", "--policies", REPOSITORY / "policies", *mode)
            equal(made.returncode, 0, made.stdout + made.stderr)
            rows = made.stdout.splitlines()
            holds(rows[0].startswith(f"Odoo {odoo}.0, "), rows[0])
            equal(rows[0].endswith(", through the addon 1.0.0"), addon, rows[0])
            if mode:
                lost = re.fullmatch(r"(\d+) calls were carried out whose answers were thrown away", rows.pop())
                holds(lost and int(lost[1]) >= (30 if addon else 40), made.stdout)
            summary = re.fullmatch(r"(\d+) services: (\d+) ok, 0 failed, 0 without a trial", rows[-1])
            holds(summary and summary[1] == summary[2] == str(len(rows) - 2) and int(summary[1]) >= 25, rows[-1])
            confirm = next(row for row in rows if row.startswith("production-order.confirm "))
            holds("stock of the product: 0 → 2" in confirm, confirm)
        equal("millgate.request.perform" in sandbox.state()["effects"], addon, "through the addon, or not")


OWN = """
operation: order-reference.set
title: Set an order's reference
description: A site's own service.
kind: write
admission: standard
deadline: 60s
idempotency: The field is set to what the request says; a repetition changes nothing.
odoo:
  - { model: mrp.production, rights: [read, write] }
recipe:
  model: mrp.production
  strategy: absolute
  record: id
  values: { origin: reference }
  guard: { field: state, values: [draft, confirmed, progress, to_close] }
  site: { operation_type: picking_type_id }
  answer: { id: id, name: name, origin: reference, product_id: product }
endpoints:
  - name: set
    method: POST
    path: /v1/production-orders/{id}/reference
    summary: Sets the reference.
    path_parameters:
      - { name: id, description: The order's id., schema: { type: integer, minimum: 1 } }
    body:
      schema:
        type: object
        additionalProperties: false
        required: [reference]
        properties:
          reference: { type: string, minLength: 1, maxLength: 40 }
    response:
      schema:
        type: object
        additionalProperties: false
        required: [id, name, reference, product]
        properties:
          id: { type: integer }
          name: { type: [string, "null"] }
          reference: { type: [string, "null"] }
          product: { type: object }
    examples:
      - summary: A reference
        path: { id: 26 }
        body: { reference: ERP-4711 }
        response: { id: 26, name: WH/MO/00026, reference: ERP-4711, product: { id: 5, name: Pump } }
"""
RULE = """
rules:
  - {id: own, effect: allow, roles: [mes], operations: [order-reference.set], sites: [plant-1]}
"""


def check_a_sites_own_service_is_checked_served_and_goes_on_after_a_kill(plant):
    sandbox = plant.sandbox()
    gateway = plant.gateway("gateway", {"odoo": sandbox.settings()}, start=False)
    own = gateway.directory / "policies/services/order-reference.set.yaml"
    key = sandbox.key

    def check(text):
        own.write_text(text)
        return plant.run("services", "check", "--odoo", f"http://127.0.0.1:{sandbox.port}", "--login", "mes",
                         "--key-file", key, cwd=gateway.directory)

    good = check(OWN)
    equal(good.returncode, 0, good.stdout + good.stderr)
    holds(re.search(r"contracts, 1 with a recipe, \d+ models: 0 do not fit", good.stdout), good.stdout)
    for old, new, said in [
            ("values: { origin: ref", "values: { orgin: ref", "has no field 'orgin'; did you mean 'origin'?"),
            ("to_close] }", "closing] }", "'state' has no value 'closing': draft, confirmed"),
            ("operation_type: picking_type_id", "operation_type: product_id", "'product_id' does not name a stock"),
            ("values: { origin:", "values: { product_id:", "'product_id' names another record"),
            ("values: { origin:", "values: { product_qty:", "'product_qty' is a float in Odoo, not as 'reference'"),
            ('reference: { type: [string, "null"] }', "reference: { type: string }", "'origin' may be empty")]:
        wrong = check(OWN.replace(old, new))
        equal(wrong.returncode, 1, new)
        holds(said in wrong.stdout, f"{new}: {wrong.stdout}{wrong.stderr}")
    check(OWN)
    (gateway.directory / "policies/access/own.yaml").write_text(RULE)
    gateway.start()
    holds("order-reference.set" in gateway.request("GET", "/openapi.json").body.decode(), "it is published")
    order = released(gateway)["id"]

    def send(key, reference, order=order, token="mes"):
        return gateway.request("POST", f"/v1/production-orders/{order}/reference", {"reference": reference},
                               token=token, fields={"Idempotency-Key": key})

    done = send("o-1", "ERP-1")
    equal((done.status, done.json["reference"]), (200, "ERP-1"), repr(done))
    equal(send("o-1", "ERP-1").field("Idempotent-Replayed"), "true")
    equal(send("o-2", "ERP-2", token="operator").status, 403)
    equal(send("o-3", "x" * 41).status, 400)
    other = gateway.request("GET", "/v1/production-orders?site=plant-2&limit=1", token="auditor").json["items"][0]["id"]
    equal(send("o-4", "ERP-4", order=other).status, 403, "a rule for plant 1 does not speak of plant 2")
    # Killed while Odoo works on it: what became of it is found out by the recipe, after the start.
    sandbox.fault(match="mrp.production.write", kind="delay", delay_ms=3000)
    thread = threading.Thread(target=lambda: quietly(lambda: send("o-5", "ERP-5")))
    thread.start()
    time.sleep(1)
    gateway.kill()
    thread.join()
    gateway.start()
    wait(60, lambda: send("o-5", "ERP-5").status == 200, "the operation that was begun")
    equal(gateway.request("GET", f"/v1/production-orders/{order}", token="mes").json["external_reference"], "ERP-5")
    equal(sandbox.state()["calls"]["mrp.production.write"], 2, "each was sent once")


def quietly(call):
    try:
        call()
    except OSError:
        pass


def check_a_service_that_does_not_do_its_work_is_told(plant):
    (plant.directory / "admin.key").write_text("admin")
    sandbox = plant.sandbox()
    arguments = ["services", "test", "--odoo", f"http://127.0.0.1:{sandbox.port}", "--key-file", "admin.key",
                 "--policies", REPOSITORY / "policies"]
    sandbox.fault(match="stock.scrap.action_validate", kind="http500", times=0)
    made = plant.run(*arguments)
    equal(made.returncode, 1, made.stdout + made.stderr)
    failed = [row for row in made.stdout.splitlines() if re.match(r"\S+ +failed ", row)]
    equal([row.split()[0] for row in failed], ["scrap.report"], made.stdout)
    # What is in the way of all is said once.
    (plant.directory / "wrong.key").write_text("wrong")
    made = plant.run(*arguments[:4], "--key-file", "wrong.key", *arguments[6:])
    equal(made.returncode, 1, made.stdout)
    holds("the trial cannot begin" in made.stderr and "wrong" not in made.stderr, made.stderr)


if __name__ == "__main__":
    main(globals())
