-- Mails to people: each is written with its cause, and sent by a job.

CREATE TABLE emails (
  id text PRIMARY KEY,                         -- eml_…; its Message-ID is made of it
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
  dedupe_key text NOT NULL UNIQUE,             -- template and object, so that each goes once
  template text NOT NULL,
  recipient text NOT NULL,
  data jsonb NOT NULL,                         -- what was true when it was written
  status text NOT NULL CHECK (status IN ('unsent','pending','sent','failed')),
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz);
CREATE INDEX emails_list ON emails (created_at DESC, id DESC);
CREATE INDEX emails_pending ON emails (created_at) WHERE status = 'pending';

-- One row while the workers that serve the queue `email` have a mailer. Whoever writes a mail need not know its settings.
CREATE TABLE mail_outlet (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  opened_at timestamptz NOT NULL DEFAULT now());

-- When failures closed an endpoint; nothing where its owner did.
ALTER TABLE webhook_endpoints ADD COLUMN disabled_at timestamptz;
