/// Characters that one step of a pattern accepts.
struct ScalarSet: Sendable, Hashable {
    var ranges: [ClosedRange<UInt32>] = []
    /// Bit i accepts the general category of index i.
    var categories: UInt32 = 0
    var isNegated = false

    init(_ ranges: [ClosedRange<UInt32>] = []) { self.ranges = ranges }

    func contains(_ scalar: UInt32) -> Bool {
        for range in ranges where range.contains(scalar) { return !isNegated }
        if categories != 0, let unicode = Unicode.Scalar(scalar),
            categories >> UInt32(GeneralCategory.index(of: unicode)) & 1 == 1
        {
            return !isNegated
        }
        return isNegated
    }

    /// The characters that are not within; only for a set without categories.
    var complement: [ClosedRange<UInt32>] {
        var out: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { out.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { out.append(next...0x10FFFF) }
        return out
    }

    /// Most characters that are looked up one by one for `(?i)`.
    static let foldedMax = 4_096

    /// With both cases of each letter; false when the set is too large for that.
    mutating func fold() -> Bool {
        if categories != 0 { return false }
        var total = 0
        for range in ranges { total += range.count }
        guard total <= Self.foldedMax else { return false }
        var added: [ClosedRange<UInt32>] = []
        for range in ranges {
            for value in range {
                guard let scalar = Unicode.Scalar(value) else { continue }
                for other in Self.foldings(of: scalar) where other.value != value {
                    added.append(other.value...other.value)
                }
            }
        }
        ranges += added
        return true
    }

    private static func foldings(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        var all: [Unicode.Scalar] = []
        for text in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
            let scalars = text.unicodeScalars
            if scalars.count == 1, let other = scalars.first { all.append(other) }
        }
        // Letters whose case is one-way: the Kelvin sign is a k, the long s an s.
        switch scalar {
        case "k", "K": all.append("\u{212A}")
        case "s", "S": all.append("\u{17F}")
        case "\u{212A}": all.append("K")
        case "\u{17F}": all.append("s")
        default: break
        }
        return all
    }
}

/// Unicode's general categories, as `\p{Lu}` names them.
enum GeneralCategory {
    static let names = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]
    static let all: UInt32 = (1 << 30) - 1

    /// The bits of `Lu` or of all that begin with `L`; nil for an unknown name.
    static func mask(_ name: String) -> UInt32? {
        if name == "Any" { return all }
        var mask: UInt32 = 0
        for (index, known) in names.enumerated() where known == name || (name.count == 1 && known.hasPrefix(name)) {
            mask |= 1 << UInt32(index)
        }
        return mask == 0 ? nil : mask
    }

    static func index(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .titlecaseLetter: 2
        case .modifierLetter: 3
        case .otherLetter: 4
        case .nonspacingMark: 5
        case .spacingMark: 6
        case .enclosingMark: 7
        case .decimalNumber: 8
        case .letterNumber: 9
        case .otherNumber: 10
        case .connectorPunctuation: 11
        case .dashPunctuation: 12
        case .openPunctuation: 13
        case .closePunctuation: 14
        case .initialPunctuation: 15
        case .finalPunctuation: 16
        case .otherPunctuation: 17
        case .mathSymbol: 18
        case .currencySymbol: 19
        case .modifierSymbol: 20
        case .otherSymbol: 21
        case .spaceSeparator: 22
        case .lineSeparator: 23
        case .paragraphSeparator: 24
        case .control: 25
        case .format: 26
        case .surrogate: 27
        case .privateUse: 28
        case .unassigned: 29
        @unknown default: 29
        }
    }
}
