"""What people do in Odoo's own screens becomes one event, by Odoo's webhooks and by polling; what Odoo rolled back
becomes none."""
import json
import time
import urllib.request

from plant import REPOSITORY, equal, holds, main, wait

HOOK = "/hooks/odoo/orders-7f3a"


class Screen:
    """Somebody at Odoo, past the gateway."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.number = 0

    def __call__(self, model, method, *arguments, **named):
        self.number += 1
        body = json.dumps({
            "jsonrpc": "2.0", "method": "call", "id": self.number, "params": {
                "service": "object", "method": "execute_kw",
                "args": ["millgate", 2, "admin", model, method, list(arguments), named]}})
        request = urllib.request.Request(f"http://127.0.0.1:{self.sandbox.port}/jsonrpc", body.encode(),
                                         {"Content-Type": "application/json"})
        answer = json.load(urllib.request.urlopen(request, timeout=30))
        holds("error" not in answer, answer)
        return answer.get("result")


def watched(plant, version, poll):
    sandbox = plant.sandbox(version)
    gateway = plant.gateway(f"odoo-{version}", changes={
        "odoo": sandbox.settings(), "events": {"poll": poll, "hooks": [HOOK.rpartition("/")[2]]}})
    return Screen(sandbox), gateway


def events(gateway, kind="*"):
    return gateway.request("GET", f"/v1/events?limit=1000&type={kind}", token="auditor").json["events"]


def types(gateway, kind="*"):
    return [event["type"].split(".", 2)[2].removesuffix(".v1") for event in events(gateway, kind)]


def hook(gateway, body):
    return gateway.request("POST", HOOK, json.loads(body))


def beginning(gateway, screen):
    """Until the gateway has read how things are, nothing is a change."""
    wait(20, lambda: gateway.count("odoo_watch_total", item="polls") >= 1, "the first reading")
    time.sleep(2)


def order(screen, state):
    return screen("mrp.production", "search", [["state", "=", state]], limit=1)[0]


def check_a_rollback_phantom_is_no_event_and_a_change_is_exactly_one(plant):
    screen, gateway = watched(plant, 17, "1s")
    beginning(gateway, screen)
    phantom = order(screen, "confirmed")
    recording = json.loads((REPOSITORY / "Tests/Fixtures/odoo/17/522-webhook-rollback-events.json").read_text())
    equal(len(recording["bodies"]), 2)
    for body in recording["bodies"]:
        # As it came, about orders that are not here, and about one that is.
        equal(hook(gateway, body).status, 204)
        ours = body.replace('"_id": 127', f'"_id": {phantom}').replace('"_id": 128', f'"_id": {phantom}')
        equal(hook(gateway, ours).status, 204)
    # Longer than the last look at a hint, and than several readings.
    time.sleep(12)
    equal(types(gateway), [], "what was rolled back has not happened")
    changed = order(screen, "draft")
    screen("mrp.production", "action_confirm", [changed])
    for _ in range(3):
        equal(hook(gateway, json.dumps({"_action": "x", "_id": changed, "_model": "mrp.production"})).status, 204)
    wait(10, lambda: types(gateway), "the hint or the reading tells it")
    time.sleep(5)
    equal(types(gateway), ["production-order.released"])
    equal(events(gateway)[0]["subject"], f"production-order/{changed}")
    # By a hint alone, long before a reading, and not again by the reading.
    screen("mrp.production", "action_cancel", [changed])
    hook(gateway, json.dumps({"_id": changed, "_model": "mrp.production"}))
    wait(10, lambda: types(gateway)[1:], "the cancellation")
    equal(types(gateway), ["production-order.released", "production-order.cancelled"])


def check_hints_are_asked_for_by_name_and_believed_in_nothing(plant):
    screen, gateway = watched(plant, 19, "0s")
    beginning(gateway, screen)
    for path, body, status in [
            (HOOK + "x", {"_id": 1, "_model": "mrp.production"}, 404), (HOOK, {"_id": 1, "_model": "res.partner"}, 204),
            (HOOK, {"_id": 999999, "_model": "mrp.production"}, 204), (HOOK, {"state": "done"}, 204)]:
        equal(gateway.request("POST", path, body).status, status, f"{path} {body}")
    equal(gateway.request("GET", HOOK).status, 405)
    equal(gateway.request("POST", HOOK, {"x": "y" * 70_000}).status, 413)
    # Without polling a hint is enough.
    changed = order(screen, "draft")
    screen("mrp.production", "action_confirm", [changed])
    hook(gateway, json.dumps({"_id": changed, "_model": "mrp.production", "state": "cancel"}))
    wait(10, lambda: types(gateway) == ["production-order.released"], "what Odoo says counts, not what the hint says")


def check_every_watched_model_is_told_once(plant):
    for version in [17, 19]:
        screen, gateway = watched(plant, version, "1s")
        beginning(gateway, screen)
        product = screen("product.product", "search", [["default_code", "=", "SCREW-M6"]])[0]
        quant = screen("stock.quant", "search_read", [["product_id", "=", product],
                                                      ["location_id.usage", "=", "internal"]], ["location_id"])[0]
        place = quant["location_id"][0]
        operation = screen("mrp.workorder", "search_read", [["state", "=", "ready"]], ["workcenter_id"], limit=1)[0]
        screen("mrp.workorder", "button_start", [operation["id"]])
        wait(15, lambda: "work-order.started" in types(gateway), "started")
        screen("mrp.workorder", "button_pending", [operation["id"]])
        wait(15, lambda: "work-order.paused" in types(gateway), "paused")
        screen("mrp.workorder", "button_finish", [operation["id"]])
        scrap = screen("stock.scrap", "create", {"product_id": product, "scrap_qty": 2, "location_id": place})
        screen("stock.scrap", "action_validate", [scrap])
        request = screen("maintenance.request", "create", {"name": "Belt slips"})
        stage = screen("maintenance.stage", "search", [["done", "=", True]])[0]
        wait(15, lambda: "maintenance.requested" in types(gateway), "requested")
        screen("maintenance.request", "write", [request], {"stage_id": stage})
        wanted = ["work-order.started", "work-order.paused", "work-order.completed", "scrap.reported",
                  "maintenance.requested", "maintenance.closed"]
        wait(15, lambda: set(wanted) <= set(types(gateway)), wanted)
        # What the gateway does itself is told by its service alone.
        made = gateway.request("POST", "/v1/scrap", {"product_code": "SCREW-M6", "quantity": 1, "site": "plant-1"},
                               "mes", {"Idempotency-Key": "scrap"})
        equal(made.status, 201, repr(made))
        time.sleep(4)
        for kind in wanted:
            equal(types(gateway).count(kind), 2 if kind == "scrap.reported" else 1, f"{kind} on {version}")
        told = [event for event in events(gateway, "scrap.reported")]
        equal([bool(event.get("causationid")) for event in told], [False, True])
        gateway.stop()


if __name__ == "__main__":
    main(globals())
