import JSON

extension RecordRead {
    /// `lot.read`: lots and serial numbers (recording 116). How much of one lies where is `inventory.read`'s to say,
    /// because that is a matter of the site.
    static let lots = RecordRead(
        operation: "lot.read", noun: "lot", model: "stock.lot",
        members: [
            .id, .text("name", "name"), .reference("product", "product_id"), .text("internal_reference", "ref"),
            .changedAt,
        ],
        filters: [
            .equals("name", "name"), .equals("product", "product_id"),
            .equals("product_code", "product_id.default_code"),
        ])
}
