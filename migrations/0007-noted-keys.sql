-- New keys are noted one after the other, and the writer remembers them: entered by their hashes, they
-- were most pages of this table with every commit. Of several notes of one key the last one holds.
CREATE TABLE noted_ref (
    id INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    thread_id INTEGER,
    message_id INTEGER
) STRICT;
INSERT INTO noted_ref (hash, thread_id, message_id)
    SELECT hash, thread_id, message_id FROM recent_ref ORDER BY hash;
DROP TABLE recent_ref;
ALTER TABLE noted_ref RENAME TO recent_ref;
