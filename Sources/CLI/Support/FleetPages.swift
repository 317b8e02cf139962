import Documents
import Domain
import Outside

/// What fetches pages for tenants in this process.
extension Fleet {
    /// - Throws: ``SettingError``
    func pages() throws -> any PageFetcher {
        PageClient(GuardedClient(try addressGuard()), reader: WebPageReader())
    }
}
