-- Rates beside the caps, limits of whole queues, and the caps that come with a plan. docs/queue.md explains them.

ALTER TABLE queue_limits
  ADD COLUMN rate numeric(12,4) NOT NULL DEFAULT 0 CHECK (rate >= 0),     -- starts per second; 0 is no rate
  ADD COLUMN burst integer NOT NULL DEFAULT 1 CHECK (burst >= 1);

CREATE TABLE queue_caps (
  queue text PRIMARY KEY,
  concurrency integer NOT NULL DEFAULT 0 CHECK (concurrency >= 0),
  rate numeric(12,4) NOT NULL DEFAULT 0 CHECK (rate >= 0),
  burst integer NOT NULL DEFAULT 1 CHECK (burst >= 1)
);

-- Jobs at once that a plan includes.
CREATE TABLE plan_limits (
  plan text NOT NULL, queue text NOT NULL,
  concurrency integer NOT NULL CHECK (concurrency >= 0),
  weight numeric(6,2) NOT NULL DEFAULT 1 CHECK (weight > 0),
  PRIMARY KEY (plan, queue)
);
INSERT INTO plan_limits (plan, queue, concurrency)
SELECT plan, queue, concurrency FROM (VALUES
  ('starter', 'crew', 1), ('starter', 'project', 1), ('starter', 'fetch', 2), ('starter', 'export', 1),
  ('starter', 'index', 1),
  ('professional', 'crew', 3), ('professional', 'project', 3), ('professional', 'fetch', 4),
  ('professional', 'export', 2), ('professional', 'index', 2),
  ('enterprise', 'crew', 10), ('enterprise', 'project', 10), ('enterprise', 'fetch', 8), ('enterprise', 'export', 4),
  ('enterprise', 'index', 4)) AS v(plan, queue, concurrency);

-- What is in force for each tenant: a limit set by name wins over the plan's.
CREATE VIEW tenant_limits AS
  SELECT queue, tenant, concurrency, weight, rate, burst FROM queue_limits
  UNION ALL
  SELECT p.queue, e.tenant_id, p.concurrency, p.weight, 0, 1 FROM entitlements e JOIN plan_limits p USING (plan)
  WHERE NOT EXISTS (SELECT 1 FROM queue_limits l WHERE l.queue = p.queue AND l.tenant = e.tenant_id);
