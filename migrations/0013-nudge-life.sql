-- A nudge is decided, waits for its moment, and is given to endpoints in messages: one each, or several
-- in a digest. What is held back, watched only, or not said for want of room is kept and counted too.

CREATE TABLE nudge_with_life (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    episode_id TEXT NOT NULL,
    -- decay | owed_reply | stopped_answering | single_threaded_account | contact_moved | no_follow_up
    kind TEXT NOT NULL,
    -- How often the rep has been told of the same before.
    reminder INTEGER NOT NULL,
    relationship_id INTEGER NOT NULL REFERENCES relationship (id),
    created_at INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    -- The event in its standard form.
    body TEXT NOT NULL,
    -- What there is to lose: the budget goes to the greatest first.
    stake REAL NOT NULL,
    -- waiting | released | held_back | observed | over_budget | unrouted | cancelled
    state TEXT NOT NULL,
    -- When it may be said, while it waits; else when it was, or would have been.
    release_at INTEGER NOT NULL,
    -- When there was first no room for it.
    short_at INTEGER,
    -- When there was no more to say, and why: recovered | done | snoozed | not_relevant | wrong_person |
    -- superseded.
    resolved_at INTEGER,
    resolved_by TEXT,
    UNIQUE (episode_id, kind, reminder)
) STRICT;
INSERT INTO nudge_with_life (id, public_id, episode_id, kind, reminder, relationship_id, created_at,
                             reasons, body, stake, state, release_at, resolved_at, resolved_by)
    SELECT id, public_id, episode_id, kind, 0, relationship_id, created_at, reasons, body, 0,
           'released', created_at, resolved_at, iif(resolved_at IS NULL, NULL, 'recovered')
    FROM nudge;

CREATE TABLE message_to_endpoint (
    id INTEGER PRIMARY KEY,
    endpoint_id INTEGER NOT NULL REFERENCES endpoint (id),
    -- By it the receiver knows a repetition: the nudge's public id, or that of a digest.
    webhook_id TEXT NOT NULL,
    rep_id INTEGER NOT NULL REFERENCES rep (id),
    -- Written when it is first tried, of what still holds then; the same bytes ever after.
    body TEXT,
    made_at INTEGER NOT NULL,
    -- pending | delivered | dead | cancelled
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    settled_at INTEGER,
    UNIQUE (endpoint_id, webhook_id)
) STRICT;
INSERT INTO message_to_endpoint (id, endpoint_id, webhook_id, rep_id, body, made_at, state, attempts,
                                 next_attempt_at, settled_at)
    SELECT outbox.id, endpoint_id, nudge.public_id, relationship.rep_id, nudge.body, nudge.created_at,
           outbox.state, attempts, next_attempt_at, settled_at
    FROM outbox JOIN nudge ON nudge.id = nudge_id
    JOIN relationship ON relationship.id = relationship_id;

-- What a message says.
CREATE TABLE outbox_nudge (
    outbox_id INTEGER NOT NULL REFERENCES message_to_endpoint (id),
    nudge_id INTEGER NOT NULL REFERENCES nudge_with_life (id),
    PRIMARY KEY (outbox_id, nudge_id)
) STRICT, WITHOUT ROWID;
INSERT INTO outbox_nudge (outbox_id, nudge_id) SELECT id, nudge_id FROM outbox;

CREATE TABLE attempt_of_message (
    id INTEGER PRIMARY KEY,
    outbox_id INTEGER NOT NULL REFERENCES message_to_endpoint (id),
    at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    status INTEGER,
    took_ms INTEGER NOT NULL
) STRICT;
INSERT INTO attempt_of_message (id, outbox_id, at, verdict, status, took_ms)
    SELECT id, outbox_id, at, verdict, status, took_ms FROM attempt;
DROP TABLE attempt;
DROP TABLE outbox;
DROP TABLE nudge;
ALTER TABLE nudge_with_life RENAME TO nudge;
ALTER TABLE message_to_endpoint RENAME TO outbox;
ALTER TABLE attempt_of_message RENAME TO attempt;

-- How many nudges a rep has had lately, and the lists of them.
CREATE INDEX nudge_by_time ON nudge (created_at);
-- What a rep was told of a relationship, and what of it still holds.
CREATE INDEX nudge_by_relationship ON nudge (relationship_id);
-- What waits for its moment.
CREATE INDEX nudge_waiting ON nudge (release_at) WHERE state = 'waiting';
-- What was said, or would have been, lately.
CREATE INDEX nudge_by_release ON nudge (release_at) WHERE state IN ('released', 'held_back');
-- What an endpoint is owed, in order.
CREATE INDEX outbox_pending ON outbox (endpoint_id, next_attempt_at) WHERE state = 'pending';
-- Where a nudge was sent.
CREATE INDEX outbox_nudge_by_nudge ON outbox_nudge (nudge_id);
-- The attempts of one delivery.
CREATE INDEX attempt_by_outbox ON attempt (outbox_id);

-- What nudging as a whole goes by; one row.
CREATE TABLE nudging (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- When the first decision was taken: nothing is said for a time after it.
    began_at INTEGER NOT NULL,
    -- When somebody said that this was long enough.
    enabled_at INTEGER,
    -- The last instant at which the clock was trusted, if ever, and the last message stored then.
    trusted_at INTEGER,
    trusted_message INTEGER NOT NULL,
    -- When the clock was found to have jumped, and by how much, while that is not known to be right.
    jumped_at INTEGER,
    jumped_by_ms INTEGER,
    -- When accounts and contacts who have moved were last looked at.
    reviewed_at INTEGER
) STRICT;

-- Reps of whom so many relationships decay at once that missing mail is the likelier reason.
CREATE TABLE hold (
    rep_id INTEGER PRIMARY KEY REFERENCES rep (id),
    held_at INTEGER NOT NULL,
    -- When that was last found to be so.
    found_at INTEGER NOT NULL,
    -- How many of how many established relationships decay.
    decaying INTEGER NOT NULL,
    established INTEGER NOT NULL,
    -- Until when the admin has let them go all the same.
    allowed_until INTEGER
) STRICT;
