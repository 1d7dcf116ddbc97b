"""Odoo's own interfaces behind the firewall: scripts as they are, with Python's XML-RPC client and plain HTTP."""
import json
import re
import threading
import time
import xmlrpc.client

from plant import REPOSITORY, equal, holds, main, wait
from policies import reload
from governed import released

ROUTE = {"name": "scripts", "kind": "rpc",
         "paths": ["/jsonrpc", "/xmlrpc", "/json/2", "/web/dataset/call_kw"], "access": "token"}
RULES = """
rules:
  - id: mes-orders
    effect: allow
    roles: [mes]
    operations: ["odoo.rpc:mrp.production.*", "odoo.rpc:product.product.search_read", "odoo.rpc:res.users.context_get"]
    sites: "*"
  - id: no-unlink
    effect: forbid
    roles: "*"
    operations: ["odoo.rpc:mrp.production.unlink"]
    sites: "*"
  - id: auditor-reads
    effect: allow
    roles: [auditor]
    operations: ["odoo.rpc:product.product.search_read", "odoo.rpc:mrp.production.search_read"]
    sites: "*"
    obligations:
      mask: [default_code]
"""


def firewall(plant, name="gateway", odoo=19, **route):
    changes = {"routes": [{"name": "odoo-web", "path": "/", "upstream": "odoo"},
                          {"name": "odoo-database", "path": "/web/database", "upstream": "odoo"},
                          {**ROUTE, **route}],
               "odoo": {"sandbox": odoo, "database": "plant",
                        "accounts": [{"name": "readers", "login": "limited", "roles": ["auditor"],
                                      "key": {"env": "LIMITED_KEY"}}]},
               "limits": [{"name": "counting", "key": "subject", "quota": 3, "window": "1h",
                           "operations": ["odoo.rpc:mrp.production.search_count"]}]}
    gateway = plant.gateway(name, changes, start=False, environment={"LIMITED_KEY": "sandbox-key-limited"})
    (gateway.directory / "policies/access/rpc.yaml").write_text(RULES)
    odoo_rules = gateway.directory / "policies/access/odoo.yaml"
    odoo_rules.write_text(odoo_rules.read_text().split("  - id: no-raw-rpc")[0])
    return gateway.start()


def script(gateway, path, token):
    return xmlrpc.client.ServerProxy(f"http://127.0.0.1:{gateway.ports['plain']}{path}", allow_none=True), \
        gateway.plant.token(token)


def jsonrpc(gateway, model, method, *arguments, token="mes", **named):
    body = {"jsonrpc": "2.0", "method": "call", "id": "a-1", "params": {
        "service": "object", "method": "execute_kw",
        "args": ["plant", 99, gateway.plant.token(token), model, method, list(arguments), named]}}
    answer = gateway.request("POST", "/jsonrpc", body)
    equal(answer.status, 200, repr(answer))
    equal(answer.json["id"], "a-1")
    return answer.json


def raises(code, call):
    try:
        found = call()
    except xmlrpc.client.Fault as fault:
        equal(fault.faultCode, code, fault.faultString)
        return fault.faultString
    raise AssertionError(f"no fault but {found!r}")


def entries(gateway):
    found = []
    for file in sorted((gateway.directory / "var/audit").glob("*")):
        for line in file.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                found.append(json.loads(line))
    return found


