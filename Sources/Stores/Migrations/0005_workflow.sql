-- Schedules and their tick ledger, uniqueness, batches, steps and results. docs/queue.md explains the rules.

ALTER TABLE jobs
  ADD COLUMN waiting_key text,                          -- at most one job that was never claimed has it
  ADD COLUMN again_at timestamptz,                      -- while running: asked for once more, not before this moment
  ADD COLUMN again_payload jsonb,                       -- and with this payload, where it is set
  ADD COLUMN batch bigint,
  ADD COLUMN leads boolean NOT NULL DEFAULT false,      -- other jobs wait for its end
  ADD COLUMN blocked_by integer NOT NULL DEFAULT 0,     -- so many jobs it still waits for; its run_at is far away
  ADD COLUMN even_if_failed boolean NOT NULL DEFAULT false,
  ADD COLUMN result jsonb;                              -- what came of it, at most 64 KiB as text

-- The key counts until the first claim only, so that no settlement can ever collide with it.
CREATE UNIQUE INDEX jobs_waiting_key ON jobs (waiting_key)
  WHERE waiting_key IS NOT NULL AND state = 'queued' AND attempt = 0;

-- Keys that count for a period, whatever becomes of the job. A key whose job is gone is free.
CREATE TABLE unique_windows (
  key text PRIMARY KEY, job bigint NOT NULL, until timestamptz NOT NULL
);
CREATE INDEX unique_windows_until ON unique_windows (until);

CREATE TABLE schedules (
  name text PRIMARY KEY,
  kind text NOT NULL, queue text NOT NULL, tenant text NOT NULL DEFAULT '',
  priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9),
  max_attempts integer NOT NULL DEFAULT 8 CHECK (max_attempts >= 1),
  payload jsonb NOT NULL,
  cron text NOT NULL, timezone text NOT NULL,
  missed text NOT NULL DEFAULT 'latest' CHECK (missed IN ('skip','latest','all')),
  missed_limit integer NOT NULL DEFAULT 100 CHECK (missed_limit BETWEEN 1 AND 1000),
  enabled boolean NOT NULL DEFAULT true,
  next_tick timestamptz,                                -- NULL: there is none any more
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX schedules_due ON schedules (next_tick) WHERE enabled AND next_tick IS NOT NULL;

-- Every tick at most once: its row and its job are written by one statement.
CREATE TABLE schedule_ticks (
  schedule text NOT NULL REFERENCES schedules ON DELETE CASCADE,
  tick timestamptz NOT NULL,
  job bigint NOT NULL,
  fired_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (schedule, tick)
);
CREATE INDEX schedule_ticks_fired ON schedule_ticks (fired_at);

