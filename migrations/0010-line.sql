-- A contact is a person with several addresses. What is said in one relationship is said over lines,
-- one from the rep to each address; merging and splitting contacts moves lines, never interactions.

-- What a message gives a name to is an address; the newest name of any of its addresses is a
-- contact's. An address has the row number of the contact that it is by itself.
CREATE TABLE address_of_contact (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    -- Whose it is: the contact that it is by itself, or the one that it was merged into.
    contact_id INTEGER NOT NULL REFERENCES contact (id),
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    name TEXT NOT NULL,
    -- The last message that gave the name: the newest one wins, whatever order they came in.
    named_at INTEGER NOT NULL
) STRICT;
INSERT INTO address_of_contact (id, address, contact_id, organisation_id, name, named_at)
    SELECT contact.id, address, contact.id, organisation_id, name, named_at
    FROM address JOIN contact ON contact.id = contact_id;
DROP TABLE address;
ALTER TABLE address_of_contact RENAME TO address;
-- The addresses of a contact.
CREATE INDEX address_by_contact ON address (contact_id);

ALTER TABLE contact DROP COLUMN name;
ALTER TABLE contact DROP COLUMN named_at;
ALTER TABLE contact DROP COLUMN organisation_id;

-- A rep's line to one address: interactions belong to it for ever.
CREATE TABLE line (
    id INTEGER PRIMARY KEY,
    rep_id INTEGER NOT NULL REFERENCES rep (id),
    address_id INTEGER NOT NULL REFERENCES address (id),
    relationship_id INTEGER NOT NULL REFERENCES relationship (id),
    UNIQUE (address_id, rep_id)
) STRICT;
INSERT INTO line (id, rep_id, address_id, relationship_id)
    SELECT id, rep_id, contact_id, id FROM relationship;
-- The lines of a relationship.
CREATE INDEX line_by_relationship ON line (relationship_id);

CREATE TABLE interaction_of_line (
    id INTEGER PRIMARY KEY,
    line_id INTEGER NOT NULL REFERENCES line (id),
    at INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    audience INTEGER NOT NULL,
    linked INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    -- Whether it has mass; what is open to doubt is kept but does not count.
    counted INTEGER NOT NULL,
    message_id INTEGER REFERENCES message (id),
    meeting_id INTEGER REFERENCES meeting (id),
    -- When the message of the other party was written that this one is the first to answer.
    parent_at INTEGER,
    -- Whether it is the first of its thread in its relationship. NULL is not known: of a meeting, and
    -- of messages whose threads have not been looked at again.
    opens INTEGER,
    -- When its own writer first followed it up.
    followed_at INTEGER
) STRICT;
INSERT INTO interaction_of_line (id, line_id, at, direction, kind, audience, linked, standing,
                                 counted, message_id, meeting_id, parent_at, opens, followed_at)
    SELECT id, relationship_id, at, direction, kind, audience, linked, standing, counted,
           message_id, meeting_id, parent_at, opens, followed_at
    FROM interaction;
DROP TABLE interaction;
ALTER TABLE interaction_of_line RENAME TO interaction;

-- A line's log by time: a day of it, a fortnight of it, all of it.
CREATE INDEX interaction_by_time ON interaction (line_id, at);
-- A message touches a line once in each direction, however many copies of it there are.
CREATE UNIQUE INDEX interaction_of_message ON interaction (message_id, line_id, direction)
    WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX interaction_of_meeting ON interaction (meeting_id, line_id)
    WHERE meeting_id IS NOT NULL;
-- A line's meetings that the contact has not answered (of a meeting, `standing` is 0 if both
-- accepted, 1 if a message of the contact speaks for it, 2 if nothing does).
CREATE INDEX interaction_unanswered ON interaction (line_id)
    WHERE meeting_id IS NOT NULL AND standing > 0;
-- Messages whose threads wait to be looked at again.
CREATE INDEX interaction_unplaced ON interaction (id)
    WHERE opens IS NULL AND message_id IS NOT NULL;

-- What did not come about is told of lines too.
CREATE TABLE fate_of_line (
    meeting_id INTEGER NOT NULL REFERENCES meeting (id),
    line_id INTEGER NOT NULL REFERENCES line (id),
    -- When it would have ended.
    at INTEGER NOT NULL,
    -- 0 called off, 1 declined by the rep, 2 declined by the contact.
    what INTEGER NOT NULL,
    PRIMARY KEY (meeting_id, line_id)
) STRICT, WITHOUT ROWID;
INSERT INTO fate_of_line (meeting_id, line_id, at, what)
    SELECT meeting_id, relationship_id, at, what FROM fate;
DROP TABLE fate;
ALTER TABLE fate_of_line RENAME TO fate;
-- What did not come about of a line's meetings, by time.
CREATE INDEX fate_by_time ON fate (line_id, at);
