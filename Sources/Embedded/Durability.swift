/// What the private servers promise about data when power, kernel or process go away.
package enum Durability: Sendable, Equatable {
    /// Postgres commits are on disk before they are answered; Redis writes its log every second. For `dev` and benches.
    case durable
    /// Nothing is forced to disk and Redis keeps nothing over a restart. For tests and the demo.
    case throwaway
}
