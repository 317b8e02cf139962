-- What Stripe told us, and what it takes to bear duplicates and any order
-- (contract T-24 to T-28, decisions D-71, D-72).

CREATE TABLE stripe_events (
  id text PRIMARY KEY,                             -- evt_… of Stripe: a second delivery finds the row
  type text NOT NULL,
  object_id text NOT NULL,                         -- events of one object are processed one at a time
  livemode boolean NOT NULL,
  created timestamptz NOT NULL,                    -- Stripe's clock, in whole seconds
  api_version text,
  payload text NOT NULL,                           -- JSON as it was signed; text, for jsonb refuses \u0000
  status text NOT NULL DEFAULT 'received' CHECK (status IN ('received','done','ignored','unmatched','dead')),
  attempts integer NOT NULL DEFAULT 0,
  error text,                                      -- why it is ignored, unmatched or dead
  received_at timestamptz NOT NULL DEFAULT now(),
  give_up_at timestamptz NOT NULL DEFAULT now() + interval '24 hours',
  processed_at timestamptz);
CREATE INDEX stripe_events_open ON stripe_events (received_at) WHERE status IN ('received','unmatched','dead');
CREATE INDEX stripe_events_age ON stripe_events (received_at);

CREATE TABLE billing_customers (
  tenant_id text PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  stripe_customer_id text NOT NULL UNIQUE,
  linked_at timestamptz NOT NULL);                 -- `created` of the event that linked them: the newest one wins

-- Of the newest event applied. Events of one second: deleted after updated after created, then by their ids.
ALTER TABLE subscriptions ADD COLUMN last_event_created timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE subscriptions ADD COLUMN last_event_rank smallint NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN last_event_id text NOT NULL DEFAULT '';
ALTER TABLE payout_accounts ADD COLUMN last_event_id text NOT NULL DEFAULT '';

ALTER TABLE collect_tasks ADD COLUMN funded_by text;   -- the Checkout session that paid
-- Stripe keeps a refusal under its key: after one, the next try needs another key.
ALTER TABLE payouts ADD COLUMN refusals integer NOT NULL DEFAULT 0;
