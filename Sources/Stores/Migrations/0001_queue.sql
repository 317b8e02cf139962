-- The ledger of jobs, the workers' leases, and what Redis must agree with. docs/queue.md explains the states.

CREATE TABLE jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  queue text NOT NULL,
  tenant text NOT NULL DEFAULT '',                 -- '' is the house itself
  priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9),
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued','running','done','dead','cancelled')),
  attempt integer NOT NULL DEFAULT 0,              -- the fencing token: +1 at each claim, never reused
  failures integer NOT NULL DEFAULT 0,             -- attempts that failed; max_attempts bounds these
  losses integer NOT NULL DEFAULT 0,               -- attempts that took their worker down
  max_attempts integer NOT NULL DEFAULT 8 CHECK (max_attempts >= 1),
  session bigint,                                  -- who runs it, while it runs
  cancel_requested boolean NOT NULL DEFAULT false,
  payload jsonb NOT NULL,
  unique_key text,                                 -- at most one queued or running job has it
  progress jsonb,
  error text,                                      -- why the last attempt did not end well
  dead_reason text,                                -- failed | poison | unreadable | refused
  run_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  claimed_at timestamptz,
  finished_at timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0, fillfactor = 90);

-- The sweep and the claim without Redis go by state; a cursor over ids would miss rows that commit late.
CREATE INDEX jobs_queued ON jobs (queue, priority, run_at, id) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (session) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued','running');
CREATE INDEX jobs_dead ON jobs (finished_at) WHERE state = 'dead';

-- One lease per worker process covers every job it holds. Only this clock judges it.
CREATE TABLE worker_sessions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  state text NOT NULL DEFAULT 'live' CHECK (state IN ('live','draining','expired','closed')),
  lease_until timestamptz NOT NULL,
  host text NOT NULL, pid integer NOT NULL, version text NOT NULL,
  queues text[] NOT NULL, kinds text[] NOT NULL, slots integer NOT NULL,
  running integer NOT NULL DEFAULT 0,
  renewed_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE INDEX worker_sessions_open ON worker_sessions (lease_until) WHERE state IN ('live','draining');
CREATE INDEX worker_sessions_ended ON worker_sessions (ended_at) WHERE state IN ('expired','closed');

-- Redis holds hints of one generation, on one server run. Anything else is rebuilt from jobs.
CREATE TABLE queue_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  generation bigint NOT NULL DEFAULT 1,
  redis_run_id text,
  rebuilt_at timestamptz
);
INSERT INTO queue_state DEFAULT VALUES;

-- How much of a queue one tenant may use at once, and its share against others.
CREATE TABLE queue_limits (
  queue text NOT NULL, tenant text NOT NULL,
  concurrency integer NOT NULL DEFAULT 0 CHECK (concurrency >= 0),   -- 0 is no cap
  weight numeric(6,2) NOT NULL DEFAULT 1 CHECK (weight > 0),
  PRIMARY KEY (queue, tenant)
);

-- The active scheduler holds this lease; another one takes over when it has run out. A row and not a session's advisory
-- lock, so that it also works through PgBouncer in transaction mode.
CREATE TABLE scheduler_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  holder text NOT NULL, host text NOT NULL, pid integer NOT NULL,
  active_since timestamptz NOT NULL, lease_until timestamptz NOT NULL
);

-- Lets a pipelined transaction refuse: a false condition is an error with a SQLSTATE of our own.
CREATE FUNCTION require(ok boolean, what text) RETURNS void LANGUAGE plpgsql AS $require$
BEGIN
  IF ok IS NOT TRUE THEN RAISE EXCEPTION '%', what USING ERRCODE = 'GC001'; END IF;
END $require$;
