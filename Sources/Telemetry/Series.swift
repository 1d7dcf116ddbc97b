import Bytes

/// What all metrics have in common: a name, a help text and a dense table of label values.
struct Series: Sendable {
    let name: String
    let help: String
    let labels: [Label]
    /// Number of combinations of label values.
    let count: Int
    /// `route="/v1/products",status="200"` for each combination, without braces; escaped once, at the start.
    let labelTexts: [[UInt8]]

    init(name: String, help: String, labels: [Label]) {
        precondition(Self.isName(name, colon: true), "no metric name: \(name)")
        precondition(
            labels.allSatisfy { Self.isName($0.name, colon: false) && !$0.name.hasPrefix("__") && $0.name != "le" },
            "no label name in \(name)")
        precondition(labels.allSatisfy { !$0.values.isEmpty }, "a label of \(name) has no values")
        precondition(Set(labels.map(\.name)).count == labels.count, "a label of \(name) is named twice")
        self.name = name
        self.help = help
        self.labels = labels
        var texts: [[UInt8]] = [[]]
        for label in labels {
            precondition(Set(label.values).count == label.values.count, "a value of \(label.name) is named twice")
            var longer: [[UInt8]] = []
            longer.reserveCapacity(texts.count * label.values.count)
            for text in texts {
                for value in label.values {
                    var next = text
                    if !next.isEmpty { next.append(UInt8(ascii: ",")) }
                    next.append(text: label.name)
                    next.append("=\"")
                    Self.appendEscaped(value, quotes: true, to: &next)
                    next.append(UInt8(ascii: "\""))
                    longer.append(next)
                }
            }
            texts = longer
        }
        labelTexts = texts
        count = texts.count
    }

    /// The cell of a combination of values, in the order of the labels.
    @inline(__always)
    func cell(_ first: Int, _ second: Int) -> Int {
        precondition(labels.count == 2 && second >= 0 && second < labels[1].values.count)
        return first * labels[1].values.count + second
    }

    func appendHead<Sink: ByteSink>(_ type: StaticString, to sink: inout Sink) {
        sink.append("# HELP ")
        sink.append(text: name)
        sink.append(UInt8(ascii: " "))
        Self.appendEscaped(help, quotes: false, to: &sink)
        sink.append("\n# TYPE ")
        sink.append(text: name)
        sink.append(UInt8(ascii: " "))
        sink.append(type)
        sink.append(UInt8(ascii: "\n"))
    }

    /// Appends `name_suffix{labels,extra} ` up to the value.
    func appendSample<Sink: ByteSink>(
        _ suffix: StaticString = "", cell: Int, le: [UInt8]? = nil, to sink: inout Sink
    ) {
        sink.append(text: name)
        sink.append(suffix)
        let text = labelTexts[cell]
        if !text.isEmpty || le != nil {
            sink.append(UInt8(ascii: "{"))
            sink.append(copying: text.span)
            if let le {
                if !text.isEmpty { sink.append(UInt8(ascii: ",")) }
                sink.append("le=\"")
                sink.append(copying: le.span)
                sink.append(UInt8(ascii: "\""))
            }
            sink.append(UInt8(ascii: "}"))
        }
        sink.append(UInt8(ascii: " "))
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, for metrics also with colons.
    private static func isName(_ name: String, colon: Bool) -> Bool {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
        return name.utf8.allSatisfy { c in
            (97...122).contains(c | 0x20) || (48...57).contains(c) || c == 95 || (colon && c == 58)
        }
    }

    /// Backslash and line feed are escaped, in label values the quote as well. (Prometheus text format 0.0.4)
    private static func appendEscaped<Sink: ByteSink>(_ text: String, quotes: Bool, to sink: inout Sink) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): sink.append("\\\\")
            case UInt8(ascii: "\n"): sink.append("\\n")
            case UInt8(ascii: "\"") where quotes: sink.append("\\\"")
            default: sink.append(byte)
            }
        }
    }
}

/// Seconds and other units of 10⁻⁹ as exact decimals, `0.000125`, and whole numbers.
enum Quantity {
    static func append<Sink: ByteSink>(nanoseconds value: Int, to sink: inout Sink) {
        sink.append(text: ExactDecimal(mantissa: Int64(value), scale: 9).description)
    }
}
