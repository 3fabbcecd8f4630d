-- Calendars on servers are read object by object.

-- The objects of a calendar that were read, each with a hash of what changes when it does.
CREATE TABLE object (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
    item INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, item)
) STRICT, WITHOUT ROWID;

-- The object that a meeting stands in; 0 where its calendar is read as a whole.
ALTER TABLE meeting ADD COLUMN item INTEGER NOT NULL DEFAULT 0;

-- The meetings of a calendar, or of one object of it, by time.
CREATE INDEX meeting_by_item ON meeting (mailbox_id, item, starts_at);
