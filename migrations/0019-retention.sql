-- What is taken out when it is old enough, and what is remembered of it without its people.

-- Whether the contact had come back within fourteen days of a first word about a decay: noted before the
-- interactions that tell it may go. NULL is told by them.
ALTER TABLE nudge ADD COLUMN came_back INTEGER;

-- Nudges that have gone, so that counts and the report on what nudging changes stay as they were: of
-- nobody, and to nobody.
CREATE TABLE past_nudge (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    resolved_by TEXT,
    created_at INTEGER NOT NULL,
    release_at INTEGER NOT NULL,
    -- Of a first word about a decay that was sent or held back; else NULL.
    came_back INTEGER
) STRICT;

-- When that was last done; one row.
CREATE TABLE retention (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    done_at INTEGER NOT NULL
) STRICT;
