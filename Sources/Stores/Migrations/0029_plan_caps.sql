-- Setting a plan used to write its cap on crew jobs as a limit of the tenant's own, which then hid the plan's: a change of the plan
-- or of its caps did not reach the tenant. What says nothing but what the plan says anyway goes.
DELETE FROM queue_limits l USING entitlements e, plan_limits p
WHERE l.queue = 'crew' AND l.tenant = e.tenant_id AND p.plan = e.plan AND p.queue = l.queue
  AND l.concurrency = p.concurrency AND l.weight = 1 AND l.rate = 0 AND l.burst = 1 AND l.waiting IS NULL;
