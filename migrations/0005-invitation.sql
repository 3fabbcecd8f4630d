-- Invitations in mail are evidence of meetings where no calendar is connected.

-- What messages say of meetings, as far as their senders may say it: reduced to what decides when a
-- meeting is and who comes. The meetings of a UID follow from all of its rows, in any order.
CREATE TABLE invitation (
    id INTEGER PRIMARY KEY,
    rep_id INTEGER NOT NULL REFERENCES rep (id),
    uid TEXT NOT NULL,
    -- The key that names the message.
    message INTEGER NOT NULL,
    -- Hash of what it says: two copies of one message may differ.
    digest INTEGER NOT NULL,
    -- publish | request | add | cancel | reply
    method TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    -- Its DTSTAMP, else its Date.
    stamped_at INTEGER NOT NULL,
    -- iCalendar.
    text TEXT NOT NULL,
    -- Until when the series was laid out, if it is one.
    expanded_until INTEGER,
    UNIQUE (rep_id, message, digest)
) STRICT;

-- All that was said of a meeting, the latest first.
CREATE INDEX invitation_by_uid ON invitation (rep_id, uid, stamped_at);
-- Series that must be laid out further.
CREATE INDEX invitation_by_expansion ON invitation (rep_id, expanded_until)
    WHERE expanded_until IS NOT NULL;
