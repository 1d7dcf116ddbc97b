"""The mixed calls of a plant: a story for each kind of work, which together use every writing service.

A story is a generator. It yields a `Call`, is given the JSON of its answer, and notes in the `Book` what must now be in
Odoo. Whoever plays it (`chaos.py`, `duplicates.py`, `shift.py`) may send a call as often as he likes under its key.
Whatever he does, in the end Odoo must hold what the book says, and nothing else (`Book.compare`).

A new service adds a row to `STORIES`, or a line to `LEFT_OUT` with the reason.
"""
import re
from collections import Counter, defaultdict
from decimal import Decimal

from plant import REPOSITORY

# A writing operation that no story has, and why.
LEFT_OUT = {}

ACCESS = """
rules:
  - {id: mix, effect: allow, roles: [mes], operations: ["%s"], sites: "*"}
"""


def writing_operations(policies=REPOSITORY / "policies"):
    """The operations that change something, as their contracts say."""
    found = set()
    for path in sorted((policies / "services").glob("*.yaml")):
        text = path.read_text()
        if re.search(r"(?m)^kind: write\b", text):
            found.add(re.search(r"(?m)^operation: (\S+)", text)[1])
    return found


class Call:
    """One request. `operation` is None for a read."""

    def __init__(self, operation, path, body=None, method="POST"):
        self.operation, self.path, self.body, self.method = operation, path, body, method


class Stage:
    """What all stories work with: products, places and work centers that are made before the gateway starts."""

    def __init__(self, sandbox, odoo, spares):
        self.sandbox, self.odoo = sandbox, odoo
        self.stock = 5 if odoo == 19 else 8
        self.products = {}
        for product in sandbox.records("product.product", [], ["default_code"]):
            self.products[product["default_code"]] = product["id"]
        hold = sandbox.records("stock.location", [["complete_name", "=", "WH/Hold"]])
        self.hold = hold[0]["id"] if hold else None
        self.center = sandbox.create("mrp.workcenter", name="MIX-W", code="MIX-W")
        # One place and one work center for each story that needs one for itself.
        self.shelves = [sandbox.create("stock.location", name=f"MIX-{n}", usage="internal", location_id=self.stock)
                        for n in range(spares)]
        self.centers = [sandbox.create("mrp.workcenter", name=f"MIX-D{n}", code=f"MIX-D{n}") for n in range(spares)]
        self.make("MIX-W", {"SCREW-M6": 2}, operations=["Work"])
        self.make("MIX-2", {"SCREW-M6": 1}, operations=["Work", "Check"])
        self.make("MIX-L", {"SCREW-M6": 1}, tracking="lot")

    def make(self, code, lines, tracking="none", operations=()):
        values = {"name": code, "default_code": code, "tracking": tracking}
        values |= {"type": "consu", "is_storable": True} if self.odoo == 19 else {
            "type": "product", "detailed_type": "product"}
        product = self.sandbox.create("product.product", **values)
        self.products[code] = product
        template = self.sandbox.records("product.product", [["id", "=", product]], ["product_tmpl_id"])
        bill = self.sandbox.create("mrp.bom", product_tmpl_id=template[0]["product_tmpl_id"][0], product_qty=1)
        for component, quantity in lines.items():
            self.sandbox.create("mrp.bom.line", bom_id=bill, product_id=self.products[component], product_qty=quantity)
        for operation in operations:
            self.sandbox.create("mrp.routing.workcenter", name=operation, bom_id=bill, workcenter_id=self.center,
                                time_cycle_manual=5)

    def settings(self):
        centers = ["ASSEMBLY-1", "DRILL-1", "MIX-W"] + [f"MIX-D{n}" for n in range(len(self.centers))]
        return [{"name": "plant-1", "warehouse": "WH", "work_centers": centers, "hold_location": "WH/Hold"},
                {"name": "plant-2", "warehouse": "WH2", "work_centers": ["ASSEMBLY-2", "DRILL-2"]}]


