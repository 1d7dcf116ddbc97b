import Bytes

/// Two plants to try things on.
///
/// | | Plant 1 (`WH`) | Plant 2 (`WH2`) |
/// |---|---|---|
/// | work centers | `ASSEMBLY-1`, `DRILL-1` | `ASSEMBLY-2`, `DRILL-2` |
/// | makes | `PUMP-100` (operations), `VALVE-20` | `TABLE-01` (operations), `CHAIR-01` (with fractions) |
extension Engine {
    mutating func seedDemo() {
        let centers = seedCenters()
        let cast = seedProduct("CAST-100", "Cast housing")
        let screw = seedProduct("SCREW-M6", "Screw M6")
        let seal = seedProduct("SEAL-20", "Seal 20 mm")
        let ball = seedProduct("BALL-20", "Ball 20 mm")
        let panel = seedProduct("PANEL-OAK", "Oak panel")
        let leg = seedProduct("LEG-STEEL", "Steel leg")
        let lacquer = seedProduct("LACQUER", "Lacquer", unit: 2)
        let pump = seedProduct("PUMP-100", "Pump 100")
        let valve = seedProduct("VALVE-20", "Ball valve 20 mm")
        let table = seedProduct("TABLE-01", "Table")
        let chair = seedProduct("CHAIR-01", "Chair")
        let furniture = seed(Model.category, nil, ["name": .text("Furniture"), "parent_id": .link(1)])
        for product in [panel, leg, lacquer, table, chair] { set(Model.product, product, "categ_id", .link(furniture)) }

        let one = ExactDecimal(1)
        let pumpBOM = seedBOM(
            pump, lines: [(cast, one), (screw, ExactDecimal(4))],
            operations: [("Drilling", centers[1], 5), ("Assembly", centers[0], 10)])
        let valveBOM = seedBOM(valve, lines: [(ball, one), (seal, ExactDecimal(2))])
        let tableBOM = seedBOM(
            table, lines: [(panel, one), (leg, ExactDecimal(4))], operations: [("Assembly", centers[2], 20)])
        let chairBOM = seedBOM(
            chair, lines: [(leg, ExactDecimal(4)), (lacquer, ExactDecimal(mantissa: 25, scale: 2))])

        for place in [ids.stock, ids.stock2] {
            for component in [cast, screw, seal, ball, panel, leg] {
                book(ExactDecimal(100_000), of: component, at: place, lot: nil)
            }
            book(ExactDecimal(mantissa: 50_005, scale: 1), of: lacquer, at: place, lot: nil)
            for product in [pump, valve, table, chair] { book(ExactDecimal(10), of: product, at: place, lot: nil) }
        }

        let first = ids.manufacturing
        let second = ids.manufacturing2
        seedOrder(pump, pumpBOM, 20, at: first, released: true)
        seedOrder(valve, valveBOM, 50, at: first, released: true)
        seedOrder(pump, pumpBOM, 5, at: first, released: false)
        seedOrder(valve, valveBOM, 8, at: first, released: false)
        seedOrder(table, tableBOM, 10, at: second, released: true)
        seedOrder(chair, chairBOM, 12, at: second, released: true)
        seedOrder(chair, chairBOM, 4, at: second, released: false)

        let known = ["CAST-100": cast, "SCREW-M6": screw, "SEAL-20": seal]
        seedSuppliers { known[$0] ?? 0 }
        seedEquipment()
        seedHolds()
    }

    private mutating func seedCenters() -> [Int] {
        [("Assembly 1", "ASSEMBLY-1"), ("Drill 1", "DRILL-1"), ("Assembly 2", "ASSEMBLY-2"), ("Drill 2", "DRILL-2")]
            .map { seed(Model.workcenter, nil, ["name": .text($0.0), "code": .text($0.1)]) }
    }

    /// An order as a person would make it; seeds write nothing that could be refused.
    mutating func seedOrder(_ product: Int, _ bom: Int, _ quantity: Int, at type: Int, released: Bool) {
        do throws(Raised) {
            let id = try create(
                Model.production,
                [
                    "product_id": .init(product), "bom_id": .init(bom), "product_qty": .init(quantity),
                    "picking_type_id": .init(type), "origin": "DEMO",
                ])
            if released { try confirmProduction([id]) }
        } catch {
            assertionFailure("the seed is refused: \(error.message)")
        }
    }
}
