-- Keys are hashes: entered a few at a time, each is on another page of a large table, and a
-- backfill would write most of its pages with every commit. What is new or has changed gathers
-- here, holds against what the large table says, and moves over there all at once.
CREATE TABLE recent_ref (
    hash INTEGER PRIMARY KEY,
    thread_id INTEGER,
    message_id INTEGER
) STRICT;

-- Without references to other tables: forgetting a message would read all of it, and what it says
-- of a key may be older than what the other one says.
CREATE TABLE settled_ref (
    hash INTEGER PRIMARY KEY,
    thread_id INTEGER,
    message_id INTEGER
) STRICT;
INSERT INTO settled_ref SELECT hash, thread_id, message_id FROM thread_ref;
DROP TABLE thread_ref;
ALTER TABLE settled_ref RENAME TO thread_ref;
