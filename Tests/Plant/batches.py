"""Batches: real curl brings them, a killed gateway goes on with them, and each line happens once.

    MILLGATE=.build/debug/millgate python3 Tests/Plant/batches.py [check_NAME…]
"""
import json
import random
import sys
import time

from plant import equal, holds, main, wait


def line(operation, key, **given):
    return json.dumps({"operation": operation, "idempotency_key": key, "input": given})


def order(gateway, key, quantity=100000):
    made = gateway.request("POST", "/v1/production-orders", {"product": 9, "quantity": quantity, "site": "plant-1"},
                           "mes", {"Idempotency-Key": key})
    equal(made.status, 201, f"{made}")
    return made.json["id"]


def submit(plant, gateway, path, key, *arguments, media="application/x-ndjson"):
    """With real curl, streamed from a file; gives the status and the body."""
    answer = gateway.curl(
        "-w", "\n%{http_code}", "-T", str(path), "-X", "POST", "-H", f"Content-Type: {media}",
        "-H", f'Idempotency-Key: "{key}"', "-H", "Authorization: Bearer " + plant.token("mes"), *arguments,
        url=f"http://127.0.0.1:{gateway.ports['plain']}/v1/batches")
    body, _, status = answer.stdout.rpartition("\n")
    return int(status or 0), json.loads(body) if body.startswith("{") else body


def completed(gateway, batch, seconds=120):
    def look():
        found = gateway.request("GET", f"/v1/batches/{batch}", token="mes")
        return found.json if found.status == 200 and found.json["state"] == "completed" else None
    return wait(seconds, look, "the batch is completed")


def results(gateway, batch, limit=7):
    found, path = [], f"/v1/batches/{batch}/results?limit={limit}"
    while path:
        page = gateway.request("GET", path, token="mes")
        equal(page.status, 200, f"{page}")
        equal(page.field("Content-Type"), "application/x-ndjson", "media type")
        found += [json.loads(text) for text in page.body.splitlines()]
        link = page.field("Link")
        path = link[1:link.index(">")] if link and page.body else None
    return found


def check_curl_brings_a_batch_and_reads_a_result_for_each_line(plant):
    gateway = plant.gateway()
    mine = order(gateway, "o-1")
    lines = [line("production-order.release", "l-1", id=mine)]
    lines += [line("scrap.report", f"s-{number}", product_code="SCREW-M6", quantity=1, site="plant-1")
              for number in range(20)]
    lines += ["", "{", line("product.read", "p-1", id=1), line("scrap.report", "bad", quantity=-1),
              line("inventory.count", "f-1", product_code="SCREW-M6", quantity=5, site="plant-1"),
              line("production-order.release", "l-404", id=999999), "x" * 70000, line("scrap.report", "s-0",
              product_code="SCREW-M6", quantity=1, site="plant-1")]
    path = plant.directory / "lines.ndjson"
    path.write_text("\n".join(lines))
    status, batch = submit(plant, gateway, path, "b-1")
    equal(status, 202, f"{batch}")
    equal(batch["lines"], len(lines), "lines")
    equal(batch["received_bytes"], path.stat().st_size, "bytes")
    done = completed(gateway, batch["id"])
    found = results(gateway, batch["id"])
    equal([result["line"] for result in found], [n for n in range(1, len(lines) + 1) if n != 22], "numbers in order")
    by_line = {result["line"]: result for result in found}
    equal(by_line[1]["answer"]["state"], "released", "released")
    equal({by_line[n]["outcome"] for n in range(1, 22)}, {"applied"}, f"{found}")
    equal([by_line[n]["status"] for n in range(23, 29)], [400, 400, 400, 403, 404, 413], f"{found[21:]}")
    equal(by_line[29]["outcome"], "applied", "a key that was used is answered as before")
    equal(by_line[29]["operation_id"], by_line[2]["operation_id"], "by the same operation")
    equal((done["applied"], done["refused"], done["lines_done"]), (22, 6, len(lines)), f"{done}")
    equal(gateway.request("GET", f"/v1/operations/{by_line[1]['operation_id']}", token="mes").status, 200, "operation")
    # Another caller's batch is not there.
    equal(gateway.request("GET", f"/v1/batches/{batch['id']}", token="wms").status, 404, "another's batch")
    seen = gateway.request("GET", f"/v1/batches/{batch['id']}/results", token="auditor")
    equal(seen.status, 200, "an auditor's look")
    # Sent again it is the same; with other lines under its key it is refused.
    status, again = submit(plant, gateway, path, "b-1")
    equal((status, again["id"]), (202, batch["id"]), f"{again}")
    path.write_text("\n".join(lines[:-1]))
    status, other = submit(plant, gateway, path, "b-1")
    equal((status, other["type"].rpartition("/")[2]), (422, "idempotency-key-reused"), f"{other}")
    # Each line has its own entries in the audit log.
    log = "".join(file.read_text() for file in sorted((gateway.directory / "var" / "audit").glob("*.jsonl")))
    entries = [json.loads(text) for text in log.splitlines() if f"batch {batch['id']}, line 3," in text]
    equal(sorted({entry["kind"] for entry in entries}), ["intent", "outcome"], f"{entries}")


