-- What a thread says of a message, from which engagement is told.

-- When the message of the other party was written that this one is the first to answer.
ALTER TABLE interaction ADD COLUMN parent_at INTEGER;
-- Whether it is the first of its thread in its relationship. NULL is not known: of a meeting, and of
-- messages stored before this, until their threads have been looked at again.
ALTER TABLE interaction ADD COLUMN opens INTEGER;
-- When its own writer first followed it up.
ALTER TABLE interaction ADD COLUMN followed_at INTEGER;

-- Messages whose threads wait to be looked at again.
CREATE INDEX interaction_unplaced ON interaction (id)
    WHERE opens IS NULL AND message_id IS NOT NULL;

-- Meetings that did not come about, as each copy of a meeting tells it of each relationship. Those stored
-- before this are told of when their calendar is next read as a whole.
CREATE TABLE fate (
    meeting_id INTEGER NOT NULL REFERENCES meeting (id),
    relationship_id INTEGER NOT NULL REFERENCES relationship (id),
    -- When it would have ended.
    at INTEGER NOT NULL,
    -- 0 called off, 1 declined by the rep, 2 declined by the contact.
    what INTEGER NOT NULL,
    PRIMARY KEY (meeting_id, relationship_id)
) STRICT, WITHOUT ROWID;
-- What did not come about of a relationship's meetings, by time.
CREATE INDEX fate_by_time ON fate (relationship_id, at);
