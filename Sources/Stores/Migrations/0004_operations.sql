-- What an operator decided about a queue. A queue without a row is open. docs/queue.md explains the three modes.

CREATE TABLE queue_settings (
  queue text PRIMARY KEY,
  mode text NOT NULL CHECK (mode IN ('open','paused','closed')),
  reason text NOT NULL DEFAULT '',
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text NOT NULL DEFAULT ''
);

-- Part of the statement that adds jobs, so that a closed queue costs no round trip. The queue travels in the error's
-- field for a constraint's name, where a program can read it without parsing a sentence.
CREATE FUNCTION queues_open(names text[]) RETURNS boolean LANGUAGE plpgsql STABLE AS $queues_open$
DECLARE shut text;
BEGIN
  SELECT queue INTO shut FROM queue_settings WHERE mode = 'closed' AND queue = ANY (names) LIMIT 1;
  IF shut IS NOT NULL THEN
    RAISE EXCEPTION 'the queue % is closed', shut USING ERRCODE = 'GC002', CONSTRAINT = shut;
  END IF;
  RETURN true;
END $queues_open$;
