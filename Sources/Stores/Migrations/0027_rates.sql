-- Rates that an operator has set for model providers: docs/crew.md explains them.

-- The job that last said in the log that it waits for its provider's rate. Each says so once.
ALTER TABLE run_tasks ADD COLUMN paced_job bigint;
