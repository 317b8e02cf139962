-- Data collection v1: what buyers ask for, what contributors hand in, what those are paid (contract T-10…T-30).

CREATE TABLE collect_tasks (
  id text PRIMARY KEY,                        -- tsk_…
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  livemode boolean NOT NULL,
  created_by_key text,
  title text NOT NULL,
  instructions text NOT NULL,
  modalities text[] NOT NULL DEFAULT '{video}',
  device_requirement text NOT NULL DEFAULT 'any',
  example_media_key text,
  reward_cents integer NOT NULL CHECK (reward_cents BETWEEN 50 AND 50000),
  target_submissions integer NOT NULL CHECK (target_submissions BETWEEN 1 AND 10000),
  budget_cents bigint GENERATED ALWAYS AS (reward_cents::bigint * target_submissions) STORED,
  funded_cents bigint NOT NULL DEFAULT 0,
  approved_count integer NOT NULL DEFAULT 0,
  status text NOT NULL DEFAULT 'funding' CHECK (status IN ('funding','open','completed','cancelled')),
  checkout_session_id text UNIQUE,
  funding_url text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (approved_count <= target_submissions),
  CHECK (status <> 'open' OR funded_cents >= reward_cents::bigint * target_submissions),
  UNIQUE (tenant_id, id));
CREATE INDEX collect_list ON collect_tasks (tenant_id, livemode, created_at DESC, id DESC);
CREATE INDEX collect_open ON collect_tasks (livemode, created_at DESC, id DESC) WHERE status = 'open';

CREATE TABLE submissions (
  id text PRIMARY KEY,                        -- sub_…
  tenant_id text NOT NULL,
  task_id text NOT NULL,
  contributor_id text NOT NULL REFERENCES users,
  media_object_key text NOT NULL UNIQUE,
  duration_seconds integer NOT NULL CHECK (duration_seconds > 0),
  byte_size bigint NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','approved','rejected')),
  review_note text,
  reviewed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES collect_tasks (tenant_id, id) ON DELETE CASCADE);
CREATE INDEX submissions_list ON submissions (task_id, created_at DESC, id DESC);

-- Keys that contributors were given to upload to. Handing in uses a key up; what nobody hands in goes after a day.
CREATE TABLE submission_uploads (
  media_object_key text PRIMARY KEY,
  tenant_id text NOT NULL,
  task_id text NOT NULL,
  contributor_id text NOT NULL REFERENCES users ON DELETE CASCADE,
  mime_type text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz,
  FOREIGN KEY (tenant_id, task_id) REFERENCES collect_tasks (tenant_id, id) ON DELETE CASCADE);
CREATE INDEX submission_uploads_unused ON submission_uploads (created_at) WHERE used_at IS NULL;

-- What an approved submission earns. Stripe's transfer follows in a job.
CREATE TABLE payouts (
  submission_id text PRIMARY KEY REFERENCES submissions ON DELETE CASCADE,
  tenant_id text NOT NULL,
  contributor_id text NOT NULL REFERENCES users,
  amount_cents integer NOT NULL CHECK (amount_cents > 0),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','blocked','paid','failed')),
  stripe_transfer_id text UNIQUE,
  error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  paid_at timestamptz);
CREATE INDEX payouts_open ON payouts (contributor_id) WHERE status IN ('pending','blocked');

-- The Stripe Connect account of a contributor, one per mode.
CREATE TABLE payout_accounts (
  user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
  livemode boolean NOT NULL,
  stripe_account_id text NOT NULL UNIQUE,
  payouts_enabled boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT '-infinity',   -- `created` of the newest event seen: older ones change nothing
  PRIMARY KEY (user_id, livemode));

-- A contributor belongs to no tenant, and has sessions all the same.
ALTER TABLE sessions ALTER COLUMN tenant_id DROP NOT NULL;
ALTER TABLE sessions ADD CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE;
