import Bytes
import JSON

/// A `stock.move.line`: the part of a move that is of one lot and from one place.
package struct MoveLineRecord: Hashable, Sendable {
    package let id: Int
    package let move: Int
    package let product: OdooReference
    package let lot: OdooReference?
    package let location: Int
    package let quantity: ExactDecimal
    package let unit: OdooReference?

    package static let model = "stock.move.line"
    static let fields = ["move_id", "product_id", "lot_id", "location_id", "quantity", "product_uom_id"]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        guard let move = try record.reference("move_id"), let product = try record.reference("product_id"),
            let location = try record.reference("location_id")
        else { throw OdooShapeError(field: "move_id", expected: "a many2one value") }
        self.move = move.id
        self.product = product
        self.location = location.id
        lot = try record.reference("lot_id")
        quantity = try record.quantity("quantity")
        unit = try record.reference("product_uom_id")
    }

    /// Of these moves; 500 at most, which is more than an order has.
    package static func search(moves: [Int]) -> OdooCall {
        .searchRead(
            model, domain: [["move_id", "in", .array(moves.map { JSONValue($0) })]], fields: fields,
            limit: OdooPage.limitMax, order: "id")
    }
}

/// How much of a lot, from which place.
package struct LotShare: Hashable, Sendable {
    package let lot: Int
    package let location: Int
    package let quantity: ExactDecimal

    package init(lot: Int, location: Int, quantity: ExactDecimal) {
        self.lot = lot
        self.location = location
        self.quantity = quantity
    }
}

/// Which lots go into a move, as an absolute figure. A reservation chooses lots by itself (recordings 112 to 119); other
/// ones are written on the move's lines (by reading: `stock.move.write` with commands on `move_line_ids`, 17 to 19).
package enum LotConsumption {
    /// The lines become exactly `shares`: what is there of another lot or place is taken away line by line, because a
    /// "clear" would leave them reserved and without a move.
    package static func set(
        _ move: MovePlace, to shares: [LotShare], instead lines: [MoveLineRecord], on version: OdooVersion
    ) -> OdooCall {
        var commands: [JSONValue] = []
        var open = shares
        for line in lines where line.move == move.id {
            if let i = open.firstIndex(where: { $0.lot == line.lot?.id && $0.location == line.location }) {
                let share = open.remove(at: i)
                if share.quantity != line.quantity {
                    commands.append([1, JSONValue(line.id), ["quantity": JSONValue(share.quantity)]])
                }
            } else {
                commands.append([2, JSONValue(line.id), 0])
            }
        }
        for share in open { commands.append(line(share, of: move.product.id, to: move.to)) }
        return write(move.id, commands)
    }

    private static func line(_ share: LotShare, of product: Int, to place: Int) -> JSONValue {
        [
            0, 0,
            [
                "product_id": JSONValue(product), "lot_id": JSONValue(share.lot),
                "quantity": JSONValue(share.quantity), "location_id": JSONValue(share.location),
                "location_dest_id": JSONValue(place), "picked": true,
            ],
        ]
    }

    private static func write(_ move: Int, _ commands: [JSONValue]) -> OdooCall {
        .write(
            ComponentMoveRecord.model, ids: [move],
            ["move_line_ids": .array(commands), "picked": true, "manual_consumption": true])
    }

    // MARK: In a program of the addon, where the lines are not known

    /// Takes away all lines of moves that were made in the same program: `unlink` is what the command 2 does.
    package static func clear(_ moves: [Int], asStep step: Int) -> [AddonStep] {
        [
            .call(
                OdooCall(
                    model: MoveLineRecord.model, method: "search",
                    positional: [.init("domain", [["move_id", "in", .array(moves.map { JSONValue($0) })]])])),
            .call(.button(MoveLineRecord.model, "unlink", ids: [AddonReference.placeholder(ofStep: step)])),
        ]
    }

    /// One line, on a move without any.
    package static func fill(_ move: Int, of product: Int, to place: Int, with share: LotShare) -> OdooCall {
        write(move, [line(share, of: product, to: place)])
    }

    /// Whether the lines say it already.
    package static func isSet(_ shares: [LotShare], _ lines: [MoveLineRecord]) -> Bool {
        var there: [Int: ExactDecimal] = [:]
        var wanted: [Int: ExactDecimal] = [:]
        for line in lines where !line.quantity.isZero {
            there[line.lot?.id ?? 0] = (there[line.lot?.id ?? 0] ?? .zero) + line.quantity
        }
        for share in shares { wanted[share.lot] = (wanted[share.lot] ?? .zero) + share.quantity }
        return there == wanted
    }
}
