// What the clients did and met.

/// Sums over all clients; each line of the description has names and numbers alone.
struct Counts: CustomStringConvertible {
    var sent = 0
    var answered = 0
    /// Requests without an answer, by the reason.
    var failed: [String: Int] = [:]
    /// Connections on which a server said its welcome, and those of them that ended.
    var greeted = 0
    var lost = 0
    /// Connections that ended without a welcome.
    var neverGreeted = 0
    /// Absences by the attempts that they took.
    private var absences: [Int: Int] = [:]
    private var longest = Duration.zero
    private var longestBound = Duration.zero
    private var beyondBound = 0

    mutating func add(_ absence: Duration, bound: Duration, attempts: Int) {
        absences[attempts, default: 0] += 1
        if absence > bound { beyondBound += 1 }
        guard absence > longest else { return }
        (longest, longestBound) = (absence, bound)
    }

    var description: String {
        let reasons = failed.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let attempts = absences.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return """
            sent \(sent) = answered \(answered) + failed \(failed.values.reduce(0, +))
            reasons: \(reasons.isEmpty ? "none" : reasons.joined(separator: ", "))
            greeted \(greeted), lost \(lost), never greeted \(neverGreeted)
            absences by attempts: \(attempts.isEmpty ? "none" : attempts.joined(separator: ", "))
            longest absence \(longest) of at most \(longestBound); beyond its bound \(beyondBound)
            """
    }
}
