/// Numbers, amounts, shares and dates in a sentence, as it writes them.
enum Figures {
    private static let months =
        "January|February|March|April|May|June|July|August|September|October|November|December"

    static func of(_ sentence: String) -> [String] {
        guard let pattern = try? Regex(expression) else { return [] }
        return sentence.matches(of: pattern).map { String(sentence[$0.range]) }
    }

    /// Dates first, then money, shares and counts with the word behind them.
    private static let expression = [
        #"\b\d{1,2} (?:"# + months + #") \d{4}\b"#,
        #"\b(?:"# + months + #") \d{4}\b"#,
        #"\b\d{4}-\d\d-\d\d\b"#,
        #"[$€£] ?\d[\d,.]*\d?(?: ?(?:million|billion|thousand|[kKmM]\b))?"#,
        #"\b\d[\d,]*(?:\.\d+)? ?(?:%|(?:million |billion |thousand )?(?:percent|per cent|euros?|dollars?|pounds?|USD|EUR|GBP)\b)"#,
        #"\b\d[\d,]*(?:\.\d+)?(?: (?:million|billion|thousand))?(?: [a-z]{3,})?"#,
    ].joined(separator: "|")
}
