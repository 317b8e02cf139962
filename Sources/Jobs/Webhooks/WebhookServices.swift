package import Domain
package import Stores

/// What it takes to deliver webhooks.
package struct WebhookServices: Sendable {
    /// Seconds before each attempt, the first included (design O-6).
    package static let standardSchedule = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]

    package let sender: any WebhookSender
    package let sealer: Sealer
    package let schedule: [Int]

    package init(sender: any WebhookSender, sealer: Sealer, schedule: [Int] = standardSchedule) {
        self.sender = sender
        self.sealer = sealer
        self.schedule = schedule
    }
}
