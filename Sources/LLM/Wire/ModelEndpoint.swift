import AsyncHTTPClient
import FoundationEssentials
import NIOHTTP1

/// Why a model server's settings cannot be used. Never holds the key or the address's password.
package struct ModelConfigurationFault: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
}

/// Address and headers of a model server, checked and parsed once.
enum ModelEndpoint {
    /// - Parameters:
    ///   - path: what follows the address.
    ///   - headers: besides those that every call has.
    ///   - setting: where the address comes from.
    ///   - example: an address that would do.
    static func post(
        to path: String,
        of baseURL: String,
        headers: HTTPHeaders,
        setting: String,
        example: String
    ) throws(ModelConfigurationFault) -> HTTPClient.Request {
        var base = baseURL
        while base.hasSuffix("/") { base.removeLast() }
        var all: HTTPHeaders = ["Content-Type": "application/json", "Accept": "text/event-stream"]
        all.add(contentsOf: headers)
        guard let request = try? HTTPClient.Request(url: base + path, method: .POST, headers: all),
            request.url.user == nil, request.url.password == nil, request.url.query == nil
        else {
            let keySetting = setting.replacing("_BASE_URL", with: "_API_KEY")
            throw ModelConfigurationFault(
                description: """
                    \(setting): must be an address such as \(example), without user, password or query; give the key in \
                    \(keySetting)
                    """
            )
        }
        return request
    }

    /// - Returns: nil where there is none.
    static func key(_ key: String?, setting: String) throws(ModelConfigurationFault) -> String? {
        guard let key, !key.isEmpty else { return nil }
        guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ModelConfigurationFault(
                description: "\(setting): has spaces or characters a header cannot carry; check the value"
            )
        }
        return key
    }
}
