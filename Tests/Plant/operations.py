"""What nobody could settle, as the people who run the gateway see it: by admin interface and command line."""
import json
import threading
import time

from plant import equal, holds, main, wait


def stuck(plant, gateway, sandbox, key):
    """A transfer whose validation was lost, and that somebody has cancelled in Odoo meanwhile: nobody can tell whether
    it was done. Answers the id of the operation and of the transfer, and the request."""
    shelf = sandbox.create("stock.location", name="SHELF-" + key, usage="internal", location_id=5)
    made = gateway.request("POST", "/v1/transfers", {
        "from": 5, "to": shelf, "product_code": "SCREW-M6", "quantity": 3, "complete": False}, "mes",
        {"Idempotency-Key": "planned-" + key})
    equal(made.status, 201, repr(made))
    transfer = made.json["id"]
    sandbox.fault(match="stock.picking.button_validate", kind="close_before_effect")
    request = ("POST", f"/v1/transfers/{transfer}/validate", {}, "mes", {"Idempotency-Key": key})
    answers = []
    worker = threading.Thread(target=lambda: answers.append(gateway.request(*request)))
    worker.start()
    wait(20, lambda: gateway.count("ledger_operations", state="dispatched") == 1, "it is sent")
    time.sleep(0.3)
    sandbox.call("stock.picking", "action_cancel", [transfer])
    worker.join()
    equal(answers[0].status, 504, repr(answers[0]))
    return answers[0].json["operation"].rpartition("/")[2], transfer, request


def counts(gateway, number):
    """What the metrics say of the one operation that is stuck, or of none."""
    equal(gateway.count("unknown_operations", operation="transfer.validate"), number)
    equal(gateway.count("unknown_operations"), number)
    equal(gateway.count("unknown_for_person"), number)
    ages = [gateway.count("unknown_oldest_seconds", operation="transfer.validate"),
            gateway.count("unknown_for_person_oldest_seconds")]
    holds(all(0 <= age < 120 for age in ages) and (number or ages == [0, 0]), f"{ages}")


def check_an_unknown_outcome_is_seen_and_settled_by_the_admin_interface(plant):
    sandbox = plant.sandbox()
    gateway = plant.gateway(changes={"odoo": sandbox.settings()})
    operation, transfer, request = stuck(plant, gateway, sandbox, "lost")
    counts(gateway, 1)
    gateway.kill()
    gateway.start()
    # What is unknown is known from the ledger; it is looked into once more, and nobody can tell still.
    wait(20, lambda: gateway.count("unknown_for_person") == 1, "it waits for a person again")
    counts(gateway, 1)
    token = (gateway.directory / "var" / "admin.token").read_text()

    def admin(method, path, body=None, token=token):
        return gateway.request(method, path, body, token, listener="admin")

    for nobody in [None, "0" * 43]:
        equal(admin("GET", "/operations", token=nobody).status, 401, "without the admin token")
        equal(admin("POST", f"/operations/{operation}/settle", {}, token=nobody).status, 401)
    equal(gateway.count("ledger_operations", state="unknown"), 1)
    found = admin("GET", "/operations").json["operations"]
    equal([entry["id"] for entry in found], [operation])
    entry = found[0]
    equal((entry["operation"], entry["state"], entry["is_examined"]),
          ("transfer.validate", "unknown", False), f"{entry}")
    holds("cancelled" in entry["why"] and entry["age_seconds"] >= 0, f"{entry}")
    equal(entry["records"], [f"stock.picking,{transfer}"])
    equal(admin("GET", "/operations?state=applied").json["operations"][0]["operation"], "transfer.create")
    equal(admin("GET", "/operations?state=lost").status, 400)
    equal(admin("GET", f"/operations?after={entry['number']}").json["operations"], [])
    one = admin("GET", f"/operations/{operation}").json
    sent = [step for step in one["steps"] if step["intent"]]
    equal([step["intent"]["step"] for step in sent], ["validate"], f"{one}")
    equal(admin("GET", "/operations/none").status, 404)
    # What a person says must be whole.
    for body in [{}, {"applied": False, "by": "ann"}, {"applied": "no", "by": "ann", "reason": "r"}]:
        equal(admin("POST", f"/operations/{operation}/settle", body).status, 400, f"{body}")
    equal(admin("POST", "/operations/none/settle", {"applied": False, "by": "ann", "reason": "r"}).status, 404)
    settled = admin("POST", f"/operations/{operation}/settle", {
        "applied": False, "by": "ann", "reason": "the transfer was cancelled by hand"})
    equal((settled.status, settled.json["state"], settled.json["applied"]), (200, "settled", False), repr(settled))
    again = admin("POST", f"/operations/{operation}/settle", {"applied": True, "by": "bob", "reason": "no"})
    equal(again.status, 409, repr(again))
    equal(admin("GET", "/operations").json["operations"], [])
    # The caller sees it under its own key and in the operation, and nothing is sent again.
    replayed = gateway.request(*request)
    equal((replayed.status, replayed.json["applied"], replayed.json["records"]),
          (409, False, [f"stock.picking,{transfer}"]), repr(replayed))
    equal(replayed.field("Idempotent-Replayed"), "true")
    equal(gateway.request("GET", f"/v1/operations/{operation}", token="mes").json["state"], "settled")
    equal(gateway.count("ledger_operations", state="settled"), 1)
    counts(gateway, 0)
    equal(gateway.count("unknown_ended_total", operation="transfer.validate", ending="by-person"), 1)
    equal(gateway.count("unknown_duration_seconds_count"), 1)
    equal(sandbox.state()["effects"].get("stock.picking.button_validate", 0), 0)


