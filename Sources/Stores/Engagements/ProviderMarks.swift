package import Domain
package import PostgresClient

/// What the fleet knows about model providers: statements for the steps, and what an operator sees and lifts.
package enum ProviderMarks {
    /// A provider's key at its address, as marks name it.
    package struct Account: Sendable, Hashable {
        package let provider: String
        /// ``fingerprint(of:at:)``
        package let id: String

        package init(provider: String, id: String) {
            self.provider = provider
            self.id = id
        }
    }

    /// Names a key without telling it: eight digits of a hash over address and key.
    package static func fingerprint(of key: String, at address: String) -> String {
        String(Secret.hash("\(address)\n\(key)").postgresText.dropFirst(2).prefix(8))
    }

    /// A scalar for reading with other things: an array of all marks as JSON, NULL where there are none.
    package static let column: SQL = """
        (SELECT jsonb_agg(jsonb_build_object('provider', provider, 'account', account, 'state', state, 'reason', reason,
           'version', version, 'left', extract(epoch FROM until - clock_timestamp()),
           'probing', extract(epoch FROM probe_until - clock_timestamp()))) FROM provider_marks)
        """

    // MARK: Notes of a failed call

    /// No calls until the end of the pause; the later of two holds.
    package static func pause(_ account: Account, for pause: Duration, model: String, reason: String) -> SQL {
        """
        INSERT INTO provider_marks AS m (provider, account, state, until, model, reason)
        VALUES (\(account.provider), \(account.id), 'paused',
                clock_timestamp() + make_interval(secs => \(pause.inSeconds)::float8), \(model), \(reason))
        ON CONFLICT (provider, account) DO UPDATE SET
          state = CASE WHEN m.state IN ('broken','down') THEN m.state ELSE 'paused' END,
          until = CASE WHEN m.state <> 'down' THEN greatest(m.until, excluded.until) END, probe_until = NULL,
          model = excluded.model, reason = CASE WHEN m.state = 'down' THEN m.reason ELSE excluded.reason END,
          version = m.version + 1, noted_at = clock_timestamp()
        """
    }

    /// One more fault in a row; with `threshold` of them the breaker opens.
    ///
    /// - Parameter probeEvery: how long until a probe may go out.
    package static func fault(
        _ account: Account,
        threshold: Int,
        probeEvery: Duration,
        model: String,
        reason: String
    ) -> SQL {
        """
        INSERT INTO provider_marks AS m (provider, account, state, faults, model, reason)
        VALUES (\(account.provider), \(account.id), 'counting', 1, \(model), \(reason))
        ON CONFLICT (provider, account) DO UPDATE SET
          faults = \(clause: faults),
          state = CASE WHEN m.state = 'down' THEN m.state WHEN \(clause: faults) >= \(threshold) THEN 'broken'
                  ELSE m.state END,
          until = CASE WHEN m.state <> 'down' AND \(clause: faults) >= \(threshold)
                  THEN greatest(m.until, clock_timestamp() + make_interval(secs => \(probeEvery.inSeconds)::float8))
                  ELSE m.until END,
          probe_until = NULL, model = excluded.model,
          reason = CASE WHEN m.state = 'down' THEN m.reason ELSE excluded.reason END,
          version = m.version + 1, noted_at = clock_timestamp()
        """
    }

    /// Faults that are a minute apart are not in a row.
    private static let faults: SQL = """
        CASE WHEN m.state <> 'broken' AND m.noted_at < clock_timestamp() - interval '60 seconds' THEN 1
        ELSE m.faults + 1 END
        """

    /// The key was rejected: no calls with it, until it changes or the mark is lifted.
    package static func down(_ account: Account, model: String, reason: String) -> SQL {
        """
        INSERT INTO provider_marks AS m (provider, account, state, model, reason)
        VALUES (\(account.provider), \(account.id), 'down', \(model), \(reason))
        ON CONFLICT (provider, account) DO UPDATE SET state = 'down', until = NULL, probe_until = NULL,
          model = excluded.model, reason = excluded.reason, version = m.version + 1, noted_at = clock_timestamp()
        """
    }

    // MARK: The way back

    /// Takes the one probe that may go out once a pause is over. One row says that it is ours.
    package static func claimProbe(_ account: Account, for time: Duration) -> SQL {
        """
        UPDATE provider_marks SET probe_until = clock_timestamp() + make_interval(secs => \(time.inSeconds)::float8)
        WHERE provider = \(account.provider) AND account = \(account.id) AND state IN ('paused','broken')
          AND until <= clock_timestamp() AND (probe_until IS NULL OR probe_until <= clock_timestamp())
        RETURNING 1
        """
    }

    /// An answer came: all is well again, unless something was noted since the mark was read.
    package static func lift(_ account: Account, version: Int) -> SQL {
        """
        DELETE FROM provider_marks
        WHERE provider = \(account.provider) AND account = \(account.id) AND version = \(version) AND state <> 'down'
        """
    }

    // MARK: A task that waits

    /// The task waits for its provider: remembers since when, and says so in the log the first time.
    package static func hold(_ task: String, of run: Run.ID) -> SQL {
        """
        UPDATE run_tasks SET held_since = clock_timestamp()
        WHERE run_id = \(run) AND task_id = \(task) AND held_since IS NULL
        """
    }
}

extension Duration {
    /// Seconds and their parts, for `make_interval`.
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
