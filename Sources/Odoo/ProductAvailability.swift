import Bytes
import JSON

/// The stock of a product as Odoo sums it up, everywhere or below one location.
package struct ProductAvailability: Hashable, Sendable {
    package let product: Int
    /// `qty_available`.
    package let onHand: ExactDecimal
    /// `free_qty`: on hand and not reserved.
    package let free: ExactDecimal
    /// `virtual_available`: on hand, plus what comes, minus what goes.
    package let forecast: ExactDecimal
    package let incoming: ExactDecimal
    package let outgoing: ExactDecimal

    static let fields = ["qty_available", "free_qty", "virtual_available", "incoming_qty", "outgoing_qty"]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        product = record.id
        onHand = try record.quantity("qty_available")
        free = try record.quantity("free_qty")
        forecast = try record.quantity("virtual_available")
        incoming = try record.quantity("incoming_qty")
        outgoing = try record.quantity("outgoing_qty")
    }

    /// Recording 042.
    package static func read(products: [Int], below location: Int? = nil) -> OdooCall {
        .read(
            ProductRecord.model, ids: products, fields: fields,
            context: location.map { ["location": JSONValue($0)] } ?? JSONObject())
    }
}
