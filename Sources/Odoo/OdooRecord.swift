import Bytes
import JSON

/// A many2one value: `[id, "display name"]`. (In webhooks a bare id.)
package struct OdooReference: Hashable, Sendable {
    package let id: Int
    package let name: String

    package init(id: Int, name: String) {
        self.id = id
        self.name = name
    }
}

/// A field of an answer is not there or of another type than it must be.
package struct OdooShapeError: Error, Hashable, Sendable, CustomStringConvertible {
    package let field: String
    package let expected: String

    package init(field: String, expected: String) {
        self.field = field
        self.expected = expected
    }

    package var description: String { "field `\(field)` is not \(expected)" }

    /// As an error of the call.
    package var asOdooError: OdooError { .unreadable(description) }
}

/// One element of what `read` and `search_read` answer, with Odoo's way of saying "empty": `false`, for texts,
/// references and dates alike, never null.
///
/// An accessor answers nil for an empty field, and throws when the field was not read or has another type.
package struct OdooRecord: Hashable, Sendable {
    package let fields: JSONObject
    package let id: Int

    package init(_ value: JSONValue) throws(OdooShapeError) {
        guard let fields = value.object else { throw OdooShapeError(field: "", expected: "a record") }
        guard let id = fields["id"]?.int, id > 0 else { throw OdooShapeError(field: "id", expected: "an id") }
        self.fields = fields
        self.id = id
    }

    /// The list of records in a result.
    package static func list(_ result: JSONValue?) throws(OdooShapeError) -> [OdooRecord] {
        guard let elements = result?.array else { throw OdooShapeError(field: "", expected: "a list of records") }
        var records: [OdooRecord] = []
        records.reserveCapacity(elements.count)
        for element in elements { records.append(try OdooRecord(element)) }
        return records
    }

    /// Nil when empty.
    package func string(_ field: String) throws(OdooShapeError) -> String? {
        switch try value(field) {
        case .string(let text): text
        case .bool(false), .null: nil
        default: throw OdooShapeError(field: field, expected: "text or false")
        }
    }

    package func text(_ field: String) throws(OdooShapeError) -> String {
        guard let text = try string(field) else { throw OdooShapeError(field: field, expected: "text") }
        return text
    }

    package func bool(_ field: String) throws(OdooShapeError) -> Bool {
        guard let value = try value(field).bool else { throw OdooShapeError(field: field, expected: "a boolean") }
        return value
    }

    package func int(_ field: String) throws(OdooShapeError) -> Int {
        guard let value = try value(field).int else { throw OdooShapeError(field: field, expected: "an integer") }
        return value
    }

    /// A quantity; see `quantity(_:)` of `JSONNumber`.
    package func quantity(_ field: String) throws(OdooShapeError) -> ExactDecimal {
        guard let number = try value(field).number, let quantity = Self.quantity(number) else {
            throw OdooShapeError(field: field, expected: "a number")
        }
        return quantity
    }

    /// Nil when empty.
    package func reference(_ field: String) throws(OdooShapeError) -> OdooReference? {
        let value = try value(field)
        switch value {
        case .bool(false), .null: return nil
        case .number: if let id = value.int, id > 0 { return OdooReference(id: id, name: "") }
        case .array(let pair):
            if pair.count == 2, let id = pair[0].int, id > 0 {
                return OdooReference(id: id, name: pair[1].string ?? "")
            }
        default: break
        }
        throw OdooShapeError(field: field, expected: "a many2one value")
    }

    /// A one2many or many2many value.
    package func ids(_ field: String) throws(OdooShapeError) -> [Int] {
        guard let elements = try value(field).array else {
            throw OdooShapeError(field: field, expected: "a list of ids")
        }
        var ids: [Int] = []
        for element in elements {
            guard let id = element.int, id > 0 else { throw OdooShapeError(field: field, expected: "a list of ids") }
            ids.append(id)
        }
        return ids
    }

    /// Odoo's naive UTC `YYYY-MM-DD HH:MM:SS`; nil when empty.
    package func instant(_ field: String) throws(OdooShapeError) -> WallInstant? {
        guard let text = try string(field) else { return nil }
        guard text.utf8.count == 19, let instant = WallInstant(text) else {
            throw OdooShapeError(field: field, expected: "a datetime")
        }
        return instant
    }

    private func value(_ field: String) throws(OdooShapeError) -> JSONValue {
        guard let value = fields[field] else { throw OdooShapeError(field: field, expected: "there") }
        return value
    }
}

// MARK: - Quantities

extension OdooRecord {
    /// Decimal places that mean something; Odoo's own precision of quantities is 2 unless configured otherwise.
    static let quantityPlacesMax: UInt8 = 9

    /// The exact decimal that Odoo meant. Odoo computes in binary floating point and writes the shortest text of the
    /// result, so that 0.1 + 0.2 arrives as `0.30000000000000004`, and a difference of nothing as `-1.4e-14`: beyond
    /// nine places it is noise, and is rounded away. Nil when the number is too large.
    package static func quantity(_ number: JSONNumber) -> ExactDecimal? {
        if let exact = number.decimal, exact.scale <= quantityPlacesMax { return exact }
        let value = number.double
        guard value.isFinite else { return nil }
        var scale = quantityPlacesMax
        while true {
            var power = 1.0
            for _ in 0..<scale { power *= 10 }
            if let mantissa = Int64(exactly: (value * power).rounded()), mantissa != .min {
                return ExactDecimal(mantissa: mantissa, scale: scale)
            }
            guard scale >= 3 else { return nil }
            scale -= 3
        }
    }
}
