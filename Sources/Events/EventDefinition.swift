import Contracts
import JSON

/// What the catalogue says of one event.
package struct EventDefinition: Sendable {
    package struct Version: Sendable {
        package let number: Int
        package let schema: Schema
        /// The schema on its own, with every definition that it refers to put in its place.
        package let document: JSONValue
        /// Data as it may look.
        package let example: JSONValue
        /// Nobody should begin to read it.
        package let isDeprecated: Bool
    }

    /// `production-order.released`: noun, point, participle.
    package let name: String
    package let title: String
    /// CommonMark.
    package let description: String
    /// What its subject begins with, `production-order`: events of one aggregate are counted together.
    package let aggregate: String
    /// A plant system may post it, with the policy's leave; all others only the gateway itself tells.
    package let isOpen: Bool
    /// By number.
    package let versions: [Version]
    package let file: String

    package subscript(version number: Int) -> Version? { versions.first { $0.number == number } }

    /// The operation by which policies speak of who may receive it.
    package var operation: String { Self.operation(name) }
    package static func operation(_ name: String) -> String { "event." + name }
}

extension EventDefinition.Version {
    /// Everything in which data is not what the schema promises. Readers must bear unknown members, because later
    /// versions may add some; who tells an event may not invent any.
    package func violations(_ data: JSONValue) -> [Violation] {
        var found = schema.validate(data)
        Self.unknown(data, schema, at: "", &found)
        return found
    }

    private static func unknown(
        _ value: JSONValue, _ schema: Schema, at pointer: String, _ found: inout [Violation]
    ) {
        switch value {
        case .object(let members):
            for (key, member) in members.members {
                let place = JSONPointer.appending(key, to: pointer)
                if let property = schema.property(key) {
                    unknown(member, property, at: place, &found)
                } else {
                    found.append(Violation(pointer: place, "is not known"))
                }
            }
        case .array(let elements):
            guard let items = schema.items else { return }
            for (index, element) in elements.enumerated() { unknown(element, items, at: "\(pointer)/\(index)", &found) }
        default: break
        }
    }
}
