-- Calendars on servers are read object by object, and one meeting may stand in several calendars.

-- The objects of a calendar that were read, each with a hash of what changes when it does.
CREATE TABLE object (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
    item INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, item)
) STRICT, WITHOUT ROWID;

-- The table of meetings is made anew, for its key has changed. Interactions that refer to it step
-- aside meanwhile.
CREATE TEMP TABLE aside AS
    SELECT id, relationship_id, at, direction, kind, audience, linked, standing, counted, meeting_id
    FROM interaction WHERE meeting_id IS NOT NULL;
DELETE FROM interaction WHERE meeting_id IS NOT NULL;

-- A meeting as one object of a calendar has it, or the invitations to it in a mailbox. Each copy
-- has its interactions; those of one copy of (rep_id, uid, recurrence_at) count.
CREATE TABLE meeting_copy (
    id INTEGER PRIMARY KEY,
    rep_id INTEGER NOT NULL REFERENCES rep (id),
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
    -- The object that it stands in; 0 where its calendar is read as a whole.
    item INTEGER NOT NULL,
    uid TEXT NOT NULL,
    -- Where the series' rule put it; 0 for a single event.
    recurrence_at INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- Which version of the event it is: SEQUENCE, and LAST-MODIFIED if it says.
    sequence INTEGER NOT NULL,
    modified_at INTEGER,
    -- Hash of all that decides its interactions: unchanged means nothing to do.
    digest INTEGER NOT NULL,
    UNIQUE (mailbox_id, item, uid, recurrence_at)
) STRICT;
INSERT INTO meeting_copy (id, rep_id, mailbox_id, item, uid, recurrence_at, starts_at, ends_at,
                          status, sequence, digest)
    SELECT meeting.id, source.rep_id, mailbox_id, 0, uid, recurrence_at, starts_at, ends_at,
           status, 0, digest
    FROM meeting JOIN mailbox ON mailbox.id = mailbox_id JOIN source ON source.id = source_id;
DROP TABLE meeting;
ALTER TABLE meeting_copy RENAME TO meeting;

INSERT INTO interaction (id, relationship_id, at, direction, kind, audience, linked, standing,
                         counted, meeting_id)
    SELECT id, relationship_id, at, direction, kind, audience, linked, standing, counted, meeting_id
    FROM aside;
DROP TABLE aside;

-- The meetings of a calendar, or of one object of it, by time.
CREATE INDEX meeting_by_item ON meeting (mailbox_id, item, starts_at);
-- All copies of what one UID names in a rep's calendars and mail, or of one occurrence.
CREATE INDEX meeting_by_uid ON meeting (rep_id, uid, recurrence_at);
-- A relationship's meetings that the contact has not answered (of a meeting, `standing` is 0 if both
-- accepted, 1 if a message of the contact speaks for it, 2 if nothing does).
CREATE INDEX interaction_unanswered ON interaction (relationship_id)
    WHERE meeting_id IS NOT NULL AND standing > 0;
