-- Those who were erased, as keyed hashes of their addresses: nothing is written down of them any more.
CREATE TABLE erased (
    hash BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the hashes are made with, by the first erasure; one row.
CREATE TABLE erased_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL
) STRICT;