class Book:
    """What Odoo must hold, by what was acknowledged. Not for several threads at once: each story has its own, and
    `add` joins them."""

    def __init__(self):
        self.stock = defaultdict(Decimal)
        self.orders = {}
        self.records = Counter()

    def move(self, product, place, quantity):
        self.stock[product, place] += Decimal(str(quantity))

    def add(self, other):
        for key, quantity in other.stock.items():
            self.stock[key] += quantity
        self.orders |= other.orders
        self.records += other.records

    @staticmethod
    def read(stage):
        """The same of what Odoo holds."""
        book, sandbox = Book(), stage.sandbox
        state = sandbox.state()
        inside = {stage.stock, stage.hold, *stage.shelves}
        for quant in state["quants"]:
            if quant["location_id"] in inside:
                book.move(quant["product_id"], quant["location_id"], quant["quantity"])
        for order in state["orders"]:
            made = order["qty_produced"] if order["state"] == "done" else 0
            book.orders[order["id"]] = (order["state"], Decimal(str(order["product_qty"])), Decimal(str(made)))
        for model, field in [("stock.scrap", "origin"), ("stock.lot", "name"), ("maintenance.request", "name"),
                             ("mrp.production", "origin")]:
            for record in sandbox.records(model, [], [field]):
                book.records[model, record[field]] += 1
        for record in sandbox.records("stock.picking", [], ["origin", "state"]):
            book.records["stock.picking", record["origin"], record["state"]] += 1
        for record in sandbox.records("maintenance.request", [["close_date", "!=", False]], ["name"]):
            book.records["maintenance.request closed", record["name"]] += 1
        for record in sandbox.records("mrp.workcenter.productivity", [], ["workcenter_id", "workorder_id", "date_end"]):
            of = record["workorder_id"] or record["workcenter_id"]
            book.records["mrp.workcenter.productivity", of[0], bool(record["date_end"])] += 1
        for record in sandbox.records("mrp.unbuild", [], ["mo_id", "state"]):
            book.records["mrp.unbuild", record["mo_id"][0], record["state"]] += 1
        for record in sandbox.records("mrp.workorder", [["state", "=", "done"]], ["id"]):
            book.records["mrp.workorder done", record["id"]] += 1
        for activity in sandbox.records("mail.activity", [], ["summary"]):
            book.records["mail.activity", activity["summary"]] += 1
        for message in sandbox.records("mail.message", [], ["res_id", "body"]):
            if "[millgate " in message["body"]:
                book.records["note", message["res_id"]] += 1
            elif message["body"]:
                book.records["feedback", re.sub("<[^>]*>", "", message["body"])] += 1
        for move in sandbox.records("stock.move", [["raw_material_production_id", "!=", False]],
                                    ["raw_material_production_id", "product_id"]):
            book.records["component", move["raw_material_production_id"][0], move["product_id"][0]] += 1
        return book

    def compare(self, before, after):
        """What is missing and what is too much, for people: two lists."""
        lost, doubled = [], []
        for key in {*self.stock, *after.stock, *before.stock}:
            change, meant = after.stock[key] - before.stock[key], self.stock[key]
            if change != meant:
                # Nearer to where it began than it should be, or beyond.
                short = abs(change) < abs(meant) and change * meant >= 0
                (lost if short else doubled).append(f"stock of {key[0]} in {key[1]}: {change:+} instead of {meant:+}")
        for order in {*self.orders, *after.orders} - {*before.orders}:
            meant, found = self.orders.get(order), after.orders.get(order)
            if meant is None:
                doubled.append(f"order {order} {found}, which nobody was told of")
            elif found is None:
                lost.append(f"order {order} {meant} is not there")
            elif found != meant:
                (doubled if found[2] > meant[2] else lost).append(f"order {order}: {found} instead of {meant}")
        for key in {*self.records, *after.records}:
            count = after.records[key] - before.records[key]
            if key[0] == "component":
                # Known for those orders alone that somebody added to.
                if key in self.records and count != self.records[key]:
                    (lost if count < self.records[key] else doubled).append(f"{key}: {count}")
            elif count != self.records[key]:
                (lost if count < self.records[key] else doubled).append(
                    f"{key}: {count} instead of {self.records[key]}")
        return sorted(lost), sorted(doubled)

    def sees(self, stage, before):
        """Whether `compare` finds what is wrong: makes a lot that nobody asked for, takes an acknowledged maintenance
        request away, and looks. Odoo is of no use for anything else then."""
        stage.sandbox.create("stock.lot", name="nobody asked", product_id=stage.products["MIX-L"], company_id=1)
        gone = next(key[1] for key in self.records if key[0] == "maintenance.request")
        for request in stage.sandbox.records("maintenance.request", [["name", "=", gone]]):
            stage.sandbox.call("maintenance.request", "unlink", [request["id"]])
        lost, doubled = self.compare(before, Book.read(stage))
        return (doubled == [f"{('stock.lot', 'nobody asked')}: 1 instead of 0"]
                and f"{('maintenance.request', gone)}: 0 instead of 1" in lost and all(gone in line for line in lost))


