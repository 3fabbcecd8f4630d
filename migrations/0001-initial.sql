-- Instants are integer Unix milliseconds UTC (..._at). Codes of `direction`: 0 outbound, 1 inbound,
-- 2 mutual; of `kind`: 0 message, 1 meeting; of `standing`: 0 sound, 1 unverified, 2 unproven.

-- Hash of the settings that the states of relationships were computed by; one row.
CREATE TABLE basis (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    digest INTEGER NOT NULL
) STRICT;

CREATE TABLE rep (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;

CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    rep_id INTEGER NOT NULL REFERENCES rep (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'new',
    -- The last pass that read everything; the freshness gate asks for it.
    fresh_at INTEGER,
    attempted_at INTEGER,
    error TEXT
) STRICT;

CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES source (id),
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    cursor TEXT,
    -- Whether everything that was there when it was first met has been read.
    complete INTEGER NOT NULL DEFAULT 0,
    total INTEGER,
    UNIQUE (source_id, name)
) STRICT;

-- Items read from mailboxes that have no order of their own (Maildir).
CREATE TABLE seen (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
    item INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE organisation (
    id INTEGER PRIMARY KEY,
    domain TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE contact (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- The last message that gave the name: the newest one wins, whatever order they came in.
    named_at INTEGER NOT NULL,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id)
) STRICT;

CREATE TABLE address (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    contact_id INTEGER NOT NULL REFERENCES contact (id)
) STRICT;

-- The addresses of a contact.
CREATE INDEX address_by_contact ON address (contact_id);

CREATE TABLE thread (
    id INTEGER PRIMARY KEY,
    -- Threads found to be one: follow this to the one that is left.
    merged_into INTEGER REFERENCES thread (id)
) STRICT;

CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    thread_id INTEGER REFERENCES thread (id),
    at INTEGER NOT NULL,
    -- Whether `at` is the message's own Date, the same in every copy.
    dated INTEGER NOT NULL,
    -- Why it makes no interaction, if it makes none.
    left_out TEXT,
    -- Hash of the subject without reply prefixes, never the subject.
    subject INTEGER,
    reply_subject INTEGER NOT NULL,
    -- The keys that name it and those it refers to, 8 bytes each, big-endian.
    keys BLOB NOT NULL,
    refs BLOB NOT NULL
) STRICT;

-- The messages of a thread, to link them and to merge threads.
CREATE INDEX message_by_thread ON message (thread_id) WHERE thread_id IS NOT NULL;

-- Every id that a message has or refers to: names messages and joins threads in any order.
CREATE TABLE thread_ref (
    hash INTEGER PRIMARY KEY,
    thread_id INTEGER REFERENCES thread (id),
    message_id INTEGER REFERENCES message (id)
) STRICT;

CREATE TABLE meeting (
    id INTEGER PRIMARY KEY,
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
    uid TEXT NOT NULL,
    -- Where the series' rule put it; 0 for a single event.
    recurrence_at INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- Hash of all that decides its interactions: unchanged means nothing to do.
    digest INTEGER NOT NULL,
    UNIQUE (mailbox_id, uid, recurrence_at)
) STRICT;

