-- Engagements and their crew runs. Money is whole nano-dollars.
-- Lock order: engagement -> run -> run_tasks -> jobs. Parents are locked FOR NO KEY UPDATE, or FOR KEY SHARE by a child's
-- writer: with FOR UPDATE, the foreign-key check of an INSERT into deliverables would deadlock with it.

CREATE TABLE engagements (
  id text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  created_by text REFERENCES users,
  name text NOT NULL, client text NOT NULL, slug text NOT NULL, brief text NOT NULL,
  budget_nanos bigint NOT NULL CHECK (budget_nanos > 0),
  tasks jsonb NOT NULL DEFAULT '[]',
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','running','paused','completed','failed')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, id));
CREATE INDEX engagements_list ON engagements (tenant_id, created_at DESC, id DESC);

CREATE TABLE runs (
  id text PRIMARY KEY,
  tenant_id text NOT NULL, engagement_id text NOT NULL,
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running','paused','completed','failed')),
  started_by text REFERENCES users,
  budget_nanos bigint NOT NULL,
  spent_nanos bigint NOT NULL DEFAULT 0,
  reserved_nanos bigint NOT NULL DEFAULT 0 CHECK (reserved_nanos >= 0),
  input_tokens bigint NOT NULL DEFAULT 0, output_tokens bigint NOT NULL DEFAULT 0,
  steps integer NOT NULL DEFAULT 0,
  error text, pause_snapshot jsonb, archetype text,
  last_seq bigint NOT NULL DEFAULT 0, log_count integer NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, engagement_id) REFERENCES engagements (tenant_id, id) ON DELETE CASCADE);
CREATE UNIQUE INDEX runs_one_active ON runs (engagement_id) WHERE status IN ('running','paused');
CREATE INDEX runs_latest ON runs (engagement_id, started_at DESC, id DESC);
CREATE INDEX runs_running ON runs (started_at) WHERE status = 'running';

CREATE TABLE run_tasks (
  run_id text NOT NULL REFERENCES runs ON DELETE CASCADE,
  task_id text NOT NULL,
  tenant_id text NOT NULL,
  position integer NOT NULL,
  agent_slug text NOT NULL,
  config jsonb NOT NULL,                      -- the planned task
  depends_on text[] NOT NULL DEFAULT '{}',
  deps_left integer NOT NULL,
  optional boolean NOT NULL DEFAULT false,
  status text NOT NULL DEFAULT 'waiting'
    CHECK (status IN ('waiting','ready','running','completed','failed','skipped')),
  model text, route_reason text,
  draft text,                                 -- what a continued answer has so far
  cost_nanos bigint NOT NULL DEFAULT 0, steps integer NOT NULL DEFAULT 0,
  error text,
  ready_at timestamptz, started_at timestamptz, finished_at timestamptz,
  PRIMARY KEY (run_id, task_id));

-- One row per call to a model, written before the call: the money it may cost is reserved with it.
CREATE TABLE llm_calls (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id text NOT NULL REFERENCES runs ON DELETE CASCADE,
  task_id text NOT NULL, tenant_id text NOT NULL,
  job_id bigint NOT NULL, attempt integer NOT NULL,
  agent_slug text NOT NULL, model text NOT NULL, reason text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open','settled','failed','unknown')),
  reserved_nanos bigint NOT NULL, cost_nanos bigint NOT NULL DEFAULT 0,
  input_tokens bigint NOT NULL DEFAULT 0, output_tokens bigint NOT NULL DEFAULT 0,
  estimated boolean NOT NULL DEFAULT false,
  fault text,
  started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz);
CREATE INDEX llm_calls_run ON llm_calls (run_id, id);
CREATE INDEX llm_calls_open ON llm_calls (run_id, task_id) WHERE state = 'open';

-- Logs and live events. seq is given out under the lock of the run's row, so it has no gap and follows commit order.
CREATE TABLE run_events (
  run_id text NOT NULL REFERENCES runs ON DELETE CASCADE,
  seq bigint NOT NULL,
  tenant_id text NOT NULL,
  type text NOT NULL CHECK (type IN ('status','cost','log','task_complete')),
  data jsonb NOT NULL,
  log_no integer,                             -- 1-based, for type 'log' only
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, seq));
CREATE UNIQUE INDEX run_events_logs ON run_events (run_id, log_no) WHERE log_no IS NOT NULL;

CREATE TABLE deliverables (
  id text PRIMARY KEY,
  tenant_id text NOT NULL, engagement_id text NOT NULL,
  run_id text REFERENCES runs ON DELETE SET NULL,
  task_id text NOT NULL, filename text NOT NULL, content text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  word_count integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (engagement_id, filename, version),
  UNIQUE (run_id, task_id, filename),
  FOREIGN KEY (tenant_id, engagement_id) REFERENCES engagements (tenant_id, id) ON DELETE CASCADE);
