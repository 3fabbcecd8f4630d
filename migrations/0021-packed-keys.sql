-- New keys are noted by each commit as one value: a row for each was a twentieth of what storing messages
-- takes. What has gathered so far moves to the large table; of several notes of one key the last one
-- holds.
DELETE FROM thread_ref WHERE hash IN (SELECT hash FROM recent_ref);
INSERT INTO thread_ref (hash, thread_id, message_id)
    SELECT hash, thread_id, message_id FROM recent_ref
    WHERE id IN (SELECT max(id) FROM recent_ref GROUP BY hash)
        AND (thread_id IS NOT NULL OR message_id IS NOT NULL);
DROP TABLE recent_ref;
CREATE TABLE recent_ref (
    id INTEGER PRIMARY KEY,
    -- Of each key itself, its thread and the message that it names, 8 bytes each, big-endian; 0 is none.
    keys BLOB NOT NULL
) STRICT;