CREATE TABLE relationship (
    id INTEGER PRIMARY KEY,
    rep_id INTEGER NOT NULL REFERENCES rep (id),
    contact_id INTEGER NOT NULL REFERENCES contact (id),
    out_7 REAL NOT NULL DEFAULT 0,
    out_30 REAL NOT NULL DEFAULT 0,
    out_120 REAL NOT NULL DEFAULT 0,
    out_480 REAL NOT NULL DEFAULT 0,
    in_7 REAL NOT NULL DEFAULT 0,
    in_30 REAL NOT NULL DEFAULT 0,
    in_120 REAL NOT NULL DEFAULT 0,
    in_480 REAL NOT NULL DEFAULT 0,
    -- The instant for which the sums hold.
    sums_at INTEGER NOT NULL DEFAULT 0,
    outbound INTEGER NOT NULL DEFAULT 0,
    inbound INTEGER NOT NULL DEFAULT 0,
    meetings INTEGER NOT NULL DEFAULT 0,
    reciprocations INTEGER NOT NULL DEFAULT 0,
    active_days INTEGER NOT NULL DEFAULT 0,
    baseline REAL NOT NULL DEFAULT 0,
    baseline_stale INTEGER NOT NULL DEFAULT 0,
    reciprocated_at INTEGER,
    first_at INTEGER,
    last_outbound_at INTEGER,
    last_inbound_at INTEGER,
    last_meeting_at INTEGER,
    folded_at INTEGER NOT NULL DEFAULT 0,
    pending_at INTEGER,
    -- Whether it holds answers that only their subject can link.
    loose_replies INTEGER NOT NULL DEFAULT 0,
    -- When S fell, or falls if nothing happens, to the nudge's share of the baseline.
    falls_at INTEGER,
    -- The decay under way, if one is, and when the last one began.
    episode_id TEXT,
    episode_at INTEGER,
    -- When to look at it next: it falls, or something dated later comes due.
    due_at INTEGER,
    UNIQUE (rep_id, contact_id)
) STRICT;

-- Which relationships are due, and when the next one is.
CREATE INDEX relationship_by_due ON relationship (due_at) WHERE due_at IS NOT NULL;
-- Those whose baseline a backfill has left to be folded.
CREATE INDEX relationship_stale ON relationship (id) WHERE baseline_stale = 1;

CREATE TABLE interaction (
    id INTEGER PRIMARY KEY,
    relationship_id INTEGER NOT NULL REFERENCES relationship (id),
    at INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    audience INTEGER NOT NULL,
    linked INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    -- Whether it has mass; what is open to doubt is kept but does not count.
    counted INTEGER NOT NULL,
    message_id INTEGER REFERENCES message (id),
    meeting_id INTEGER REFERENCES meeting (id)
) STRICT;

-- A relationship's log by time: a day of it, a fortnight of it, all of it.
CREATE INDEX interaction_by_time ON interaction (relationship_id, at);
-- A message touches a relationship once in each direction, however many copies of it there are.
CREATE UNIQUE INDEX interaction_of_message ON interaction (message_id, relationship_id, direction)
    WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX interaction_of_meeting ON interaction (meeting_id, relationship_id)
    WHERE meeting_id IS NOT NULL;

CREATE TABLE nudge (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    episode_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    relationship_id INTEGER NOT NULL REFERENCES relationship (id),
    created_at INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    body TEXT NOT NULL,
    -- When the relationship recovered.
    resolved_at INTEGER,
    UNIQUE (episode_id, kind)
) STRICT;

-- How many nudges a rep has had lately.
CREATE INDEX nudge_by_time ON nudge (created_at);

CREATE TABLE silence (
    id INTEGER PRIMARY KEY,
    rep_id INTEGER NOT NULL REFERENCES rep (id),
    contact_id INTEGER NOT NULL REFERENCES contact (id),
    until_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (rep_id, contact_id)
) STRICT;

CREATE TABLE endpoint (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Hash of the URL that answered 410 Gone: another URL under the same name is tried again.
    gone INTEGER,
    gone_at INTEGER
) STRICT;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    nudge_id INTEGER NOT NULL REFERENCES nudge (id),
    endpoint_id INTEGER NOT NULL REFERENCES endpoint (id),
    -- pending | delivered | dead
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    settled_at INTEGER,
    UNIQUE (nudge_id, endpoint_id)
) STRICT;

-- What an endpoint is owed, in order.
CREATE INDEX outbox_pending ON outbox (endpoint_id, next_attempt_at) WHERE state = 'pending';

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    status INTEGER,
    took_ms INTEGER NOT NULL
) STRICT;

-- The attempts of one delivery.
CREATE INDEX attempt_by_outbox ON attempt (outbox_id);

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
    item INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (mailbox_id, item)
) STRICT;
