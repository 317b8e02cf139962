-- What the fleet knows of model providers, and second versions of documents. docs/crew.md explains both.

-- One row per account (a provider's key and address) that something is known about. Steps read it with what they read
-- anyway; no row means that all is well.
CREATE TABLE provider_marks (
  provider text NOT NULL,
  account text NOT NULL,                      -- the beginning of the SHA-256 of address and key
  state text NOT NULL CHECK (state IN ('counting','paused','broken','down')),
  until timestamptz,                          -- no calls before; NULL while down or counting
  probe_until timestamptz,                    -- one call is finding out whether the provider is back
  faults integer NOT NULL DEFAULT 0,          -- in a row, rate limits not counted
  model text NOT NULL DEFAULT '',             -- whose call was the last to fail
  reason text NOT NULL,
  version bigint NOT NULL DEFAULT 1,
  noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (provider, account));

-- Since when a task has been waiting for a provider that is held.
ALTER TABLE run_tasks ADD COLUMN held_since timestamptz;

-- A document that scored low is written once more. The run ends only when no revision is pending any more.
ALTER TABLE run_tasks ADD COLUMN revision text CHECK (revision IN ('pending','done'));
CREATE INDEX run_tasks_revised ON run_tasks (run_id) WHERE revision = 'pending';

-- A task may write its document again in the same run.
ALTER TABLE deliverables DROP CONSTRAINT deliverables_run_id_task_id_filename_key;
CREATE UNIQUE INDEX deliverables_of_task ON deliverables (run_id, task_id, version, filename);
