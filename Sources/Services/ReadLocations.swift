extension RecordRead {
    /// `location.read`: where stock may lie (recording 126).
    static let locations = RecordRead(
        operation: "location.read", noun: "location", model: "stock.location",
        members: [
            .id, .text("name", "name"), .text("path", "complete_name"), .word("kind", "usage", usages),
            .reference("parent", "location_id"), .site, .changedAt,
        ],
        filters: [
            .equals("name", "name"), .below("below", "id"), .words("kind", "usage", usages),
        ], placement: .itself)

    private static let usages = RecordWords([
        ("internal", "internal"), ("view", "view"), ("transit", "transit"), ("supplier", "supplier"),
        ("customer", "customer"), ("inventory", "inventory"), ("production", "production"),
    ])
}
