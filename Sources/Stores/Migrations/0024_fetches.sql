-- Which attachment the page of a request with an Idempotency-Key became. Written with the attachment itself, so that the same
-- request, sent again, finds it although its answer was never stored (contract T-7, A-20).
CREATE TABLE fetched_pages (
  name text PRIMARY KEY,                      -- the request's own: SHA-256 over principal, key, path and body
  tenant_id text NOT NULL,
  storage_key text NOT NULL,                  -- the attachment's
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX fetched_pages_age ON fetched_pages (created_at);
