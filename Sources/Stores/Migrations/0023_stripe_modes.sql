-- Answers that wait for Stripe without a transaction; the mode of every object at Stripe; pages that expire; refunds.
-- docs/stripe.md explains them.

-- Set while an answer is committed and not whole. Who finds it old finishes the answer instead of the one that died.
ALTER TABLE idempotency_keys ADD COLUMN unfinished_since timestamptz;

-- The mode of the key that made the object; NULL where it was made before this was kept. `livemode` is the mode of ours.
ALTER TABLE payout_accounts ADD COLUMN stripe_livemode boolean;
ALTER TABLE billing_customers ADD COLUMN stripe_livemode boolean;
ALTER TABLE subscriptions ADD COLUMN stripe_livemode boolean;
ALTER TABLE collect_tasks ADD COLUMN page_livemode boolean;

-- An event that changed the account was of the row's mode; else whatever Stripe said of it.
UPDATE payout_accounts a SET stripe_livemode = CASE WHEN last_event_id <> '' THEN livemode ELSE (
  SELECT e.livemode FROM stripe_events e WHERE e.object_id = a.stripe_account_id ORDER BY e.created DESC LIMIT 1) END;
UPDATE subscriptions s SET stripe_livemode = e.livemode FROM stripe_events e WHERE e.id = s.last_event_id;
UPDATE billing_customers b SET stripe_livemode = (
  SELECT s.stripe_livemode FROM subscriptions s WHERE s.tenant_id = b.tenant_id AND s.stripe_livemode IS NOT NULL
  ORDER BY s.last_event_created DESC LIMIT 1);
UPDATE collect_tasks SET page_livemode = starts_with(checkout_session_id, 'cs_live_')
WHERE starts_with(checkout_session_id, 'cs_live_') OR starts_with(checkout_session_id, 'cs_test_');

-- Bought with test cards before live ones were taken: it gives nobody a plan.
ALTER TABLE subscriptions ADD COLUMN is_void boolean NOT NULL DEFAULT false;
CREATE OR REPLACE VIEW entitlements AS
  SELECT DISTINCT ON (tenant_id) tenant_id, plan FROM subscriptions
  WHERE NOT is_void AND (status IN ('active','trialing')
     OR (status = 'past_due' AND current_period_end + interval '7 days' > now()))
  ORDER BY tenant_id, array_position(ARRAY['enterprise','professional','starter'], plan);

-- How many pages of the task have expired: part of the next one's key at Stripe.
ALTER TABLE collect_tasks ADD COLUMN pages integer NOT NULL DEFAULT 0;

-- What goes back to the buyer of a task that was cancelled: at most one refund.
ALTER TABLE collect_tasks
  ADD COLUMN payment_intent text,                          -- of the Checkout session that paid
  ADD COLUMN refund_status text CHECK (refund_status IN ('pending','done','failed')),
  ADD COLUMN refund_cents bigint,
  ADD COLUMN stripe_refund_id text UNIQUE,
  ADD COLUMN refund_error text,
  ADD COLUMN refund_refusals integer NOT NULL DEFAULT 0,   -- each needs another key
  ADD COLUMN refund_asked_at timestamptz,
  ADD COLUMN refund_retried_at timestamptz;
CREATE INDEX collect_refunds ON collect_tasks (refund_asked_at) WHERE refund_status IN ('pending','failed');

-- A dead job fails its payout, unless it died before an operator tried again.
ALTER TABLE payouts ADD COLUMN retried_at timestamptz;
