import Queue
import Stores

extension Finding {
    /// Whether Postgres keeps tenants apart behind the API (docs/tenants.md).
    static func walls(stand: Bool) -> Finding {
        guard stand else {
            return .warn(
                "tenants.walls",
                "row-level security is off",
                why: "a query of the API that forgot its tenant would see all of them",
                remedy: Stores.wallRemedy
            )
        }
        return .ok("tenants.walls", "row-level security keeps tenants apart")
    }
}
