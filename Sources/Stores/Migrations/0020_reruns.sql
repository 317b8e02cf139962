-- Runs of one task alone (contract S-33), and what a tenant's PDFs look like (contract E-56).

ALTER TABLE runs
  ADD COLUMN kind text NOT NULL DEFAULT 'full' CHECK (kind IN ('full','rerun')),
  ADD COLUMN rerun_of text,                   -- the deliverable that is made anew; both go with their engagement
  ADD COLUMN feedback text,                   -- what the caller wants to be different
  ADD CONSTRAINT runs_rerun CHECK ((kind = 'rerun') = (rerun_of IS NOT NULL));

CREATE TABLE tenant_brands (
  tenant_id text PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  color text CHECK (color ~ '^#[0-9a-f]{6}$'),
  logo bytea CHECK (octet_length(logo) BETWEEN 1 AND 1048576),
  logo_type text CHECK (logo_type IN ('png','jpeg')),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((logo IS NULL) = (logo_type IS NULL)));
