-- Jobs of one tenant and queue that share a key, of which only so many run at once. docs/queue.md explains them.

ALTER TABLE jobs
  ADD COLUMN concurrency_key text CHECK (octet_length(concurrency_key) BETWEEN 1 AND 200),
  ADD COLUMN per_key integer CHECK (per_key >= 0);          -- the number that the job brings along; 0 is no cap

-- What an operator set goes before it. The key '' stands for every key of the queue without a row of its own.
CREATE TABLE key_limits (
  queue text NOT NULL,
  key text NOT NULL DEFAULT '' CHECK (octet_length(key) <= 200),
  concurrency integer NOT NULL CHECK (concurrency >= 0),    -- 0 is no cap
  PRIMARY KEY (queue, key)
);

-- How many of a key run, for those who ask why a job waits.
CREATE INDEX jobs_running_key ON jobs (queue, tenant, concurrency_key)
  WHERE state = 'running' AND concurrency_key IS NOT NULL;

-- As in 0005, and the spec may name concurrency_key and per_key.
CREATE OR REPLACE FUNCTION enqueue_special(spec jsonb)
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
                             even_if_failed, concurrency_key, per_key)
      VALUES (spec->>'kind', spec->>'queue', coalesce(spec->>'tenant', ''), coalesce((spec->>'priority')::smallint, 5),
              (spec->>'payload')::jsonb, coalesce((spec->>'max_attempts')::int, 8),
              CASE WHEN spec ? 'after' THEN blocked_until() ELSE moment END, (spec->>'batch')::bigint,
              CASE WHEN scope = 'done' THEN keyed END, CASE WHEN scope = 'waiting' THEN keyed END,
              coalesce((spec->>'even_if_failed')::boolean, false), spec->>'concurrency_key', (spec->>'per_key')::int)
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
