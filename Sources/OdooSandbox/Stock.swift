import Bytes
import JSON

/// Where goods lie: quants, what is reserved of them, and how they change.
extension Engine {
    func usage(_ location: Int) -> String { text(Model.location, location, "usage") }

    /// Virtual places have no limit and nothing to reserve.
    func isVirtual(_ location: Int) -> Bool { !["internal", "transit"].contains(usage(location)) }

    func locationName(_ id: Int) -> String {
        let name = stored(Model.location, id, "name").text ?? ""
        guard let parent = stored(Model.location, id, "location_id").link, usage(id) != "view" else { return name }
        // 19 has no "Virtual Locations" any more (recording 126).
        return locationName(parent) + "/" + name
    }

    func quants(of product: Int) -> [Int] { database.referrers(Model.quant, "product_id", to: product) }

    func quant(_ product: Int, at location: Int, lot: Int?) -> Int? {
        quants(of: product).first {
            link(Model.quant, $0, "location_id") == location && link(Model.quant, $0, "lot_id") == lot
        }
    }

    func availableQuantity(ofQuant id: Int) -> ExactDecimal {
        number(Model.quant, id, "quantity").subtracting(number(Model.quant, id, "reserved_quantity"))
    }

    /// Books `quantity` in or, negative, out.
    mutating func book(_ quantity: ExactDecimal, of product: Int, at location: Int, lot: Int?) {
        if let id = quant(product, at: location, lot: lot) {
            let sum = number(Model.quant, id, "quantity").adding(quantity)
            set(Model.quant, id, ["quantity": .number(sum)])
            return
        }
        _ = insert(
            Model.quant,
            [
                "product_id": .link(product), "location_id": .link(location), "lot_id": .optional(lot),
                "quantity": .number(quantity), "reserved_quantity": .number(.zero),
                "inventory_quantity": .number(.zero), "in_date": .text(now.odoo), "company_id": .link(1),
            ])
    }

    mutating func changeReserved(_ quant: Int, by quantity: ExactDecimal) {
        let sum = number(Model.quant, quant, "reserved_quantity").adding(quantity)
        set(Model.quant, quant, "reserved_quantity", .number(sum.isNegative ? .zero : sum))
    }

    // MARK: - Figures of a product

    /// The stock of a product: in the context's `location` and below, or in all internal ones (recording 042).
    private func internalQuants(of product: Int) -> [Int] {
        let asked = context["location"]?.int
        return quants(of: product).filter { id in
            guard let location = link(Model.quant, id, "location_id") else { return false }
            if let asked { return isWithin(Model.location, location, asked) }
            return usage(location) == "internal"
        }
    }

    private func sum(_ quants: [Int], _ field: String) -> ExactDecimal {
        quants.reduce(.zero) { $0.adding(number(Model.quant, $1, field)) }
    }

    func onHand(_ product: Int) -> ExactDecimal { sum(internalQuants(of: product), "quantity") }

    func free(_ product: Int) -> ExactDecimal {
        sum(internalQuants(of: product), "available_quantity")
    }

    func onHand(lot: Int) -> ExactDecimal {
        sum(
            database.referrers(Model.quant, "lot_id", to: lot)
                .filter { usage(link(Model.quant, $0, "location_id") ?? 0) == "internal" }, "quantity")
    }

    /// Where all of a lot lies, if it is one place.
    func location(ofLot lot: Int) -> Int? {
        let places = database.referrers(Model.quant, "lot_id", to: lot)
            .filter { number(Model.quant, $0, "quantity").isPositive }
            .compactMap { link(Model.quant, $0, "location_id") }
            .filter { usage($0) == "internal" }
        return Set(places).count == 1 ? places[0] : nil
    }

    /// What open moves will bring in or take out.
    func underway(_ product: Int, incoming: Bool) -> ExactDecimal {
        let asked = context["location"]?.int
        func isInside(_ location: Int) -> Bool {
            asked.map { isWithin(Model.location, location, $0) } ?? (usage(location) == "internal")
        }
        var total = ExactDecimal.zero
        let open = ["waiting", "confirmed", "partially_available", "assigned"].flatMap {
            database.tables[Model.move]?.holders(of: .text($0), in: "state") ?? []
        }
        for move in open where link(Model.move, move, "product_id") == product {
            guard let from = link(Model.move, move, "location_id"), let to = link(Model.move, move, "location_dest_id"),
                isInside(from) != isInside(to), isInside(to) == incoming
            else { continue }
            total = total.adding(number(Model.move, move, "product_uom_qty"))
        }
        return total
    }

    // MARK: - Counting

    /// In inventory mode the counted quantity of an existing place is set on its quant (recording 038).
    mutating func prepareQuant(_ row: inout Row, given: JSONObject) throws(Raised) {
        row["in_date"] = .text(now.odoo)
        if given.contains("inventory_quantity") { row["quantity"] = .number(.zero) }
    }

    /// The quant there is of what is counted: in inventory mode `create` sets the count on it and makes no second one.
    mutating func counted(_ model: String, _ given: JSONObject) -> Int? {
        guard model == Model.quant, contextFlag("inventory_mode"), let product = given["product_id"]?.int,
            let location = given["location_id"]?.int, let count = given["inventory_quantity"]?.decimal,
            let id = quant(product, at: location, lot: given["lot_id"]?.int)
        else { return nil }
        set(Model.quant, id, ["inventory_quantity": .number(count)])
        return id
    }

    /// `action_apply_inventory`: books the difference against the inventory location.
    mutating func applyInventory(_ ids: [Int]) throws(Raised) {
        try require(Model.quant, ids)
        for id in ids {
            guard let product = link(Model.quant, id, "product_id") else { continue }
            let counted = number(Model.quant, id, "inventory_quantity")
            let difference = counted.subtracting(number(Model.quant, id, "quantity"))
            set(Model.quant, id, ["inventory_quantity": .number(.zero)])
            guard !difference.isZero, let place = link(Model.quant, id, "location_id"),
                let virtual = location(usage: "inventory")
            else { continue }
            let (from, to) = difference.isNegative ? (place, virtual) : (virtual, place)
            let amount = difference.isNegative ? difference.negated : difference
            finishMove(
                makeMove(
                    of: product, amount, lot: link(Model.quant, id, "lot_id"), from: from, to: to,
                    ["name": .text("Product Quantity Updated")]))
        }
    }

    /// The first location of that usage.
    func location(usage wanted: String) -> Int? {
        database.ids(Model.location).first { usage($0) == wanted }
    }

    var scrapLocation: Int? {
        database.ids(Model.location).first {
            stored(Model.location, $0, "name").text == "Scrap" && usage($0) == "inventory"
        } ?? location(usage: "inventory")
    }
}
