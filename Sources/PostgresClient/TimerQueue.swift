private import HeapModule

/// Deeds with a deadline, the next due first. For one thread.
///
/// A cancelled one's place is given up when its deadline comes, or when such places are the most: O(log n) each in the long run,
/// where a thousand statements a second begin with a timer and end it long before it is due.
struct TimerQueue {
    private struct Place: Comparable {
        let deadline: ContinuousClock.Instant
        let id: Int

        static func < (one: Place, other: Place) -> Bool { one.deadline < other.deadline }
    }

    private var places = Heap<Place>()
    private var deeds: [Int: @Sendable () -> Void] = [:]
    private var lastID = 0

    /// - Returns: what cancels it.
    mutating func add(_ deadline: ContinuousClock.Instant, _ deed: @escaping @Sendable () -> Void) -> Int {
        lastID += 1
        deeds[lastID] = deed
        places.insert(Place(deadline: deadline, id: lastID))
        return lastID
    }

    /// Cancelling what has been done, or was cancelled, is harmless.
    mutating func cancel(_ id: Int) {
        guard deeds.removeValue(forKey: id) != nil, places.count > 2 * deeds.count + 64 else { return }
        places = Heap(places.unordered.filter { deeds[$0.id] != nil })
    }

    /// The earliest deadline; nil where nothing waits.
    mutating func next() -> ContinuousClock.Instant? {
        while let first = places.min {
            if deeds[first.id] != nil { return first.deadline }
            places.removeMin()
        }
        return nil
    }

    /// Takes out the earliest that is due at `now`.
    mutating func takeDue(at now: ContinuousClock.Instant) -> (@Sendable () -> Void)? {
        guard let next = next(), next <= now else { return nil }
        return deeds.removeValue(forKey: places.removeMin().id)
    }
}
