-- How many jobs may wait, how often a job could not be read, and how finished jobs are found. docs/queue.md explains them.

-- NULL: the plan's cap holds, or else the installation's (GC_TENANT_WAITING_CAP, GC_QUEUE_CAP). 0 is no cap.
ALTER TABLE queue_limits ADD COLUMN waiting integer CHECK (waiting >= 0);
ALTER TABLE queue_caps ADD COLUMN waiting integer CHECK (waiting >= 0);
ALTER TABLE plan_limits ADD COLUMN waiting integer CHECK (waiting >= 0);

CREATE OR REPLACE VIEW tenant_limits AS
  SELECT queue, tenant, concurrency, weight, rate, burst, waiting FROM queue_limits
  UNION ALL
  SELECT p.queue, e.tenant_id, p.concurrency, p.weight, 0, 1, p.waiting
  FROM entitlements e JOIN plan_limits p USING (plan)
  WHERE NOT EXISTS (SELECT 1 FROM queue_limits l WHERE l.queue = p.queue AND l.tenant = e.tenant_id);

-- Attempts in a row that no worker could read. Snoozes, losses and hand-overs do not count, as `attempt` would have it.
ALTER TABLE jobs ADD COLUMN unreadable integer NOT NULL DEFAULT 0;

-- The pruner finds what is past its retention, and the drain rate is counted without Redis, from this end of the table.
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE state IN ('done','cancelled');