def check_an_xmlrpc_script_works_with_a_token_for_its_password(plant):
    for odoo in [19, 17]:
        gateway = firewall(plant, f"odoo-{odoo}", odoo)
        common, token = script(gateway, "/xmlrpc/2/common", "mes")
        equal(common.version()["server_version"], f"{odoo}.0")
        uid = common.authenticate("plant", "whoever", token, {})
        holds(isinstance(uid, int) and uid > 0, uid)
        equal(common.authenticate("plant", "whoever", "mes-pw", {}), False, "Odoo's own password")
        equal(common.authenticate("other", "whoever", token, {}), False, "another database")
        models, _ = script(gateway, "/xmlrpc/2/object", "mes")
        call = lambda *arguments: models.execute_kw("plant", uid, token, *arguments)
        orders = call("mrp.production", "search_read", [[["state", "=", "confirmed"]]],
                      {"fields": ["name", "state", "product_id"], "limit": 2})
        equal(len(orders), 2)
        holds(isinstance(orders[0]["product_id"][0], int), orders)
        # One record in, one id out; a list in, a list out: whatever protocol carried it.
        product = call("mrp.production", "read", [orders[0]["id"]], {"fields": ["product_id"]})[0]["product_id"][0]
        made = call("mrp.production", "create", [{"product_id": product, "product_qty": 2}])
        holds(isinstance(made, int), made)
        equal(call("mrp.production", "action_confirm", [[made]]), True)
        equal(call("mrp.production", "read", [[made]], {"fields": ["state"]})[0]["state"], "confirmed")
        holds("no-unlink" in raises(4, lambda: call("mrp.production", "unlink", [[made]])), "the rule is named")
        raises(4, lambda: call("res.partner", "search_read", [[]]))
        raises(4, lambda: call("mrp.production", "_compute_state", [[made]]))
        raises(3, lambda: models.execute_kw("plant", uid, "mes-pw", "mrp.production", "read", [[made]]))
        raises(2, lambda: call("mrp.production", "write", [[999999], {"origin": "x"}]))
        gateway.stop()


def check_json_scripts_are_judged_by_model_and_method(plant):
    gateway = firewall(plant)
    found = jsonrpc(gateway, "mrp.production", "search_read", [], fields=["name"], limit=1)
    equal(len(found["result"]), 1)
    refused = jsonrpc(gateway, "res.partner", "read", [1])["error"]
    equal(refused["data"]["name"], "odoo.exceptions.AccessError")
    equal(refused["data"]["debug"], "")
    equal(sorted(refused["data"]), ["arguments", "context", "debug", "message", "name"])
    equal(jsonrpc(gateway, "mrp.production", "read", [1], token="nobody")["error"]["data"]["name"],
          "odoo.exceptions.AccessDenied")
    body = {"jsonrpc": "2.0", "id": 1, "params": {"service": "db", "method": "list", "args": []}}
    equal(gateway.request("POST", "/jsonrpc", body).json["error"]["data"]["name"], "odoo.exceptions.AccessError")
    # The web client's way, and JSON-2, with the token where it belongs.
    body = {"id": 5, "params": {"model": "mrp.production", "method": "search_count", "args": [[]], "kwargs": {}}}
    answer = gateway.request("POST", "/web/dataset/call_kw/mrp.production/search_count", body, token="mes")
    holds(answer.json["result"] > 0, repr(answer))
    equal(gateway.request("POST", "/web/dataset/call_kw", body).status, 401)
    body = {"domain": [], "fields": ["name"], "limit": 1}
    answer = gateway.request("POST", "/json/2/mrp.production/search_read", body, token="mes")
    equal((answer.status, len(answer.json)), (200, 1))
    answer = gateway.request("POST", "/json/2/mrp.production/unlink", {"ids": [1]}, token="mes")
    equal((answer.status, answer.json["name"]), (403, "odoo.exceptions.AccessError"))


def check_what_cannot_be_read_is_refused(plant):
    gateway = firewall(plant)
    token = gateway.plant.token("mes")
    bomb = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><methodCall><methodName>&b;</methodName></methodCall>'
    for path, body, kind in [
            ("/jsonrpc", "{", "application/json"), ("/jsonrpc", "[]", "application/json"),
            ("/jsonrpc", "", "application/json"), ("/xmlrpc/2/object", bomb, "text/xml"),
            ("/jsonrpc", '{"params": {"service": "object"}}', "application/json"),
            ("/xmlrpc/2/object", "<methodCall>", "text/xml"), ("/xmlrpc/2/object", "", "text/xml")]:
        answer = gateway.request("POST", path, body, fields={"Content-Type": kind})
        equal(answer.status, 400, f"{path} {body}")
        equal(answer.json["type"].rpartition(":")[2].rpartition("/")[2], "malformed-request", repr(answer))
    equal(gateway.request("GET", "/jsonrpc").status, 405)
    equal(gateway.request("POST", "/xmlrpc/2/object/x", "").status, 404)
    equal(gateway.request("POST", "/jsonrpc", "x" * (1 << 20) + "x").status, 413)
    holds(token not in gateway.output(), "a token is in the log")


