-- Who is one person with whom, as it was said and found out, and what other processes ask the one
-- that writes to do.

-- Append-only: what is taken back says when.
CREATE TABLE identity_change (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    -- admin | file | evidence
    said_by TEXT NOT NULL,
    -- merge | split
    what TEXT NOT NULL,
    -- In words; no addresses, which are in the pairs.
    evidence TEXT NOT NULL,
    undone_at INTEGER,
    -- Of one that the file of people said: taken back because it left the file.
    left_file INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The addresses that a change joins, or keeps apart.
CREATE TABLE identity_pair (
    change_id INTEGER NOT NULL REFERENCES identity_change (id),
    a_id INTEGER NOT NULL REFERENCES address (id),
    b_id INTEGER NOT NULL REFERENCES address (id),
    PRIMARY KEY (change_id, a_id, b_id)
) STRICT, WITHOUT ROWID;
-- What was said of an address, on either side.
CREATE INDEX identity_pair_by_a ON identity_pair (a_id);
CREATE INDEX identity_pair_by_b ON identity_pair (b_id);

-- Every full name that an address was given, hashed without regard to its spelling.
CREATE TABLE address_name (
    address_id INTEGER NOT NULL REFERENCES address (id),
    name INTEGER NOT NULL,
    PRIMARY KEY (address_id, name)
) STRICT, WITHOUT ROWID;

-- Addresses that were written to, and those from which the answer came instead.
CREATE TABLE answered_from (
    written_id INTEGER NOT NULL REFERENCES address (id),
    answered_id INTEGER NOT NULL REFERENCES address (id),
    PRIMARY KEY (written_id, answered_id)
) STRICT, WITHOUT ROWID;
-- For which addresses another one answered.
CREATE INDEX answered_from_by_answered ON answered_from (answered_id);

-- Reports that a message was not delivered, by the key that names each: the keys of the addresses
-- that it names, and those of the messages that it refers to.
CREATE TABLE bounce (
    message INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    failed BLOB NOT NULL,
    refs BLOB NOT NULL
) STRICT;

-- What a command asks of the process that has the database open, and what came of it. A row goes
-- once its answer was read.
CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    asked_at INTEGER NOT NULL,
    what TEXT NOT NULL,
    answered_at INTEGER,
    answer TEXT
) STRICT;
-- What waits to be done, in order.
CREATE INDEX request_open ON request (id) WHERE answered_at IS NULL;
