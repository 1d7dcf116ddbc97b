import JSON

/// `/json/2/<model>/<method>` (19 and later): the bare result with 200, or an object with the class of the exception
/// in `name` and a status that follows from it (recordings 301 to 356).
///
/// A client's mistake may be 500 (334 to 336), and 404 may be a model, a method, a record, the path or, as a page, the
/// database (324, 325, 329, 346, 350): `name` decides, not the status.
package enum OdooJSON2 {
    package static func result(
        of response: OdooResponse, limits: JSONLimits = JSONLimits()
    ) -> Result<JSONValue?, OdooError> {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(response.body, limits: limits)
        } catch {
            return .failure(.notOdoo(status: response.status, protocol: .json2))
        }
        switch response.status {
        case 200: return .success(value.isNull ? JSONValue?.none : value)
        case 400...599:
            guard let name = value["name"]?.string, value["debug"] != nil || value["arguments"] != nil else {
                return .failure(.notOdoo(status: response.status, protocol: .json2))
            }
            return .failure(OdooError(name: name, message: value["message"]?.string ?? ""))
        default: return .failure(.notOdoo(status: response.status, protocol: .json2))
        }
    }
}