class Scene:
    """What one telling of a story has for itself."""

    def __init__(self, stage, name, spare, quantity):
        self.stage, self.name, self.quantity = stage, name, quantity
        self.book = Book()
        self.shelf, self.center = stage.shelves[spare], stage.centers[spare]

    def product(self, code):
        return self.stage.products[code]

    def moved(self, code, quantity, place=None):
        self.book.move(self.product(code), place or self.stage.stock, quantity)

    def order(self, code, quantity, released=True):
        made = yield Call("production-order.create", "/v1/production-orders", {
            "product_code": code, "quantity": quantity, "site": "plant-1", "external_reference": self.name})
        order = made["id"]
        self.book.records["mrp.production", self.name] += 1
        self.known(order, "draft", quantity)
        if released:
            yield Call("production-order.release", f"/v1/production-orders/{order}/release", {})
            self.known(order, "confirmed", quantity)
        return order

    def known(self, order, state, quantity, made=0):
        self.book.orders[order] = (state, Decimal(quantity), Decimal(made))

    def confirmed(self, code, components, quantity):
        self.moved(code, quantity)
        for component, each in components.items():
            self.moved(component, -each * quantity)


VALVE = {"BALL-20": 1, "SEAL-20": 2}


def confirming(scene):
    """An order that is confirmed in two parts."""
    quantity, part = scene.quantity, 1
    order = yield from scene.order("VALVE-20", quantity)
    answer = yield Call("production-order.confirm", f"/v1/production-orders/{order}/confirm", {"quantity": part})
    scene.known(order, "done", part, part)
    scene.confirmed("VALVE-20", VALVE, part)
    rest = answer["backorder"]["id"]
    scene.book.records["mrp.production", scene.name] += 1
    scene.known(rest, "confirmed", quantity - part)
    yield Call("production-order.confirm", f"/v1/production-orders/{rest}/confirm", {"final": True})
    scene.known(rest, "done", quantity - part, quantity - part)
    scene.confirmed("VALVE-20", VALVE, quantity - part)


def changing(scene):
    """An order that is changed, reserved and cancelled."""
    order = yield from scene.order("VALVE-20", scene.quantity)
    yield Call("production-order.change-quantity", f"/v1/production-orders/{order}/change-quantity",
               {"quantity": scene.quantity + 3})
    scene.known(order, "confirmed", scene.quantity + 3)
    yield Call("production-order.reserve", f"/v1/production-orders/{order}/reserve")
    yield Call("production-order.cancel", f"/v1/production-orders/{order}/cancel")
    scene.known(order, "cancel", scene.quantity + 3)


def consuming(scene):
    """More of one component than planned, another that was not, and the product taken apart again."""
    quantity = scene.quantity
    order = yield from scene.order("VALVE-20", quantity)
    path = f"/v1/production-orders/{order}"
    yield Call("production-order.consume", path + "/consume", {
        "product_code": "SEAL-20", "quantity": 2 * quantity + 3})
    yield Call("production-order.consume", path + "/consume", {
        "product_code": "SCREW-M6", "quantity": 4, "extra": True})
    scene.book.records["component", order, scene.product("SCREW-M6")] += 1
    yield Call("production-order.confirm", path + "/confirm", {"final": True})
    scene.known(order, "done", quantity, quantity)
    scene.moved("VALVE-20", quantity)
    scene.moved("BALL-20", -quantity)
    scene.moved("SEAL-20", -2 * quantity - 3)
    scene.moved("SCREW-M6", -4)