def check_masked_fields_and_accounts_and_limits(plant):
    gateway = firewall(plant)
    found = jsonrpc(gateway, "product.product", "search_read", [], token="auditor", fields=["name", "default_code"],
                    limit=3)
    equal([record["default_code"] for record in found["result"]], [False] * 3)
    seen = jsonrpc(gateway, "product.product", "search_read", [], fields=["name", "default_code"], limit=3)
    holds(all(record["default_code"] for record in seen["result"]), seen)
    # The auditor's calls are made as Odoo's user `limited`, who may not read orders there, whatever rules say here.
    holds("result" in jsonrpc(gateway, "mrp.production", "search_read", [], limit=1), "as the gateway's own user")
    found = jsonrpc(gateway, "mrp.production", "search_read", [], token="auditor", limit=1)
    equal(found["error"]["data"]["name"], "odoo.exceptions.AccessError", found)
    searched = jsonrpc(gateway, "product.product", "search_read", [["default_code", "=", "x"]], token="auditor")
    holds("default_code" in searched["error"]["data"]["message"], searched)
    for _ in range(3):
        holds("result" in jsonrpc(gateway, "mrp.production", "search_count", []), "within the limit")
    body = {"id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
        "plant", 1, gateway.plant.token("mes"), "mrp.production", "search_count", [[]]]}}
    answer = gateway.request("POST", "/jsonrpc", body)
    equal(answer.status, 429, repr(answer))
    equal(answer.json["violated-policies"], ["counting"])


def check_each_call_is_in_the_audit_log_by_model_and_method(plant):
    gateway = firewall(plant)
    token = gateway.plant.token("mes")
    common, _ = script(gateway, "/xmlrpc/2/common", "mes")
    holds(common.authenticate("plant", "whoever", token, {}) > 0, "logged in")
    equal(common.authenticate("plant", "whoever", "wrong", {}), False)
    made = jsonrpc(gateway, "mrp.production", "create", {"product_id": 1, "product_qty": 1})
    jsonrpc(gateway, "mrp.production", "search_read", [], limit=1)
    jsonrpc(gateway, "mrp.production", "unlink", [1])
    equal(gateway.count("requests_total", route="scripts"), 5, "requests of the route")
    gateway.stop()
    by_operation = {}
    for entry in entries(gateway):
        by_operation.setdefault(entry.get("operation"), []).append(entry)
    logins = [(entry["effect"], entry["outcome"]) for entry in by_operation["odoo.rpc:common.authenticate"]]
    equal(logins, [("allow", "answered"), ("forbid", "refused")])
    kinds = [entry["kind"] for entry in by_operation["odoo.rpc:mrp.production.create"]]
    equal(kinds, ["intent", "outcome"], made)
    equal([entry["outcome"] for entry in by_operation["odoo.rpc:mrp.production.search_read"]], ["answered"])
    (refused,) = by_operation["odoo.rpc:mrp.production.unlink"]
    equal((refused["kind"], refused["outcome"], refused["rule"]), ("decision", "refused", "no-unlink"))
    equal(refused["records"], ["mrp.production,1"])
    for file in (gateway.directory / "var/audit").glob("*"):
        holds(token not in file.read_text(errors="replace"), "a token is in the audit log")
    equal(plant.run("check", "--config", "millgate.yaml", cwd=gateway.directory).returncode, 0)


