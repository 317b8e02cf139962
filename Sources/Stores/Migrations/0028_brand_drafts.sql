-- Made for 0023 alone.
DROP INDEX IF EXISTS stripe_events_objects;

-- A logo that was sent and waits for a worker to draw it once. Until then the tenant's documents look as before.

ALTER TABLE tenant_brands
  ADD COLUMN draft_id text,
  ADD COLUMN draft bytea CHECK (octet_length(draft) BETWEEN 1 AND 1048576),
  ADD COLUMN draft_type text CHECK (draft_type IN ('png','jpeg')),
  ADD CONSTRAINT tenant_brands_draft
    CHECK ((draft_id IS NULL) = (draft IS NULL) AND (draft IS NULL) = (draft_type IS NULL));