def taking_apart(scene):
    quantity = scene.quantity
    order = yield from scene.order("VALVE-20", quantity)
    path = f"/v1/production-orders/{order}"
    yield Call("production-order.confirm", path + "/confirm", {"final": True})
    scene.known(order, "done", quantity, quantity)
    scene.confirmed("VALVE-20", VALVE, quantity)
    yield Call("production-order.unbuild", path + "/unbuild", {"quantity": 1})
    scene.confirmed("VALVE-20", VALVE, -1)
    scene.book.records["mrp.unbuild", order, "done"] += 1


def working(scene):
    """An operation with its times, and labour beside them."""
    quantity = scene.quantity
    order = yield from scene.order("MIX-W", quantity)
    found = yield Call(None, f"/v1/work-orders?production_order={order}", method="GET")
    work = found["items"][0]["id"]
    path = f"/v1/work-orders/{work}"
    times = scene.book.records
    yield Call("work-order.start", path + "/start")
    times["mrp.workcenter.productivity", work, False] += 1
    scene.known(order, "progress", quantity)
    yield Call("work-order.pause", path + "/pause")
    times["mrp.workcenter.productivity", work, False] -= 1
    times["mrp.workcenter.productivity", work, True] += 1
    yield Call("labour.report", path + "/labour", {"start": "2026-01-05T06:00:00Z", "end": "2026-01-05T06:45:00Z"})
    times["mrp.workcenter.productivity", work, True] += 1
    yield Call("work-order.finish", path + "/finish")
    scene.book.records["mrp.workorder done", work] += 1
    scene.known(order, "to_close", quantity)
    yield Call("production-order.confirm", f"/v1/production-orders/{order}/confirm", {"final": True})
    scene.known(order, "done", quantity, quantity)
    scene.confirmed("MIX-W", {"SCREW-M6": 2}, quantity)


def working_at_large(scene):
    """An order whose operations nobody reports one by one."""
    quantity = scene.quantity
    order = yield from scene.order("MIX-2", quantity)
    found = yield Call(None, f"/v1/work-orders?production_order={order}", method="GET")
    first, second = sorted(item["id"] for item in found["items"])
    path = f"/v1/production-orders/{order}"
    times = scene.book.records
    yield Call("production-order.start", path + "/start")
    times["mrp.workcenter.productivity", first, False] += 1
    scene.known(order, "progress", quantity)
    yield Call("work-order.start", f"/v1/work-orders/{second}/start")
    times["mrp.workcenter.productivity", second, False] += 1
    yield Call("production-order.pause", path + "/pause")
    for work in (first, second):
        times["mrp.workcenter.productivity", work, False] -= 1
        times["mrp.workcenter.productivity", work, True] += 1
    yield Call("production-order.finish", path + "/finish")
    for work in (first, second):
        times["mrp.workorder done", work] += 1
    scene.known(order, "to_close", quantity)
    yield Call("production-order.confirm", path + "/confirm", {"final": True})
    scene.known(order, "done", quantity, quantity)
    scene.confirmed("MIX-2", {"SCREW-M6": 1}, quantity)


def leaving_out(scene):
    """An operation that is begun and not done after all, and its order given up."""
    order = yield from scene.order("MIX-W", scene.quantity)
    found = yield Call(None, f"/v1/work-orders?production_order={order}", method="GET")
    work = found["items"][0]["id"]
    times = scene.book.records
    yield Call("work-order.start", f"/v1/work-orders/{work}/start")
    times["mrp.workcenter.productivity", work, False] += 1
    scene.known(order, "progress", scene.quantity)
    yield Call("work-order.cancel", f"/v1/work-orders/{work}/cancel")
    times["mrp.workcenter.productivity", work, False] -= 1
    times["mrp.workcenter.productivity", work, True] += 1
    scene.known(order, "to_close", scene.quantity)
    yield Call("production-order.cancel", f"/v1/production-orders/{order}/cancel")
    scene.known(order, "cancel", scene.quantity)


