import Domain

/// Tells the language of a passage by its script and its commonest words: enough to choose how Postgres stems it.
package enum LanguageGuess {
    /// - Returns: the name of a text search configuration that every PostgreSQL has; nil where nothing speaks for one.
    package static func language(of text: String) -> String? {
        byScript(text) ?? byWords(text)
    }

    private static func byScript(_ text: String) -> String? {
        var counts = (latin: 0, cyrillic: 0, greek: 0, arabic: 0)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x41...0x5A, 0x61...0x7A, 0xC0...0x24F: counts.latin += 1
            case 0x370...0x3FF: counts.greek += 1
            case 0x400...0x4FF: counts.cyrillic += 1
            case 0x600...0x6FF: counts.arabic += 1
            default: break
            }
        }
        let most = max(counts.cyrillic, counts.greek, counts.arabic)
        guard most > counts.latin, most > 5 else { return nil }
        switch most {
        case counts.cyrillic: return "russian"
        case counts.greek: return "greek"
        default: return "arabic"
        }
    }

    /// At least three common words of a language, and more than of any other.
    private static func byWords(_ text: String) -> String? {
        var hits = [Int](repeating: 0, count: common.count)
        for word in Words.pieces(of: String(text.prefix(800))) {
            for index in common.indices where common[index].words.contains(word) { hits[index] += 1 }
        }
        guard let best = hits.indices.max(by: { (hits[$0], $1) < (hits[$1], $0) }), hits[best] >= 3 else { return nil }
        let second = hits.indices.filter { $0 != best }.map { hits[$0] }.max() ?? 0
        return hits[best] > second ? common[best].language : nil
    }

    /// Folded as ``Words`` folds: without accents.
    private static let common: [(language: String, words: Set<String>)] = [
        ("english", ["the", "and", "of", "to", "is", "that", "for", "with", "was", "are", "this", "by", "from", "be"]),
        (
            "german",
            ["der", "die", "das", "und", "ist", "nicht", "mit", "ein", "eine", "fur", "auf", "von", "den", "werden"]
        ),
        ("french", ["le", "la", "les", "et", "des", "est", "une", "dans", "pour", "que", "sur", "du", "pas", "sont"]),
        ("spanish", ["el", "los", "las", "y", "del", "una", "por", "con", "para", "es", "que", "se", "su", "como"]),
        (
            "italian",
            ["il", "gli", "che", "di", "della", "per", "sono", "con", "non", "una", "nel", "alla", "dei", "e"]
        ),
        ("portuguese", ["o", "os", "uma", "para", "com", "nao", "do", "da", "dos", "em", "mais", "ao", "pela", "sao"]),
        (
            "dutch",
            ["de", "het", "een", "en", "van", "niet", "voor", "zijn", "met", "op", "aan", "dat", "wordt", "ook"]
        ),
        ("danish", ["og", "ikke", "af", "det", "til", "med", "er", "som", "den", "har", "blev", "fra", "hvad", "vi"]),
        ("swedish", ["och", "inte", "att", "det", "som", "ar", "pa", "med", "av", "ett", "har", "vi", "fran", "till"]),
    ]
}