def check_what_is_no_batch_is_refused(plant):
    gateway = plant.gateway(changes={"batches": {"size_max": "4KiB", "open_per_caller": 2}})
    path = plant.directory / "some.ndjson"
    path.write_text(line("scrap.report", "s", product_code="SCREW-M6", quantity=1, site="plant-1"))
    send = lambda *more, **named: submit(plant, gateway, path, "k", *more, **named)
    equal(send(media="application/json")[0], 415, "media type")
    without = gateway.request("POST", "/v1/batches", "{}", "mes", {"Content-Type": "application/x-ndjson"})
    equal(without.status, 400, "key")
    equal(send("-H", "Upload-Offset: 9")[0], 409, "offset of nothing")
    path.write_text("x" * 5000)
    equal(send()[0], 413, "length")
    equal(send("-H", "Transfer-Encoding: chunked")[0], 413, "chunks")
    operator = gateway.request("POST", "/v1/batches", "{}", "operator",
                               {"Content-Type": "application/x-ndjson", "Idempotency-Key": "k"})
    equal(operator.status, 403, f"{operator}")


def check_a_cut_upload_goes_on(plant):
    gateway = plant.gateway()
    text = "\n".join(line("scrap.report", f"c-{number}", product_code="SCREW-M6", quantity=1, site="plant-1")
                     for number in range(3000)).encode()
    token = plant.token("mes")
    head = (f"POST /v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: cut\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(text)}\r\n\r\n").encode()
    with gateway.connect() as s:
        s.sendall(head + text[:200000])
        time.sleep(0.3)
    rest = plant.directory / "rest"
    rest.write_bytes(b"")

    def received():
        status, answer = submit(plant, gateway, rest, "cut", "-H", "Upload-Offset: 1")
        return answer["received_bytes"] if status == 409 and "received_bytes" in answer else None
    came = wait(10, received, "the gateway says how far it came")
    holds(0 < came <= 200000, f"{came} bytes came")
    gateway.kill()
    gateway.start()
    rest.write_bytes(text[came:])
    status, batch = submit(plant, gateway, rest, "cut", "-H", f"Upload-Offset: {came}")
    equal((status, batch.get("lines"), batch.get("received_bytes")), (202, 3000, len(text)), f"{batch}")
    # Another one is sent again as a whole: what came is compared.
    with gateway.connect() as s:
        s.sendall(head.replace(b"cut", b"all") + text[:100000])
        time.sleep(0.3)
    rest.write_bytes(text)
    status, second = submit(plant, gateway, rest, "all")
    equal((status, second.get("received_bytes")), (202, len(text)), f"{second}")


def check_killed_in_the_middle_no_line_is_lost_and_none_doubled(plant):
    sandbox = plant.sandbox()
    for kind in ["delay_before_effect", "delay"]:
        sandbox.fault(match="stock.scrap.action_validate", kind=kind, delay_ms=5, times=0)
    gateway = plant.gateway(changes={"odoo": sandbox.settings(), "drain_timeout": "1s"})
    count = 120
    before = sum(quant["quantity"] for quant in sandbox.state()["quants"] if quant["product_id"] == 2)
    path = plant.directory / "kill.ndjson"
    path.write_text("\n".join(
        line("scrap.report", f"k-{number}", product_code="SCREW-M6", quantity=1, site="plant-1")
        for number in range(count)) + "\n")
    status, batch = submit(plant, gateway, path, "killed")
    equal(status, 202, f"{batch}")
    chance = random.Random(7)
    for _ in range(4):
        time.sleep(chance.uniform(0.2, 0.8))
        gateway.kill()
        gateway.start()
    done = completed(gateway, batch["id"], 240)
    found = results(gateway, batch["id"], 50)
    equal([result["line"] for result in found], list(range(1, count + 1)), "a result for each line")
    outcomes = {}
    for result in found:
        outcomes[result["outcome"]] = outcomes.get(result["outcome"], 0) + 1
    unknown = outcomes.get("unknown", 0)
    stock = [quant for quant in sandbox.state()["quants"] if quant["product_id"] == 2]
    scrapped = sum(move["quantity"] for move in sandbox.state()["moves"]
                   if move["product_id"] == 2 and move["state"] == "done" and not move["raw_material_production_id"])
    print(f"      {count} lines, {outcomes}, {scrapped} scrapped in Odoo, 0 lost, 0 doubled")
    equal(unknown, 0, f"{outcomes}")
    equal(done["applied"], count, f"{done}")
    equal(scrapped, count, f"{before} before, {stock}")


if __name__ == "__main__":
    sys.exit(main(globals()))
