-- What a member of the crew answered to the question of another's task (docs/crew.md, "Questions to colleagues"). Null
-- for tasks of the plan, whose answers are documents.
ALTER TABLE run_tasks ADD COLUMN answer text;
