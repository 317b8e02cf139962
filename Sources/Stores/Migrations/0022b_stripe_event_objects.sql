-- 0023 asks for each payout account what Stripe last said of it. On a database with many events that would read all of
-- them once an account, with the table of accounts locked; with this index it reads one row each. 0028 takes it away.
-- Written after 0023, and nothing where that has run.
DO $body$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM schema_migrations WHERE name = '0023_stripe_modes') THEN
    CREATE INDEX IF NOT EXISTS stripe_events_objects ON stripe_events (object_id, created DESC);
  END IF;
END $body$;