def check_an_unknown_outcome_is_called_unknown(plant):
    sandbox = plant.sandbox()
    changes = {"odoo": sandbox.settings(),
               "routes": [{"name": "odoo-web", "path": "/", "upstream": "odoo"},
                          {"name": "odoo-database", "path": "/web/database", "upstream": "odoo"}, ROUTE]}
    gateway = plant.gateway("gateway", changes, start=False)
    (gateway.directory / "policies/access/rpc.yaml").write_text(RULES)
    odoo_rules = gateway.directory / "policies/access/odoo.yaml"
    odoo_rules.write_text(odoo_rules.read_text().split("  - id: no-raw-rpc")[0])
    gateway.start()
    body = {"id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
        "millgate", 1, gateway.plant.token("mes"), "mrp.production", "create", [{"product_id": 1, "product_qty": 1}]]}}
    gateway.request("POST", "/jsonrpc", {"id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
        "millgate", 1, gateway.plant.token("mes"), "mrp.production", "search_read", [[]], {"limit": 1}]}})
    sandbox.close()
    answer = gateway.request("POST", "/jsonrpc", body)
    holds(answer.json["error"]["data"]["name"] in ("millgate.Unavailable", "millgate.UnknownOutcome"), repr(answer))


def check_accounts_follow_a_reload(plant):
    gateway = firewall(plant)
    orders = lambda: jsonrpc(gateway, "mrp.production", "search_read", [], token="auditor", limit=1)
    equal(orders()["error"]["data"]["name"], "odoo.exceptions.AccessError", "as Odoo's user `limited`")
    accounts = gateway.settings["odoo"].pop("accounts")
    gateway.write()
    reload(gateway)
    holds("result" in orders(), "no account is left: as the gateway's own user")
    # A key that is not to be had is an error where it is named, and everything stays as it was.
    gateway.settings["odoo"]["accounts"] = [{**accounts[0], "key": {"file": "limited.key"}}]
    gateway.write()
    gateway.process.send_signal(1)
    wait(20, lambda: b"last reload was refused" in gateway.admin("/readyz").body, "the refusal")
    holds(re.search(r"millgate.yaml:\d+:\d+: the key of account 'readers': .*no such file",
                    gateway.admin("/readyz").body.decode()), gateway.admin("/readyz").body)
    holds("result" in orders(), "the old accounts stay")
    key = gateway.directory / "limited.key"
    key.write_text("sandbox-key-limited")
    key.chmod(0o600)
    reload(gateway)
    equal(orders()["error"]["data"]["name"], "odoo.exceptions.AccessError", "as Odoo's user `limited` again")


def check_scripts_and_services_wait_for_each_other_on_one_record(plant):
    sandbox = plant.sandbox()
    gateway = plant.gateway("gateway", {
        "odoo": sandbox.settings(), "routes": [{"name": "odoo-web", "path": "/", "upstream": "odoo"},
                                               {"name": "odoo-database", "path": "/web/database", "upstream": "odoo"},
                                               ROUTE]}, start=False)
    (gateway.directory / "policies/access/rpc.yaml").write_text(RULES)
    odoo_rules = gateway.directory / "policies/access/odoo.yaml"
    odoo_rules.write_text(odoo_rules.read_text().split("  - id: no-raw-rpc")[0])
    gateway.start()
    order = released(gateway)["id"]
    done = []

    def script(name, method, *arguments):
        body = {"id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
            "millgate", 1, plant.token("mes"), "mrp.production", method, list(arguments)]}}
        answer = gateway.request("POST", "/jsonrpc", body)
        holds("result" in answer.json, f"{name}: {answer!r}")
        done.append(name)

    def confirm():
        answer = gateway.request("POST", f"/v1/production-orders/{order}/confirm", {"quantity": 1}, token="mes",
                                 fields={"Idempotency-Key": "one"}, seconds=60)
        equal(answer.status, 200, repr(answer))
        done.append("confirm")

    def together(*calls):
        threads = [threading.Thread(target=call[0], args=call[1:]) for call in calls]
        for thread in threads:
            thread.daemon = True
            thread.start()
            # In this order.
            time.sleep(0.5)
        for thread in threads:
            thread.join(60)

    # The service works on the order for four seconds: a script that writes it waits, others do not.
    sandbox.fault(match="mrp.production.button_mark_done", kind="delay", delay_ms=4000)
    together((confirm,), (script, "same", "write", [order], {"origin": "script"}),
             (script, "read", "read", [order], ["name"]), (script, "other", "write", [order + 1], {"origin": "script"}))
    # Which of the last two is answered first is left to chance: the lock is given back before the answer is written.
    equal((done[:2], sorted(done[2:])), (["read", "other"], ["confirm", "same"]))
    # And the other way round.
    done.clear()
    sandbox.fault(match="mrp.production.write", kind="delay", delay_ms=4000)
    release = lambda: (gateway.request("POST", f"/v1/production-orders/{order}/reserve", token="mes",
                                       fields={"Idempotency-Key": "two"}, seconds=60), done.append("reserve"))
    together((script, "same", "write", [order], {"origin": "again"}), (release,),
             (script, "read", "read", [order], ["name"]))
    equal((done[:1], sorted(done[1:])), (["read"], ["reserve", "same"]))


