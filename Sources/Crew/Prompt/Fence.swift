/// Marks where material begins and ends, so that a model can tell it from instructions (engine 3.6).
///
/// What is inside cannot close the fence unless it knows the mark.
struct Fence {
    let mark: String

    init(mark: String) {
        self.mark = mark
    }

    /// A mark that is the same for every prompt that holds the same text: prompts of a run share their beginning, byte
    /// for byte, and providers cache it. FNV-1a, 64 bits (draft-eastlake-fnv).
    init(markedBy text: String) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        mark = String(repeating: "0", count: 16 - digits.count) + digits
    }

    func around(_ text: String, label: String) -> String {
        "<<<DATA \(mark) \(label)\n\(text)\n>>>END \(mark)"
    }
}
