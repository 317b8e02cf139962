/// The settings a private Postgres is started with, as `-c name=value`. They win over postgresql.conf, so the same data
/// can be started durable today and throwaway tomorrow.
enum PostgresSettings {
    static func arguments(socketFolder: String, durability: Durability) -> [String] {
        let all = place(socketFolder) + size + housekeeping + promises(durability)
        return all.flatMap { ["-c", "\($0)=\($1)"] }
    }

    /// Reached over the socket alone, by its owner alone (and root): no port is opened on any network.
    private static func place(_ socketFolder: String) -> [(String, String)] {
        [
            ("listen_addresses", ""), ("port", "\(PostgresHome.port)"), ("unix_socket_directories", socketFolder),
            ("unix_socket_permissions", "0700"), ("cluster_name", "groundcrew"),
        ]
    }

    /// For a development machine with two cores and a solid-state disk.
    private static let size = [
        ("max_connections", "300"), ("shared_buffers", "128MB"), ("effective_cache_size", "512MB"),
        ("random_page_cost", "1.1"),
        // Every query here is short; compiling one costs more than running it.
        ("jit", "off"),
    ]

    private static let housekeeping = [
        // The ledger's rows turn over fast; the default minute lets dead ones pile up.
        ("autovacuum_naptime", "15s"),
        // Fewer checkpoints, fewer full pages in the log.
        ("checkpoint_timeout", "15min"), ("max_wal_size", "1GB"),
        ("timezone", "UTC"), ("log_timezone", "UTC"), ("log_line_prefix", "%m [%p] %q%u@%d "),
        ("log_checkpoints", "off"),
    ]

    private static func promises(_ durability: Durability) -> [(String, String)] {
        switch durability {
        case .durable: [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")]
        case .throwaway:
            [
                ("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"),
                ("wal_level", "minimal"), ("max_wal_senders", "0"),
            ]
        }
    }
}
