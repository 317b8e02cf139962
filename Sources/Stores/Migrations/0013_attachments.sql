-- Files of engagements (contract A-1…A-30) and the catalogue of stored bytes.

CREATE TABLE attachments (
  id text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  engagement_id text NOT NULL REFERENCES engagements ON DELETE CASCADE,
  filename text NOT NULL,                     -- a label only: the bytes lie under storage_key
  mime_type text NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  sha256 bytea NOT NULL,
  storage_key text NOT NULL UNIQUE,
  category text NOT NULL DEFAULT 'reference'
    CHECK (category IN ('reference','styleguide','design_inspiration','data','brand_assets')),
  summary text,
  source_url text,
  uploaded_by text REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (engagement_id, filename));          -- a second file of the same name gets _1, _2 … before its extension
CREATE INDEX attachments_list ON attachments (engagement_id, created_at, id);

-- One row per stored object, from before its first byte is written until after its last one is removed.
CREATE TABLE blobs (
  storage_key text PRIMARY KEY,
  tenant_id text NOT NULL,                    -- no reference: the row outlives its tenant until the bytes are gone
  bucket text NOT NULL,                       -- attachments, submissions
  size_bytes bigint NOT NULL DEFAULT 0,
  state text NOT NULL DEFAULT 'uploading' CHECK (state IN ('uploading','live','deleting')),
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX blobs_unfinished ON blobs (created_at) WHERE state <> 'live';
