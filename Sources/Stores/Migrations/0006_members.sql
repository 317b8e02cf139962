-- Sessions of people, keys that can be rotated, and the version of each tenant's list of engagements.

ALTER TABLE users ADD COLUMN last_login_at timestamptz;
ALTER TABLE memberships ADD COLUMN invited_by text REFERENCES users ON DELETE SET NULL;
ALTER TABLE subscriptions ADD COLUMN cancel_at_period_end boolean NOT NULL DEFAULT false;

-- Only the SHA-256 of the cookie's token is kept.
CREATE TABLE sessions (
  token_hash bytea PRIMARY KEY,
  tenant_id text NOT NULL, user_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),  -- written once a minute at most
  expires_at timestamptz NOT NULL,
  FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- A rotated key keeps its id; the one before it is good until old_until.
ALTER TABLE api_keys ADD COLUMN old_key_hash bytea UNIQUE;
ALTER TABLE api_keys ADD COLUMN old_until timestamptz;
ALTER TABLE api_keys ADD COLUMN engagement_id text;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_engagement
  FOREIGN KEY (tenant_id, engagement_id) REFERENCES engagements (tenant_id, id) ON DELETE CASCADE;

-- What a cached list of engagements is a list of. The version is drawn anew, in the same transaction, by every change that
-- the list shows, whoever makes it. It is random, not counted: a number could come again after Postgres lost commits.
CREATE TABLE engagement_lists (
  tenant_id text PRIMARY KEY,
  version uuid NOT NULL);

CREATE FUNCTION engagement_list_changed() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO engagement_lists (tenant_id, version)
  VALUES (CASE WHEN TG_OP = 'DELETE' THEN OLD.tenant_id ELSE NEW.tenant_id END, gen_random_uuid())
  ON CONFLICT (tenant_id) DO UPDATE SET version = excluded.version;
  RETURN NULL;
END $body$;

CREATE TRIGGER engagement_list_changed
  AFTER INSERT OR DELETE OR UPDATE OF name, client, slug, brief, budget_nanos, tasks, status ON engagements
  FOR EACH ROW EXECUTE FUNCTION engagement_list_changed();
