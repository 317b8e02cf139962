-- Answers to POSTs that carried an Idempotency-Key (contract T-7 to T-9). A row is written in the transaction of what the
-- request did, so answer and effect exist both or not at all.

CREATE TABLE idempotency_keys (
  principal text NOT NULL,                    -- API key or user
  key text NOT NULL,
  fingerprint bytea NOT NULL,                 -- SHA-256 of method, path and body
  status integer NOT NULL,
  answer bytea NOT NULL,                      -- the body, sealed: it may hold a secret that is shown once
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (principal, key));
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
