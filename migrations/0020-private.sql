-- What reps have put where only they look, as hashes of rep and Message-ID with the key of `erased_key`:
-- it is not theirs to relationships any more, wherever a copy of it is met.
CREATE TABLE private_message (
    hash BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