def naming(scene):
    """A lot that is named at its confirmation, and one that is named before."""
    order = yield from scene.order("MIX-L", scene.quantity)
    yield Call("lot.create", "/v1/lots", {"product_code": "MIX-L", "name": scene.name + "-a", "site": "plant-1"})
    scene.book.records["stock.lot", scene.name + "-a"] += 1
    yield Call("production-order.confirm", f"/v1/production-orders/{order}/confirm", {
        "final": True, "lot": scene.name + "-b"})
    scene.known(order, "done", scene.quantity, scene.quantity)
    scene.confirmed("MIX-L", {"SCREW-M6": 1}, scene.quantity)
    scene.book.records["stock.lot", scene.name + "-b"] += 1


def scrapping(scene):
    yield Call("scrap.report", "/v1/scrap", {
        "product_code": "SCREW-M6", "quantity": scene.quantity + 0.5, "site": "plant-1", "reason": scene.name})
    scene.moved("SCREW-M6", -scene.quantity - 0.5)
    scene.book.records["stock.scrap", scene.name] += 1


def counting(scene):
    """A place of its own, counted twice."""
    for quantity in [scene.quantity, scene.quantity * 2]:
        yield Call("inventory.count", "/v1/inventory/counts", {
            "product_code": "PANEL-OAK", "quantity": quantity, "location": scene.shelf})
        scene.moved("PANEL-OAK", scene.quantity, scene.shelf)


def shifting(scene):
    """A transfer at once, and one that is validated in part."""
    goods = {"from": scene.stage.stock, "to": scene.shelf, "product_code": "CAST-100"}
    yield Call("transfer.create", "/v1/transfers", {
        **goods, "quantity": scene.quantity, "external_reference": scene.name})
    scene.moved("CAST-100", -scene.quantity)
    scene.moved("CAST-100", scene.quantity, scene.shelf)
    scene.book.records["stock.picking", scene.name, "done"] += 1
    made = yield Call("transfer.create", "/v1/transfers", {
        **goods, "quantity": 5, "complete": False, "external_reference": scene.name + "-p"})
    state = ("stock.picking", scene.name + "-p", "assigned")
    scene.book.records[state] += 1
    yield Call("transfer.validate", f"/v1/transfers/{made['id']}/validate", {
        "lines": [{"product": scene.product("CAST-100"), "quantity": 2}]})
    scene.moved("CAST-100", -2)
    scene.moved("CAST-100", 2, scene.shelf)
    # What is left has a transfer of its own.
    scene.book.records["stock.picking", scene.name + "-p", "done"] += 1


def standing_still(scene):
    path = f"/v1/work-centers/{scene.center}/downtime"
    yield Call("downtime.report", path, {"reason": "Equipment Failure"})
    record = ("mrp.workcenter.productivity", scene.center)
    scene.book.records[(*record, False)] += 1
    yield Call("downtime.close", path + "/close")
    scene.book.records[(*record, False)] -= 1
    scene.book.records[(*record, True)] += 1


def repairing(scene):
    made = yield Call("maintenance.request", "/v1/maintenance-requests", {"title": scene.name, "site": "plant-1"})
    scene.book.records["maintenance.request", scene.name] += 1
    yield Call("maintenance.close", f"/v1/maintenance-requests/{made['id']}/close", {})
    scene.book.records["maintenance.request closed", scene.name] += 1