def check_the_page_opens_the_interfaces_as_it_says(plant):
    """docs/RPC.md from its first block to its last, on the configuration and the policies that are shipped."""
    blocks = [re.sub(r"(?m)^   ", "", text) if text.startswith("   ") else text for text in
              re.findall(r"```(?:yaml|python)\n(.*?)```", (REPOSITORY / "docs/RPC.md").read_text(), re.S)]
    route, rules, code, accounts = blocks[:4]
    gateway = plant.gateway(start=False)
    config = (REPOSITORY / "deploy/millgate.yaml").read_text()
    holds(route.startswith("routes:\n") and rules.startswith("rules:\n") and "xmlrpc" in code, blocks)
    changed = re.sub(r"(?m)^  - name: odoo-rpc\n(    .*\n)*", route.removeprefix("routes:\n"), config)
    holds(changed != config, "the shipped route is there")
    holds(accounts.startswith("odoo:\n"), accounts)
    changed = re.sub(r"(?m)^odoo:\n", lambda _: accounts.replace("/etc/millgate/", "").replace(
        "reader@plant.example", "limited"), changed, count=1)
    for old in ['":8080"', '":8443"', "127.0.0.1:9090"]:
        holds(old in changed, old)
        changed = changed.replace(old, '"127.0.0.1:0"')
    (gateway.directory / "certs").symlink_to(plant.directory / "certs")
    (gateway.directory / "reader.key").write_text("sandbox-key-limited")
    (gateway.directory / "reader.key").chmod(0o600)
    gateway.write = lambda: (gateway.directory / "millgate.yaml").write_text(changed)
    access = gateway.directory / "policies/access"
    (access / "rpc.yaml").write_text(rules)
    gateway.write()
    # Step 2 says what is in the way.
    checked = plant.run("check", "--config", "millgate.yaml", cwd=gateway.directory)
    holds("proxy.odoo-rpc" in checked.stderr, checked.stderr)
    (access / "odoo.yaml").write_text((access / "odoo.yaml").read_text().split("  - id: no-raw-rpc")[0])
    tests = gateway.directory / "policies/tests/plant.yaml"
    tests.write_text(re.sub(r"(?m)^  - name: .*\n    caller: .*\n    operation: proxy.odoo-rpc\n(    .*\n)*", "",
                            tests.read_text()))
    tested = plant.run("policy", "test", "--config", "millgate.yaml", cwd=gateway.directory)
    equal(tested.returncode, 0, tested.stdout + tested.stderr)
    gateway.start()
    (gateway.directory / "token.jwt").write_text(plant.token("mes"))
    order = released(gateway)["id"]
    # The script, as it stands there but for the address.
    code = code.replace("https://gateway.plant.example", f"http://127.0.0.1:{gateway.ports['plain']}")
    code = code.replace('"plant"', '"millgate"').replace('"token.jwt"', repr(str(gateway.directory / "token.jwt")))
    holds("[[42]]" in code, code)
    exec(code.replace("[[42]]", f"[[{order}]]"), {"xmlrpc": xmlrpc})
    body = {"id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
        "millgate", 1, plant.token("mes"), "mrp.production", "unlink", [[order]]]}}
    found = gateway.request("POST", "/jsonrpc", body)
    holds("orders-are-not-deleted" in found.json["error"]["data"]["message"], repr(found))


if __name__ == "__main__":
    main(globals())
