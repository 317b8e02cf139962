-- What a crew may quote: the manifest and the searchable chunks of an engagement's files (contract A-12, A-30, S-34).

-- `wanted` rises with every change of the files, `built` follows: one rebuild serves all changes before it.
CREATE TABLE index_state (
  engagement_id text PRIMARY KEY REFERENCES engagements ON DELETE CASCADE,
  tenant_id text NOT NULL,
  wanted bigint NOT NULL DEFAULT 0,
  built bigint NOT NULL DEFAULT 0,
  manifest jsonb,
  built_at timestamptz,
  error text,
  CHECK (built <= wanted));
