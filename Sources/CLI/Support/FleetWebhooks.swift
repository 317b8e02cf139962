import Domain
import Jobs
import Outside
import Stores

/// What webhooks need, from the settings.
extension Fleet {
    /// - Throws: ``SettingError``
    func addressGuard() throws -> AddressGuard {
        let ranges = try (settings["GC_NET_ALLOW"] ?? "").split(separator: ",").map { text in
            guard let range = AddressRange(String(text).trimmed) else {
                throw SettingError(
                    "GC_NET_ALLOW",
                    "holds \"\(text)\"",
                    "It takes ranges such as 10.1.0.0/16, separated by commas."
                )
            }
            return range
        }
        return AddressGuard(allowing: ranges)
    }

    func webhooks() throws -> WebhookServices {
        let client = GuardedClient(try addressGuard(), authorities: settings["GC_WEBHOOK_CA_FILE"])
        return WebhookServices(
            sender: client,
            sealer: .webhooks(try installationSecret()),
            schedule: try webhookSchedule()
        )
    }

    private func webhookSchedule() throws -> [Int] {
        guard let text = settings["GC_WEBHOOK_SCHEDULE"] else { return WebhookServices.standardSchedule }
        let seconds = text.split(separator: ",").compactMap { Int(String($0).trimmed) }.filter {
            (0...604_800).contains($0)
        }
        guard !seconds.isEmpty, seconds.count == text.split(separator: ",").count else {
            throw SettingError(
                "GC_WEBHOOK_SCHEDULE",
                "is \"\(text)\"",
                "It takes whole seconds up to 604800, separated by commas, such as 0,5,300."
            )
        }
        return seconds
    }
}
