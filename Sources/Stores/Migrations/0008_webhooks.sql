-- Endpoints that callers registered, what happened, and every attempt to tell them.

CREATE TABLE webhook_endpoints (
  id text PRIMARY KEY,                             -- whe_…
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  livemode boolean NOT NULL,
  url text NOT NULL,
  events text[] NOT NULL DEFAULT '{*}',
  enabled boolean NOT NULL DEFAULT true,
  disabled_reason text,
  secret_sealed bytea NOT NULL,
  old_secret_sealed bytea, old_secret_until timestamptz,   -- signs too, until then
  failing_since timestamptz,                       -- of the first failure after the last success
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, livemode, url));

-- dedupe_key makes each event happen once. Written only where its tenant has an endpoint.
CREATE TABLE events (
  id text PRIMARY KEY,                             -- evt_…
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  type text NOT NULL,
  dedupe_key text NOT NULL UNIQUE,
  body bytea NOT NULL,                             -- the bytes that are signed and sent, the same at every attempt
  created_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE webhook_deliveries (
  id text PRIMARY KEY,                             -- whd_…
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  endpoint_id text NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
  event_id text NOT NULL REFERENCES events ON DELETE CASCADE,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','delivered','failed','cancelled')),
  attempts integer NOT NULL DEFAULT 0,             -- all that were made
  round integer NOT NULL DEFAULT 0,                -- +1 at each redelivery, which begins the schedule anew
  tries integer NOT NULL DEFAULT 0,                -- attempts of this round
  sending_until timestamptz,                       -- in flight, at most until then
  next_attempt_at timestamptz DEFAULT now(),
  last_status integer, last_error text,
  delivered_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (endpoint_id, event_id));
CREATE INDEX webhook_deliveries_list ON webhook_deliveries (endpoint_id, created_at DESC);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (endpoint_id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);

CREATE TABLE webhook_attempts (
  delivery_id text NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
  attempt integer NOT NULL,
  tenant_id text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  status_code integer, duration_ms integer NOT NULL, error text, response_excerpt text,
  PRIMARY KEY (delivery_id, attempt));
