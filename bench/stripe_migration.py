#!/usr/bin/env python3
"""Measures how long migration 0023 holds its locks on a database with many of Stripe's events: docs/stripe.md, "Upgrading".

    bench/stripe_migration.py [--events 1000000] [--accounts 20] [--bin /usr/lib/postgresql/15/bin]

Starts a Postgres of its own in a folder that goes away, brings it to 0022, fills it (events of 1.5 KB; payout accounts of which
Stripe has never said a word), and runs 0023 in a transaction that is rolled back: as it is, and with the index that 0022b
makes before it. Writes nothing but to standard output.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parent.parent / "Sources/Stores/Migrations"
FILL = """
INSERT INTO stripe_events (id, type, object_id, livemode, created, payload, status, received_at)
SELECT 'evt_' || i, 'checkout.session.completed', 'cs_' || i, true, now(), repeat(md5(i::text), 45), 'done', now()
FROM generate_series(1, %(events)d) i;
INSERT INTO users (id, kind, name) SELECT 'u' || i, 'contributor', 'C' FROM generate_series(1, %(accounts)d) i;
INSERT INTO payout_accounts (user_id, livemode, stripe_account_id)
SELECT 'u' || i, true, 'acct_' || i FROM generate_series(1, %(accounts)d) i;
"""


class Server:
    """As the account postgres where we are root: Postgres refuses root."""

    def __init__(self, binaries):
        self.binaries, self.folder = binaries, tempfile.mkdtemp(prefix="stripe-migration-")
        self.account = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if self.account:
            shutil.chown(self.folder, "postgres", "postgres")
        self.run("initdb", "-D", self.folder + "/data", "-U", "bench", "-A", "trust")
        options = "-c listen_addresses= -c fsync=off -c max_wal_size=4GB -k " + self.folder
        self.run("pg_ctl", "-D", self.folder + "/data", "-o", options, "-l", self.folder + "/log", "-w", "start")

    def run(self, program, *arguments):
        subprocess.run([*self.account, self.binaries + "/" + program, *arguments], check=True, stdout=subprocess.DEVNULL)

    def sql(self, text):
        begin = time.monotonic()
        subprocess.run([*self.account, self.binaries + "/psql", "-h", self.folder, "-U", "bench", "-d", "postgres", "-q", "-v",
                        "ON_ERROR_STOP=1"], input=text, text=True, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - begin

    def close(self):
        self.run("pg_ctl", "-D", self.folder + "/data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--accounts", type=int, default=20)
    options.add_argument("--bin", default="/usr/lib/postgresql/15/bin")
    chosen = options.parse_args()
    server = Server(chosen.bin)
    try:
        for file in sorted(MIGRATIONS.glob("*.sql")):
            if file.name < "0022b":
                server.sql(file.read_text())
        server.sql("CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum text, applied_at timestamptz)")
        server.sql(FILL % {"events": chosen.events, "accounts": chosen.accounts} + "ANALYZE;")
        measured = "BEGIN;" + (MIGRATIONS / "0023_stripe_modes.sql").read_text() + "ROLLBACK;"
        bare = server.sql(measured)
        making = server.sql((MIGRATIONS / "0022b_stripe_event_objects.sql").read_text())
        helped = server.sql(measured)
    finally:
        server.close()
    print("%d events, %d accounts of which Stripe never spoke" % (chosen.events, chosen.accounts))
    print("0023 as it is: %.1f s, %.2f s an account" % (bare, bare / max(1, chosen.accounts)))
    print("the index of 0022b: %.1f s; 0023 with it: %.2f s" % (making, helped))


main()