def judging(scene):
    """An alert on an order and its end, an inspection, a lot that is held and released."""
    order = yield from scene.order("VALVE-20", scene.quantity)
    alert = yield Call("quality-alert.raise", "/v1/quality-alerts", {"title": scene.name, "production_order": order})
    scene.book.records["mail.activity", scene.name] += 1
    scene.book.records["note", order] += 1
    yield Call("inspection.record", "/v1/inspections", {
        "characteristic": "Diameter", "result": "pass", "measured": 20.5, "unit": "mm", "production_order": order})
    scene.book.records["note", order] += 1
    yield Call("quality-alert.close", f"/v1/quality-alerts/{alert['id']}/close", {"resolution": scene.name})
    scene.book.records["mail.activity", scene.name] -= 1
    scene.book.records["feedback", scene.name] += 1
    yield Call("production-order.cancel", f"/v1/production-orders/{order}/cancel")
    scene.known(order, "cancel", scene.quantity)
    lot = yield Call("lot.create", "/v1/lots", {"product_code": "MIX-L", "name": scene.name, "site": "plant-1"})
    scene.book.records["stock.lot", scene.name] += 1
    yield Call("inventory.count", "/v1/inventory/counts", {
        "product_code": "MIX-L", "quantity": 6, "location": scene.shelf, "lot": scene.name})
    scene.moved("MIX-L", 6, scene.shelf)
    path = f"/v1/lots/{lot['id']}"
    yield Call("lot.hold", path + "/hold", {"reason": scene.name, "site": "plant-1"})
    scene.moved("MIX-L", -6, scene.shelf)
    scene.moved("MIX-L", 6, scene.stage.hold)
    scene.book.records["stock.picking", f"hold of lot {scene.name}: {scene.name}", "done"] += 1
    yield Call("lot.release", path + "/release", {"reason": scene.name, "site": "plant-1"})
    scene.moved("MIX-L", -6, scene.stage.hold)
    scene.moved("MIX-L", 6)
    scene.book.records["stock.picking", f"release of lot {scene.name}: {scene.name}", "done"] += 1


class Story:
    """`tell` with what it uses: each operation, how many calls it is, and how often it is told among others."""

    @property
    def name(self):
        return self.tell.__name__

    def __init__(self, tell, operations, calls, weight=1):
        self.tell, self.operations, self.calls, self.weight = tell, operations.split(), calls, weight


ORDER = "production-order.create production-order.release "
STORIES = [
    Story(confirming, ORDER + "production-order.confirm", 4, 3),
    Story(changing, ORDER + "production-order.change-quantity production-order.reserve production-order.cancel", 5),
    Story(consuming, ORDER + "production-order.consume production-order.confirm", 5),
    Story(taking_apart, ORDER + "production-order.confirm production-order.unbuild", 4),
    Story(working, ORDER + "work-order.start work-order.pause labour.report work-order.finish production-order.confirm",
          7),
    Story(working_at_large, ORDER + "production-order.start work-order.start production-order.pause "
          "production-order.finish production-order.confirm", 7),
    Story(leaving_out, ORDER + "work-order.start work-order.cancel production-order.cancel", 5),
    Story(naming, ORDER + "lot.create production-order.confirm", 4),
    Story(scrapping, "scrap.report", 1, 6),
    Story(counting, "inventory.count", 2),
    Story(shifting, "transfer.create transfer.validate", 3, 2),
    Story(standing_still, "downtime.report downtime.close", 2),
    Story(repairing, "maintenance.request maintenance.close", 2),
    Story(judging, ORDER + "quality-alert.raise inspection.record quality-alert.close production-order.cancel "
          "lot.create inventory.count lot.hold lot.release", 10),
]


def missing(policies=REPOSITORY / "policies"):
    """Writing operations of the catalogue that no story uses and no reason leaves out."""
    used = {operation for story in STORIES for operation in story.operations}
    return sorted(writing_operations(policies) - used - set(LEFT_OUT))


def allow(gateway):
    """Lets `mes` do whatever the stories do."""
    names = '", "'.join(sorted(writing_operations() | {"work-order.read"}))
    (gateway.directory / "policies/access/mix.yaml").write_text(ACCESS % names)


class Told:
    """One telling: a story, its name in Odoo, and which of the spare places and work centers is its own."""

    def __init__(self, story, name, spare, quantity):
        self.story, self.name, self.spare, self.quantity = story, name, spare, quantity

    def scene(self, stage):
        return Scene(stage, self.name, self.spare, self.quantity)


def programme(count, chance, prefix="mix"):
    """So many stories, each at least once where there is room, in an order that `chance` draws."""
    weights = [story.weight for story in STORIES]
    drawn = STORIES[:count] + chance.choices(STORIES, weights, k=max(0, count - len(STORIES)))
    chance.shuffle(drawn)
    seen, told = Counter(), []
    for number, story in enumerate(drawn):
        told.append(Told(story, f"{prefix}-{number}-{story.name}", seen[story.name], chance.randint(2, 9)))
        seen[story.name] += 1
    return told


def spares(programme):
    """How many places and work centers it needs."""
    return max(Counter(told.story.name for told in programme).values())
