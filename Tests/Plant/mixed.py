"""The mixed calls that the long checks are made of: that they leave no service out, and that their book notices."""
import random
import threading
from decimal import Decimal

import mix
from plant import equal, holds, main
from telling import Client, Counts


def check_every_writing_service_has_a_story(plant):
    equal(mix.missing(), [], "operations without a story in mix.py")
    holds(len(mix.writing_operations()) >= 21, "the contracts are read")


def check_the_book_notices_what_is_lost_and_what_is_doubled(plant):
    for odoo in [17, 19]:
        programme = mix.programme(len(mix.STORIES), random.Random(odoo))
        sandbox = plant.sandbox(odoo)
        stage = mix.Stage(sandbox, odoo, mix.spares(programme))
        gateway = plant.gateway(f"gateway-{odoo}", {"odoo": sandbox.settings(), "sites": stage.settings()}, start=False)
        mix.allow(gateway)
        gateway.start()
        before = mix.Book.read(stage)
        counts = Counts()
        client = Client(gateway, stage, programme, counts, plant.token("mes"))
        client.run()
        equal(counts.problems, [])
        equal(counts.seen["acknowledged"] >= sum(told.story.calls for told in programme) - 1, True, f"{counts.seen}")
        book = mix.Book()
        for its in client.books:
            book.add(its)
        equal(book.compare(before, mix.Book.read(stage)), ([], []), f"Odoo {odoo}")
        # Behind the gateway's back: a scrap is booked again, a request is made again, a lot goes away.
        scrap = sandbox.records("stock.scrap", [], ["id"])[0]["id"]
        sandbox.call("stock.scrap", "action_validate", [scrap])
        title = sandbox.records("maintenance.request", [], ["name"])[0]["name"]
        sandbox.create("maintenance.request", name=title)
        sandbox.create("mrp.production", product_id=stage.products["VALVE-20"], product_qty=1)
        _, doubled = book.compare(before, mix.Book.read(stage))
        equal(len(doubled), 4, f"{doubled}")
        book.move(stage.products["SCREW-M6"], stage.stock, Decimal(-900))
        book.records["stock.lot", "never made"] += 1
        book.orders[999999] = ("done", Decimal(1), Decimal(1))
        lost, _ = book.compare(before, mix.Book.read(stage))
        equal(len(lost), 3, f"{lost}")


def check_orders_that_take_the_same_component_do_not_meet_in_odoo(plant):
    sandbox = plant.sandbox(19, arguments=["--measured-latency", "--workers", "4"])
    stage = mix.Stage(sandbox, 19, 1)
    gateway = plant.gateway(changes={"odoo": sandbox.settings()})
    orders = []
    for _ in range(6):
        orders.append(sandbox.create("mrp.production", product_id=stage.products["VALVE-20"], product_qty=4))
        sandbox.call("mrp.production", "action_confirm", [orders[-1]])

    def at_once(work, orders):
        threads = [threading.Thread(target=work, args=(order,)) for order in orders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def confirm(order):
        answers.append(gateway.request("POST", f"/v1/production-orders/{order}/confirm", {"final": True}, "mes",
                                       {"Idempotency-Key": f"c-{order}"}))

    answers, before = [], sandbox.state()["contended"]
    at_once(confirm, orders[:4])
    equal([answer.status for answer in answers], [200] * 4, f"{answers}")
    equal(sandbox.state()["contended"], before, "calls that met on a record")
    equal(sandbox.state()["effects"]["mrp.production.button_mark_done"], 4, "each once")
    # Without the gateway they do meet.
    at_once(lambda order: sandbox.call("mrp.production", "button_mark_done", [order]), orders[4:])
    holds(sandbox.state()["contended"].get("stock.quant", 0) > before.get("stock.quant", 0), f"{sandbox.state()}")


if __name__ == "__main__":
    main(globals())
