-- What the observer thinks of a run's documents (contract E-50…E-52). One score per task of a run.

CREATE TABLE quality_scores (
  id text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  run_id text NOT NULL REFERENCES runs ON DELETE CASCADE,
  task_id text NOT NULL,
  tenths integer NOT NULL CHECK (tenths BETWEEN 0 AND 100),   -- 85 is 8.5 of 10
  rubric text NOT NULL,
  feedback text NOT NULL,
  judge text NOT NULL,                                        -- a model, or 'heuristic'
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (run_id, task_id));

-- A document that a model shall judge. The run ends only when none is pending any more.
ALTER TABLE run_tasks ADD COLUMN observation text CHECK (observation IN ('pending','done'));
CREATE INDEX run_tasks_observed ON run_tasks (run_id) WHERE observation = 'pending';
