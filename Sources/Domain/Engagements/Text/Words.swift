/// Words of a text as the planner and the reader of sources compare them: lower case, without accents, cut to a stem.
///
/// The stemmer is simple on purpose: it need only give the same stem to the forms of one English word.
package enum Words {
    /// Every word, in order, stop words included.
    package static func all(of text: String) -> [String] {
        pieces(of: text).map { stem($0) }
    }

    /// The words that carry meaning: no stop words, nothing of one letter.
    package static func content(of text: String) -> [String] {
        pieces(of: text).filter { $0.utf8.count > 1 && !stopWords.contains($0) }.map { stem($0) }
    }

    /// The words as written but folded, with the stem of each: for naming a term to a person.
    package static func named(of text: String) -> [(word: String, stem: String)] {
        pieces(of: text).filter { $0.utf8.count > 1 && !stopWords.contains($0) }.map { ($0, stem($0)) }
    }

    /// Runs of letters and digits, lower case, accents folded.
    package static func pieces(of text: String) -> [String] {
        var pieces: [String] = []
        var word = ""
        for scalar in text.unicodeScalars {
            if append(scalar, to: &word) { continue }
            // An apostrophe inside a word belongs to it: "client's" is one word.
            if scalar == "'" || scalar == "\u{2019}", !word.isEmpty { continue }
            if !word.isEmpty { pieces.append(word) }
            word = ""
        }
        if !word.isEmpty { pieces.append(word) }
        return pieces
    }

    /// Whether the scalar belongs to a word; if so it is folded and added.
    private static func append(_ scalar: Unicode.Scalar, to word: inout String) -> Bool {
        switch scalar.value {
        case 0x61...0x7A, 0x30...0x39: word.unicodeScalars.append(scalar)
        case 0x41...0x5A: word.unicodeScalars.append(Unicode.Scalar(UInt8(scalar.value + 32)))
        case 0...0x7F: return false
        // A combining mark says nothing that the letter before it does not.
        case 0x300...0x36F: break
        default:
            guard scalar.properties.isAlphabetic || scalar.properties.numericType != nil else { return false }
            word += folded[scalar] ?? scalar.properties.lowercaseMapping
        }
        return true
    }

    /// Latin letters with accents, and what stands for them.
    private static let folded: [Unicode.Scalar: String] = {
        let groups: [(String, String)] = [
            ("a", "àáâãäåāăąÀÁÂÃÄÅĀĂĄ"), ("ae", "æÆ"), ("c", "çćĉċčÇĆĈĊČ"), ("d", "ďđÐĎĐ"),
            ("e", "èéêëēĕėęěÈÉÊËĒĔĖĘĚ"), ("g", "ĝğġģĜĞĠĢ"), ("h", "ĥħĤĦ"), ("i", "ìíîïĩīĭįıÌÍÎÏĨĪĬĮİ"), ("j", "ĵĴ"),
            ("k", "ķĶ"), ("l", "ĺļľŀłĹĻĽĿŁ"), ("n", "ñńņňÑŃŅŇ"), ("o", "òóôõöøōŏőÒÓÔÕÖØŌŎŐ"), ("oe", "œŒ"),
            ("r", "ŕŗřŔŖŘ"), ("s", "śŝşšșŚŜŞŠȘ"), ("ss", "ßẞ"), ("t", "ţťŧțŢŤŦȚ"), ("u", "ùúûüũūŭůűųÙÚÛÜŨŪŬŮŰŲ"),
            ("w", "ŵŴ"), ("y", "ýÿŷÝŶŸ"), ("z", "źżžŹŻŽ"),
        ]
        var table: [Unicode.Scalar: String] = [:]
        for (plain, letters) in groups {
            for letter in letters.unicodeScalars { table[letter] = plain }
        }
        return table
    }()

    // MARK: Stems

    /// One stem for the forms of a word: `prices`, `price` and `pricing` give `pric`.
    package static func stem(_ word: String) -> String {
        var letters = Array(word.utf8)
        guard letters.count > 3, letters.allSatisfy({ $0 >= UInt8(ascii: "a") }) else { return word }
        dropPlural(&letters)
        dropEnding(&letters)
        if letters.count > 3, letters.last == UInt8(ascii: "e") { letters.removeLast() }
        return String(decoding: letters, as: UTF8.self)
    }

    private static func dropPlural(_ letters: inout [UInt8]) {
        if ends(letters, "ies"), letters.count > 4 {
            letters.removeLast(3)
            letters.append(UInt8(ascii: "y"))
        } else if ends(letters, "sses") || ends(letters, "ches") || ends(letters, "shes") || ends(letters, "xes") {
            letters.removeLast(2)
        } else if ends(letters, "s"), !ends(letters, "ss"), !ends(letters, "us"), !ends(letters, "is") {
            letters.removeLast()
        }
    }

    private static func dropEnding(_ letters: inout [UInt8]) {
        for ending in ["ing", "ed"] where ends(letters, ending) {
            let rest = letters.dropLast(ending.utf8.count)
            guard rest.count > 2, rest.contains(where: isVowel) else { return }
            letters = Array(rest)
            // planning, planned: plan. But selling, missing keep theirs.
            if let last = letters.last, letters.dropLast().last == last, !isVowel(last),
                last != UInt8(ascii: "l"), last != UInt8(ascii: "s")
            {
                letters.removeLast()
            }
            return
        }
    }

    private static func ends(_ letters: [UInt8], _ ending: String) -> Bool {
        letters.count > ending.utf8.count && letters.suffix(ending.utf8.count).elementsEqual(ending.utf8)
    }

    private static func isVowel(_ letter: UInt8) -> Bool {
        switch letter {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"),
            UInt8(ascii: "y"):
            true
        default: false
        }
    }

    /// English words that say nothing about what a text is about.
    private static let stopWords: Set<String> = Set(
        """
        a about above after again all also am an and any are as at be because been before being below between both but \
        by can could did do does doing down during each few for from further had has have having he her here hers him \
        his how i if in into is it its itself just may me might more most must my no nor not now of off on once only or \
        other our ours out over own same shall she should so some such than that the their theirs them then there these \
        they this those through to too under until up upon us very was we were what when where which while who whom why \
        will with within without would you your yours
        """.split(separator: " ").map(String.init)
    )
}
