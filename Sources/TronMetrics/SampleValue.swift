// What the value of a metric may be.

/// The value of a sample: `Int` for counts, `Double` for seconds and shares.
public protocol SampleValue {
    /// The value as the text format has it.
    var sampleText: String { get }
}

extension Int: SampleValue {
    /// Its digits.
    public var sampleText: String { "\(self)" }
}

extension Double: SampleValue {
    /// Its shortest digits that are read as the same value; or `+Inf`, `-Inf`, `NaN`.
    public var sampleText: String {
        if isNaN { return "NaN" }
        return isFinite ? "\(self)" : self < 0 ? "-Inf" : "+Inf"
    }
}
