/// The settings a private Redis is started with, all on the command line: it reads no configuration file.
enum RedisSettings {
    static func arguments(folder: String, socket: String, durability: Durability) -> [String] {
        let all = [
            ("port", "0"), ("unixsocket", socket), ("unixsocketperm", "700"), ("dir", folder), ("daemonize", "no"),
            // A queue that drops keys to make room loses work (O-10).
            ("maxmemory-policy", "noeviction"),
            // The append-only log is the one copy; snapshots would only be a second, older one.
            ("save", ""),
        ]
        return (all + promises(durability)).flatMap { ["--" + $0, $1] }
    }

    private static func promises(_ durability: Durability) -> [(String, String)] {
        switch durability {
        case .durable: [("appendonly", "yes"), ("appendfsync", "everysec")]
        case .throwaway:
            [
                ("appendonly", "no"),
                // Room for a logical database per test, and DEBUG SLEEP to make a test's server hang.
                ("databases", "256"), ("enable-debug-command", "local"),
            ]
        }
    }
}
