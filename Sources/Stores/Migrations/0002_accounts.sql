-- Who owns rows, who may ask, and what they pay for.

CREATE TABLE tenants (
  id text PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE users (
  id text PRIMARY KEY,
  kind text NOT NULL DEFAULT 'human' CHECK (kind IN ('human','agent','contributor')),
  email text, name text NOT NULL, password_hash text,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE email IS NOT NULL;

CREATE TABLE memberships (
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('owner','admin','member','viewer')),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('invited','active','suspended')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id));
CREATE UNIQUE INDEX memberships_one_owner ON memberships (tenant_id) WHERE role = 'owner';

-- Only the SHA-256 of a key is kept; its plaintext is shown once, when it is made.
CREATE TABLE api_keys (
  id text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  created_by text NOT NULL REFERENCES users,
  name text NOT NULL, prefix text NOT NULL,
  key_hash bytea NOT NULL UNIQUE,
  mode text NOT NULL CHECK (mode IN ('live','test')),
  scopes text[] NOT NULL,
  expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX api_keys_tenant ON api_keys (tenant_id);

-- One row per subscription. The command line writes `operator:<tenant>`.
CREATE TABLE subscriptions (
  id text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  plan text NOT NULL CHECK (plan IN ('starter','professional','enterprise')),
  status text NOT NULL,
  current_period_end timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX subscriptions_tenant ON subscriptions (tenant_id);

-- The plan in force (decision D-21); no row means no active subscription.
CREATE VIEW entitlements AS
  SELECT DISTINCT ON (tenant_id) tenant_id, plan FROM subscriptions
  WHERE status IN ('active','trialing')
     OR (status = 'past_due' AND current_period_end + interval '7 days' > now())
  ORDER BY tenant_id, array_position(ARRAY['enterprise','professional','starter'], plan);

CREATE TABLE usage_counters (
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  metric text NOT NULL,
  period text NOT NULL,                       -- 'YYYY-MM' in UTC, or 'all'
  value bigint NOT NULL DEFAULT 0 CHECK (value >= 0),
  PRIMARY KEY (tenant_id, metric, period));
