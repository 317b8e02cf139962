-- What a crew may quote: the manifest and the searchable passages of an engagement's files (contract A-12, A-30, S-34).
-- Lock order: engagement -> run -> run_tasks -> index_state -> jobs.

-- `wanted` rises with every change of the files, `built` follows: one rebuild serves all changes before it.
CREATE TABLE index_state (
  engagement_id text PRIMARY KEY REFERENCES engagements ON DELETE CASCADE,
  tenant_id text NOT NULL,
  wanted bigint NOT NULL DEFAULT 0,
  built bigint NOT NULL DEFAULT 0,            -- the newest generation
  error text,                                 -- why the last rebuild failed
  changed_at timestamptz NOT NULL DEFAULT now(),
  CHECK (built <= wanted));
CREATE INDEX index_state_behind ON index_state (changed_at) WHERE built < wanted;

-- What was read out of one file. Generations share it: a file that did not change is not read again.
CREATE TABLE context_texts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  engagement_id text NOT NULL REFERENCES engagements ON DELETE CASCADE,
  tenant_id text NOT NULL,
  sha256 bytea NOT NULL,
  filename text NOT NULL,                     -- its extension says how the bytes were read
  status text NOT NULL DEFAULT 'writing',     -- then a TextStatus: its passages are complete
  truncated boolean NOT NULL DEFAULT false,
  chunks integer NOT NULL DEFAULT 0,
  tokens bigint NOT NULL DEFAULT 0,
  languages text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX context_texts_ready ON context_texts (engagement_id, sha256, filename) WHERE status <> 'writing';
CREATE INDEX context_texts_engagement ON context_texts (engagement_id);

CREATE TABLE context_chunks (
  text_id bigint NOT NULL REFERENCES context_texts ON DELETE CASCADE,
  number integer NOT NULL,
  headings text[] NOT NULL DEFAULT '{}',
  page integer, sheet text, first_row integer, last_row integer, part integer,
  body text NOT NULL,
  tokens integer NOT NULL,
  language text NOT NULL,
  search tsvector NOT NULL,                   -- with one lexeme that names the engagement, so that the index keeps them apart
  PRIMARY KEY (text_id, number));
CREATE INDEX context_chunks_search ON context_chunks USING gin (search) WITH (fastupdate = off);

-- In how many passages of a text a word stands: rare words find, common ones only rank.
CREATE TABLE context_terms (
  engagement_id text NOT NULL,
  lexeme text COLLATE "C" NOT NULL,
  text_id bigint NOT NULL REFERENCES context_texts ON DELETE CASCADE,
  chunks integer NOT NULL,
  PRIMARY KEY (engagement_id, lexeme, text_id));
CREATE INDEX context_terms_text ON context_terms (text_id);

-- A generation describes the files of one moment. Old ones stay while a run holds them (decision D-49).
CREATE TABLE context_generations (
  engagement_id text NOT NULL REFERENCES engagements ON DELETE CASCADE,
  tenant_id text NOT NULL,
  generation bigint NOT NULL,
  manifest jsonb NOT NULL,
  built_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (engagement_id, generation));
CREATE TABLE context_files (
  engagement_id text NOT NULL,
  generation bigint NOT NULL,
  position integer NOT NULL,
  attachment_id text NOT NULL,                -- no reference: a run may go on quoting a file that was deleted meanwhile
  filename text NOT NULL,
  category text NOT NULL,
  summary text,
  text_id bigint REFERENCES context_texts ON DELETE CASCADE,
  PRIMARY KEY (engagement_id, generation, attachment_id),
  FOREIGN KEY (engagement_id, generation) REFERENCES context_generations ON DELETE CASCADE);
CREATE INDEX context_files_text ON context_files (text_id);

-- The generation that a run started with, and what its documents cite.
ALTER TABLE runs ADD COLUMN context_generation bigint;
ALTER TABLE run_tasks ADD COLUMN citations jsonb;
