-- Messages from a rep to another: who could introduce whom. They make no relationship.
CREATE TABLE colleague (
    message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    from_rep_id INTEGER NOT NULL REFERENCES rep (id),
    to_rep_id INTEGER NOT NULL REFERENCES rep (id),
    -- The earliest of its copies' times, of those that are its own Date if there are any.
    at INTEGER NOT NULL,
    dated INTEGER NOT NULL,
    audience INTEGER NOT NULL,
    -- Whether a copy was met where only its writer puts messages.
    proven INTEGER NOT NULL,
    PRIMARY KEY (message_id, from_rep_id, to_rep_id)
) STRICT, WITHOUT ROWID;

-- What a rep has written to another.
CREATE INDEX colleague_by_pair ON colleague (from_rep_id, to_rep_id);
