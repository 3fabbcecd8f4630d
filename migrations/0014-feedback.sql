-- What reps answer to nudges, what is kept silent for that, and the key of the links by which they do.

-- Append-only: what is taken back says when.
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY,
    nudge_id INTEGER NOT NULL REFERENCES nudge (id),
    at INTEGER NOT NULL,
    -- done | snooze | not_relevant | wrong_person
    action TEXT NOT NULL,
    -- 7 | 30 | 90, of a snooze only
    days INTEGER,
    -- cli | api | link
    way TEXT NOT NULL,
    undone_at INTEGER
) STRICT;
-- The answer to a nudge that is in force: one at most.
CREATE UNIQUE INDEX feedback_in_force ON feedback (nudge_id) WHERE undone_at IS NULL;
-- All answers to a nudge.
CREATE INDEX feedback_by_nudge ON feedback (nudge_id);

CREATE TABLE silence_with_reason (
    id INTEGER PRIMARY KEY,
    rep_id INTEGER NOT NULL REFERENCES rep (id),
    contact_id INTEGER NOT NULL REFERENCES contact (id),
    -- About which kind of nudges; none is about all.
    kind TEXT,
    made_at INTEGER NOT NULL,
    -- None is for good.
    until_at INTEGER,
    -- done | snooze | not_relevant | wrong_person | command
    reason TEXT NOT NULL,
    -- The answer that it follows from.
    feedback_id INTEGER REFERENCES feedback (id),
    -- When somebody ended it before its time.
    ended_at INTEGER
) STRICT;
INSERT INTO silence_with_reason (id, rep_id, contact_id, made_at, until_at, reason)
    SELECT id, rep_id, contact_id, 0, until_at, reason FROM silence;
DROP TABLE silence;
ALTER TABLE silence_with_reason RENAME TO silence;
-- Whether nothing is to be said about a contact.
CREATE INDEX silence_of_contact ON silence (contact_id, rep_id);
-- What is kept silent for an answer.
CREATE UNIQUE INDEX silence_of_feedback ON silence (feedback_id) WHERE feedback_id IS NOT NULL;

-- The key of links in messages, made by the first start; one row.
CREATE TABLE link_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
