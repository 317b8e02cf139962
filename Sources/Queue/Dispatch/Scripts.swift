import RedisClient

/// The Lua scripts beside this file's folder, one file each, with KEYS, ARGV and result in its header.
///
/// Those that make ids ready or see them end stand behind `places.lua`, those of rates behind `bucket.lua`, which they share.
enum Scripts {
    static let push = script("push", PackageResources.places_lua + PackageResources.push_lua)
    static let cycle = script("cycle", PackageResources.places_lua + PackageResources.cycle_lua)
    static let open = script("open", PackageResources.open_lua)
    static let held = script("held", PackageResources.held_lua)
    static let release = script("release", PackageResources.places_lua + PackageResources.release_lua)
    static let adopt = script("adopt", PackageResources.places_lua + PackageResources.adopt_lua)
    static let limit = script("limit", PackageResources.limit_lua)
    static let keyLimit = script("keylimit", PackageResources.places_lua + PackageResources.keylimit_lua)
    static let tidy = script("tidy", PackageResources.places_lua + PackageResources.tidy_lua)
    static let forget = script("forget", PackageResources.places_lua + PackageResources.forget_lua)
    static let load = script("load", PackageResources.load_lua)
    static let depth = script("depth", PackageResources.depth_lua)
    static let settings = script("settings", PackageResources.settings_lua)
    static let cancel = script("cancel", PackageResources.cancel_lua)
    static let take = script("take", PackageResources.bucket_lua + PackageResources.take_lua)
    static let giveBack = script("giveback", PackageResources.bucket_lua + PackageResources.giveback_lua)

    private static func script(_ name: String, _ body: [UInt8]) -> RedisScript {
        RedisScript(name: name, body: String(decoding: body, as: UTF8.self))
    }
}
