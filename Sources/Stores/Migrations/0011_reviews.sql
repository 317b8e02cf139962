-- What the client thinks of a document. One decision per version; a new version waits for one of its own.

ALTER TABLE deliverables
  ADD COLUMN review_status text NOT NULL DEFAULT 'pending_review'
    CHECK (review_status IN ('pending_review','approved','revision_requested','rejected')),
  ADD COLUMN review_comment text,
  ADD COLUMN reviewed_by text REFERENCES users,
  ADD COLUMN reviewed_at timestamptz;
