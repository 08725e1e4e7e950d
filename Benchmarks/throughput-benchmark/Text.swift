// Numbers as people read them, and tables.

/// `1,234,567`.
func grouped(_ value: Int) -> String {
    var digits = Array(String(value.magnitude))
    var place = digits.count - 3
    while place > 0 {
        digits.insert(",", at: place)
        place -= 3
    }
    return (value < 0 ? "-" : "") + String(digits)
}

/// With so many digits after the point, and thousands grouped. `trimmed` leaves out zeros at the
/// end.
func decimal(_ value: Double, _ digits: Int, trimmed: Bool = false) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
    let unit = (0..<digits).reduce(1) { product, _ in product * 10 }
    let scaled = Int((value * Double(unit)).rounded())
    var fraction = String(scaled.magnitude % UInt(unit))
    fraction =
        String(repeating: "0", count: digits - fraction.count + (digits == 0 ? 1 : 0)) + fraction
    if trimmed { while fraction.hasSuffix("0") { fraction.removeLast() } }
    let sign = scaled < 0 ? "-" : ""
    let whole = grouped(Int(scaled.magnitude / UInt(unit)))
    return digits == 0 || fraction.isEmpty ? sign + whole : "\(sign)\(whole).\(fraction)"
}

/// With three digits where it is small: `0.512`, `5.12`, `51.2`, `5,120`.
func threeDigits(_ value: Double) -> String {
    decimal(value, value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0)
}

/// `+12.3 %`.
func percent(_ ratio: Double) -> String {
    (ratio > 0 ? "+" : "") + decimal(ratio * 100, 1) + " %"
}

/// Rows under a heading; the first column is aligned to the left, the others to the right.
struct Table {
    let heading: [String]

    /// Above so many columns, one space has to do between them.
    static let widest = 100

    var rows: [[String]] = []

    /// `emphasis` surrounds the heading.
    func text(emphasis: (begin: String, end: String) = ("", "")) -> String {
        let widths = heading.indices.map { column in
            ([heading] + rows).map { $0[column].count }.max() ?? 0
        }
        let isWide = widths.reduce(2 * (widths.count - 1), +) > Self.widest
        let gap = isWide ? " " : "  "
        let lines = ([heading] + rows).map { row in
            zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + space : space + cell.0
            }.joined(separator: gap)
        }
        return ([emphasis.begin + lines[0] + emphasis.end] + lines.dropFirst())
            .joined(separator: "\n")
    }
}