def check_an_unknown_outcome_is_seen_and_settled_by_the_command_line(plant):
    sandbox = plant.sandbox()
    gateway = plant.gateway(changes={"odoo": sandbox.settings()})
    operation, transfer, request = stuck(plant, gateway, sandbox, "lost")

    def command(*arguments):
        return plant.run("operations", *arguments, "--config", "millgate.yaml", "--admin",
                         f"http://127.0.0.1:{gateway.ports['admin']}", cwd=gateway.directory)

    listed = command("list")
    equal(listed.returncode, 0, listed.stderr)
    rows = listed.stdout.splitlines()
    holds(len(rows) == 2 and rows[1].startswith(operation) and "transfer.validate" in rows[1], listed.stdout)
    shown = command("show", operation)
    equal(shown.returncode, 0, shown.stderr)
    holds(f"records: stock.picking,{transfer}" in shown.stdout and "state: unknown" in shown.stdout, shown.stdout)
    machine = json.loads(command("show", operation, "--json").stdout)
    equal(machine["id"], operation)
    nothing = command("show", "none")
    holds(nothing.returncode != 0 and "no operation" in nothing.stderr + nothing.stdout, nothing.stderr)
    silent = command("settle", operation, "--applied")
    holds(silent.returncode == 64 and "reason" in silent.stderr, f"{silent}")
    settled = command("settle", operation, "--applied", "--reason", "done by hand", "--by", "ann")
    equal((settled.returncode, settled.stdout.strip()), (0, f"settled: {operation} was done"), settled.stderr)
    equal(command("list").stdout.strip(), "no operation is unknown")
    again = command("settle", operation, "--no-applied", "--reason", "no", "--by", "bob")
    holds(again.returncode != 0 and "settled" in again.stderr + again.stdout, f"{again}")
    replayed = gateway.request(*request)
    equal((replayed.status, replayed.json["applied"]), (409, True), repr(replayed))
    # Who said it and why stands in the audit log.
    noted = plant.run("audit", "show", "var/audit", cwd=gateway.directory)
    holds("ann" in noted.stdout and "done by hand" in noted.stdout, noted.stdout[-2000:] + noted.stderr)


def check_readyz_says_whether_odoo_has_a_quality_application_and_alerts_go_there(plant):
    for odoo in [17, 19]:
        for arguments, kept, model, named in [((), "activity", "mail.activity", "summary"),
                                              (("--quality",), "quality.alert", "quality.alert", "title")]:
            sandbox = plant.sandbox(odoo, arguments=arguments)
            gateway = plant.gateway(f"{odoo}-{kept}", changes={"odoo": sandbox.settings()})

            def odoo_check():
                return gateway.admin("/readyz").json["checks"]["odoo"]

            wait(20, lambda: odoo_check()["facts"], "Odoo is asked what it has")
            found = odoo_check()
            equal(found["status"], "pass", f"{found}")
            equal(found["facts"]["quality"], kept, f"{found}")
            equal("no quality application" in found["detail"], not arguments, f"{found}")
            raised = gateway.request("POST", "/v1/quality-alerts", {"title": "Burr", "production_order": 1}, "mes",
                                     {"Idempotency-Key": "burr"})
            equal((raised.status, raised.json.get("kept_as")), (201, kept), repr(raised))
            equal(len(sandbox.records(model, [(named, "=", "Burr")])), 1, model)
            closed = gateway.request("POST", f"/v1/quality-alerts/{raised.json['id']}/close",
                                     {"resolution": "deburred"}, "mes", {"Idempotency-Key": "deburred"})
            equal(closed.status, 200, repr(closed))
            gateway.stop()
            sandbox.close()


if __name__ == "__main__":
    main(globals())