-- Jobs that belong together. The callbacks are specifications as enqueue_special() reads them.
CREATE TABLE batches (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL, tenant text NOT NULL DEFAULT '',
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open','running','done')),
  total integer NOT NULL DEFAULT 0, pending integer NOT NULL DEFAULT 0, failed integer NOT NULL DEFAULT 0,
  on_all jsonb, on_any_failed jsonb, on_last jsonb,
  all_job bigint, any_failed_job bigint, last_job bigint, -- the callbacks' jobs, once they are there
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX batches_finished ON batches (finished_at) WHERE state = 'done';

CREATE TABLE job_dependencies (
  job bigint NOT NULL, after bigint NOT NULL, ended boolean NOT NULL DEFAULT false, PRIMARY KEY (after, job)
);
CREATE INDEX job_dependencies_job ON job_dependencies (job);

-- What one transaction did to batches and steps; read and emptied by the same transaction when it commits. So it is empty
-- for everyone else, and nothing is lost when it is truncated after a crash.
CREATE UNLOGGED TABLE workflow_changes (
  xact xid8 NOT NULL, job bigint NOT NULL, batch bigint,
  added integer NOT NULL, ended integer NOT NULL, failed integer NOT NULL,
  led boolean NOT NULL, how text
);
CREATE INDEX workflow_changes_xact ON workflow_changes (xact);

-- Far away, and still a number that Redis can sort by. Redis is never told of jobs that wait for others.
CREATE FUNCTION blocked_until() RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT timestamptz '9999-01-01 00:00:00+00' $$;

-- It was asked for once more while it ran, and has ended: it waits again. A cancelled one does not.
CREATE FUNCTION runs_again(job jobs) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT job.again_at IS NOT NULL AND NOT job.cancel_requested AND job.state IN ('done','dead') $$;

CREATE FUNCTION run_again(job jobs) RETURNS void LANGUAGE sql AS $again$
  UPDATE jobs SET state = 'queued', payload = coalesce(again_payload, payload),
    run_at = greatest(clock_timestamp(), again_at), failures = 0, losses = 0, error = NULL, dead_reason = NULL,
    finished_at = NULL, again_at = NULL, again_payload = NULL
  WHERE id = job.id AND attempt = job.attempt AND state = job.state
$again$;

-- Notes what happened to a job of a batch, or to one that others wait for. A trigger, so that whoever ends a job (worker,
-- reaper, operator in SQL) is counted. Its WHEN is all that a plain job costs; it is an AFTER trigger because one BEFORE
-- would lock every row of every update a second time.
CREATE FUNCTION note_workflow() RETURNS trigger LANGUAGE plpgsql AS $note$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM require(EXISTS (SELECT 1 FROM batches WHERE id = NEW.batch AND state = 'open'),
      'batch ' || NEW.batch || ' is sealed or does not exist: open another one');
    INSERT INTO workflow_changes VALUES (pg_current_xact_id(), NEW.id, NEW.batch, 1,
      (NEW.state <> 'queued')::int, (NEW.state <> 'queued')::int, false, NULL);
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO workflow_changes VALUES (pg_current_xact_id(), OLD.id, OLD.batch, 0, 1, 1, OLD.leads, 'gone');
  ELSIF runs_again(NEW) THEN
    PERFORM run_again(NEW);
  ELSIF runs_again(OLD) OR (NEW.batch IS NULL AND NOT NEW.leads) THEN
    RETURN NULL;
  ELSIF OLD.state IN ('queued','running') THEN
    INSERT INTO workflow_changes VALUES (pg_current_xact_id(), NEW.id, NEW.batch, 0, 1,
      (NEW.state <> 'done')::int, NEW.leads, NEW.state);
  ELSE
    -- An ended job that is put back, as a retry by hand does it, counts as pending again.
    INSERT INTO workflow_changes VALUES (pg_current_xact_id(), NEW.id, NEW.batch, 0, -1,
      -(OLD.state <> 'done')::int, false, NULL);
  END IF;
  RETURN NULL;
END $note$;

CREATE TRIGGER jobs_workflow_added AFTER INSERT ON jobs FOR EACH ROW
  WHEN (NEW.batch IS NOT NULL) EXECUTE FUNCTION note_workflow();
CREATE TRIGGER jobs_workflow_ended AFTER UPDATE OF state ON jobs FOR EACH ROW
  WHEN ((NEW.batch IS NOT NULL OR NEW.leads OR NEW.again_at IS NOT NULL)
        AND (OLD.state IN ('queued','running')) <> (NEW.state IN ('queued','running')))
  EXECUTE FUNCTION note_workflow();
CREATE TRIGGER jobs_workflow_gone AFTER DELETE ON jobs FOR EACH ROW
  WHEN ((OLD.batch IS NOT NULL OR OLD.leads) AND OLD.state IN ('queued','running'))
  EXECUTE FUNCTION note_workflow();

-- Adds the callback jobs that are due. The caller holds the batch's row; what was added once is not added again.
CREATE FUNCTION advance_batch(which bigint) RETURNS void LANGUAGE plpgsql AS $advance$
DECLARE b batches%ROWTYPE;
BEGIN
  SELECT * INTO b FROM batches WHERE id = which FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  IF b.failed > 0 AND b.on_any_failed IS NOT NULL AND b.any_failed_job IS NULL THEN
    SELECT e.id INTO b.any_failed_job FROM enqueue_special(b.on_any_failed) e;
  END IF;
  IF b.state = 'running' AND b.pending = 0 THEN
    IF b.failed = 0 AND b.on_all IS NOT NULL AND b.all_job IS NULL THEN
      SELECT e.id INTO b.all_job FROM enqueue_special(b.on_all) e;
    END IF;
    IF b.on_last IS NOT NULL AND b.last_job IS NULL THEN
      SELECT e.id INTO b.last_job FROM enqueue_special(b.on_last) e;
    END IF;
    b.state := 'done';
    b.finished_at := clock_timestamp();
  ELSIF b.state = 'done' AND b.pending > 0 THEN
    b.state := 'running';
    b.finished_at := NULL;
  END IF;
  UPDATE batches SET state = b.state, finished_at = b.finished_at, all_job = b.all_job, last_job = b.last_job,
    any_failed_job = b.any_failed_job WHERE id = which;
END $advance$;

-- The jobs that waited for `parent`: released when it was the last one, or cancelled because it did not end well.
CREATE FUNCTION release_steps(parent bigint, how text) RETURNS void LANGUAGE plpgsql AS $release$
DECLARE step bigint;
BEGIN
  FOR step IN UPDATE job_dependencies d SET ended = true WHERE d.after = parent AND NOT d.ended RETURNING d.job LOOP
    UPDATE jobs SET
      blocked_by = blocked_by - 1,
      state = CASE WHEN how <> 'done' AND NOT even_if_failed THEN 'cancelled' ELSE state END,
      error = CASE WHEN how <> 'done' AND NOT even_if_failed
              THEN 'job ' || parent || ', which it waits for, is ' || how ELSE error END,
      finished_at = CASE WHEN how <> 'done' AND NOT even_if_failed THEN clock_timestamp() END,
      run_at = CASE WHEN blocked_by = 1 THEN clock_timestamp() ELSE run_at END
    WHERE id = step AND state = 'queued' AND blocked_by > 0;
  END LOOP;
END $release$;

-- Adds one job that is more than plain: unique by another rule than "while queued or running", or one that waits for others.
-- Also how the callbacks of batches are added.
--
-- spec     kind, queue, tenant, priority, payload (JSON as text), max_attempts, delay (ms), batch
--          key, scope (waiting | done | window), window (ms), conflict (reject | coalesce | replace)
--          after (ids), even_if_failed
-- outcome  added | existing | coalesced | replaced; id is the job that is there now. due is in ms since 1970, 0 is now, and
--          NULL where Redis need not be told; moved: Redis may hold it under another moment.
-- Errors   GC001: an id in `after` that does not exist
CREATE FUNCTION enqueue_special(spec jsonb)
RETURNS TABLE (outcome text, id bigint, queue text, tenant text, priority smallint, due bigint, moved boolean)
LANGUAGE plpgsql AS $special$
#variable_conflict use_column
DECLARE
  owner jobs%ROWTYPE;
  fresh bigint;
  keyed text := spec->>'key';
  scope text := spec->>'scope';
  conflict text := coalesce(spec->>'conflict', 'reject');
  moment timestamptz := clock_timestamp() + coalesce((spec->>'delay')::bigint, 0) * interval '1 millisecond';
  window_end timestamptz;
  window_job bigint;
BEGIN
  FOR round IN 1..100 LOOP
    owner := NULL;
    fresh := NULL;
    IF scope = 'window' THEN
      -- First the lock, then the look, each with a snapshot of its own: a look alone would miss a job that has just committed.
      INSERT INTO unique_windows (key, job, until) VALUES (keyed, 0, '-infinity') ON CONFLICT DO NOTHING;
      SELECT w.job, w.until INTO window_job, window_end FROM unique_windows w WHERE w.key = keyed FOR UPDATE;
      CONTINUE WHEN NOT FOUND;
      IF window_end > clock_timestamp() THEN
        SELECT * INTO owner FROM jobs j WHERE j.id = window_job FOR UPDATE;
      END IF;
    END IF;
    IF owner.id IS NULL THEN
      INSERT INTO jobs AS j (kind, queue, tenant, priority, payload, max_attempts, run_at, batch, unique_key, waiting_key,
                             even_if_failed)
      VALUES (spec->>'kind', spec->>'queue', coalesce(spec->>'tenant', ''), coalesce((spec->>'priority')::smallint, 5),
              (spec->>'payload')::jsonb, coalesce((spec->>'max_attempts')::int, 8),
              CASE WHEN spec ? 'after' THEN blocked_until() ELSE moment END, (spec->>'batch')::bigint,
              CASE WHEN scope = 'done' THEN keyed END, CASE WHEN scope = 'waiting' THEN keyed END,
              coalesce((spec->>'even_if_failed')::boolean, false))
      ON CONFLICT DO NOTHING RETURNING j.id INTO fresh;
      IF fresh IS NOT NULL THEN
        IF scope = 'window' THEN
          UPDATE unique_windows w SET job = fresh,
            until = clock_timestamp() + (spec->>'window')::bigint * interval '1 millisecond' WHERE w.key = keyed;
        END IF;
        IF spec ? 'after' THEN PERFORM wait_for(fresh, spec->'after'); END IF;
        RETURN QUERY SELECT 'added', j.id, j.queue, j.tenant, j.priority,
          CASE WHEN j.state <> 'queued' OR j.run_at >= blocked_until() THEN NULL
               WHEN j.run_at > clock_timestamp() THEN (extract(epoch FROM j.run_at) * 1000)::bigint ELSE 0 END, false
          FROM jobs j WHERE j.id = fresh;
        RETURN;
      END IF;
      SELECT * INTO owner FROM jobs j
      WHERE (scope = 'done' AND j.unique_key = keyed AND j.state IN ('queued','running'))
         OR (scope = 'waiting' AND j.waiting_key = keyed AND j.state = 'queued' AND j.attempt = 0)
      FOR UPDATE;
      -- It went on in the meantime: its place is free now.
      CONTINUE WHEN NOT FOUND;
    END IF;
    EXIT;
  END LOOP;
  PERFORM require(owner.id IS NOT NULL, 'the unique key ' || coalesce(keyed, '-') || ' changes hands too fast: try again');

  IF conflict <> 'reject' AND owner.state = 'running' THEN
    UPDATE jobs j SET again_at = CASE WHEN conflict = 'replace' THEN moment ELSE coalesce(j.again_at, moment) END,
      again_payload = CASE WHEN conflict = 'replace' THEN (spec->>'payload')::jsonb ELSE j.again_payload END
    WHERE j.id = owner.id;
    RETURN QUERY SELECT 'coalesced', owner.id, owner.queue, owner.tenant, owner.priority, NULL::bigint, false;
  ELSIF conflict = 'replace' AND owner.state = 'queued' AND owner.blocked_by = 0 THEN
    UPDATE jobs j SET payload = (spec->>'payload')::jsonb, run_at = moment,
      priority = coalesce((spec->>'priority')::smallint, j.priority) WHERE j.id = owner.id;
    RETURN QUERY SELECT 'replaced', owner.id, owner.queue, owner.tenant, owner.priority,
      (extract(epoch FROM moment) * 1000)::bigint, true;
  ELSIF conflict = 'coalesce' AND owner.state = 'queued' THEN
    RETURN QUERY SELECT 'coalesced', owner.id, owner.queue, owner.tenant, owner.priority, NULL::bigint, false;
  ELSE
    RETURN QUERY SELECT 'existing', owner.id, owner.queue, owner.tenant, owner.priority, NULL::bigint, false;
  END IF;
END $special$;

-- Blocks a new job until these jobs have ended. The marks on them are made by an UPDATE, which waits for a settlement that is
-- under way: one that comes later sees the mark.
CREATE FUNCTION wait_for(step bigint, parents jsonb) RETURNS void LANGUAGE plpgsql AS $wait$
DECLARE wanted bigint[]; still bigint[]; bad text;
BEGIN
  SELECT array_agg(DISTINCT p::bigint ORDER BY p::bigint) INTO wanted FROM jsonb_array_elements_text(parents) p;
  PERFORM 1 FROM jobs WHERE id = ANY(wanted) ORDER BY id FOR NO KEY UPDATE;
  WITH marked AS (UPDATE jobs SET leads = true WHERE id = ANY(wanted) AND state IN ('queued','running') RETURNING id),
  noted AS (INSERT INTO job_dependencies (job, after) SELECT step, id FROM marked)
  SELECT coalesce(array_agg(id), '{}') INTO still FROM marked;
  PERFORM require((SELECT count(*) FROM jobs WHERE id = ANY(wanted)) = coalesce(cardinality(wanted), 0),
    'a job was to wait for jobs that do not exist (any more): ' || parents::text);
  SELECT 'job ' || id || ', which it waits for, is ' || state INTO bad FROM jobs
    WHERE id = ANY(wanted) AND state IN ('dead','cancelled') ORDER BY id LIMIT 1;
  UPDATE jobs SET blocked_by = cardinality(still),
    state = CASE WHEN bad IS NOT NULL AND NOT even_if_failed THEN 'cancelled' ELSE state END,
    error = CASE WHEN NOT even_if_failed THEN bad END,
    finished_at = CASE WHEN bad IS NOT NULL AND NOT even_if_failed THEN clock_timestamp() END,
    run_at = CASE WHEN cardinality(still) = 0 THEN clock_timestamp() ELSE run_at END
  WHERE id = step;
END $wait$;

-- Runs at COMMIT, when all other locks are taken, and takes the batches in order of their ids: no deadlock among them,
-- and a batch's row is held only for the commit. The first call does the work of the whole transaction.
CREATE FUNCTION apply_workflow() RETURNS trigger LANGUAGE plpgsql AS $apply$
DECLARE changes workflow_changes[]; change record;
BEGIN
  WITH mine AS (DELETE FROM workflow_changes c WHERE c.xact = pg_current_xact_id() RETURNING c)
  SELECT array_agg(mine.c) INTO changes FROM mine;
  IF changes IS NULL THEN RETURN NULL; END IF;
  FOR change IN
    SELECT c.batch, sum(c.added) AS added, sum(c.ended) AS ended, sum(c.failed) AS failed
    FROM unnest(changes) c WHERE c.batch IS NOT NULL GROUP BY c.batch ORDER BY c.batch
  LOOP
    UPDATE batches SET total = total + change.added, pending = pending + change.added - change.ended,
      failed = failed + change.failed WHERE id = change.batch;
    PERFORM advance_batch(change.batch);
  END LOOP;
  FOR change IN SELECT c.job, c.how FROM unnest(changes) c WHERE c.led AND c.ended = 1 ORDER BY c.job LOOP
    PERFORM release_steps(change.job, change.how);
  END LOOP;
  RETURN NULL;
END $apply$;

CREATE CONSTRAINT TRIGGER workflow_at_commit AFTER INSERT ON workflow_changes
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION apply_workflow();

-- No more jobs are added. A batch whose jobs have all ended is done at once.
CREATE FUNCTION seal_batch(which bigint) RETURNS void LANGUAGE plpgsql AS $seal$
BEGIN
  UPDATE batches SET state = 'running' WHERE id = which AND state = 'open';
  -- What this transaction has added is counted at its commit, and only then it is known whether anything is left.
  INSERT INTO workflow_changes VALUES (pg_current_xact_id(), 0, which, 0, 0, 0, false, NULL);
END $seal$;
