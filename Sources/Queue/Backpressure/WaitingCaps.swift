/// How many jobs may wait before callers are asked to come back later, where no row of the limits says otherwise.
package struct WaitingCaps: Sendable, Equatable {
    /// Of one tenant in one queue; 0 is no cap.
    package var tenant: Int
    /// Of a whole queue; 0 is no cap.
    package var queue: Int

    package init(tenant: Int = 10_000, queue: Int = 1_000_000) {
        self.tenant = tenant
        self.queue = queue
    }
}

/// New work was refused: too much of it waits already. Nothing was written.
package struct Overload: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Whose: Sendable, Equatable {
        /// The caller's own jobs.
        case tenant
        /// All tenants' jobs together.
        case queue
    }

    package let queue: String
    package let whose: Whose
    package let waiting: Int
    package let cap: Int
    /// Seconds, 1 to 300, by the rate at which the queue was drained lately.
    package let retryAfter: Int

    package init(queue: String, whose: Whose, waiting: Int, cap: Int, retryAfter: Int) {
        self.queue = queue
        self.whose = whose
        self.waiting = waiting
        self.cap = cap
        self.retryAfter = retryAfter
    }

    package var description: String {
        let jobs = whose == .tenant ? "of your jobs" : "jobs"
        return "\(waiting) \(jobs) wait in the \(queue) queue, and \(cap) may. Try again in \(retryAfter) s."
    }
}

/// What waits in a queue, and how fast it leaves.
struct WaitingLoad: Sendable, Equatable {
    /// In the whole queue.
    var queue: Int
    /// Of the tenant.
    var tenant: Int
    /// Tenants that share what is drained, at least 1.
    var tenants: Int
    /// Jobs that leave the queue.
    var perSecond: Double

    /// The verdict on one more job of the tenant; nil lets it in. The tenant's own cap comes first: it can do something about it.
    func verdict(on caps: WaitingCaps, in name: String) -> Overload? {
        if caps.tenant > 0, tenant >= caps.tenant {
            let pause = pause(for: tenant - caps.tenant + 1, perSecond: perSecond / Double(tenants))
            return Overload(queue: name, whose: .tenant, waiting: tenant, cap: caps.tenant, retryAfter: pause)
        }
        guard caps.queue > 0, queue >= caps.queue else { return nil }
        let pause = pause(for: queue - caps.queue + 1, perSecond: perSecond)
        return Overload(queue: name, whose: .queue, waiting: queue, cap: caps.queue, retryAfter: pause)
    }

    /// Seconds until so many have left; the longest where nothing leaves.
    private func pause(for jobs: Int, perSecond: Double) -> Int {
        guard perSecond > 0 else { return 300 }
        return max(1, Int(min(300, (Double(jobs) / perSecond).rounded(.up))))
    }
}
