/// What an operation is about to touch, as far as rules can tell resources apart.
package struct Resource: Sendable, Hashable {
    /// The plant it belongs to; nil when it belongs to none. Only rules for all sites speak of what has no site.
    package var site: String?
    /// The work center (`mrp.workcenter`) it is done at; nil when there is none.
    package var workCenter: String?

    package init(site: String? = nil, workCenter: String? = nil) {
        self.site = site
        self.workCenter = workCenter
    }
}
