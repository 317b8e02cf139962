-- PDF files of engagements, kept for a day so that the same content is rendered once (contract E-59, decision D-28).

CREATE TABLE export_files (
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  hash text NOT NULL,                         -- SHA-256 over everything that is on the pages
  content bytea NOT NULL CHECK (octet_length(content) <= 30000000),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, hash));
CREATE INDEX export_files_age ON export_files (created_at);
