-- How an endpoint has been doing: one that fails is left alone for a while, also over a restart.

-- Hash of the URL that this is about: under another one it begins anew.
ALTER TABLE endpoint ADD COLUMN url INTEGER;
-- Tries in a row that failed for its sake, since when, and what the last one met.
ALTER TABLE endpoint ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN failing_since INTEGER;
ALTER TABLE endpoint ADD COLUMN error TEXT;
-- It is left alone until then.
ALTER TABLE endpoint ADD COLUMN held_until INTEGER;

-- When somebody asked for it to be sent once more: then it is, whatever has become of its nudges.
ALTER TABLE outbox ADD COLUMN replayed_at INTEGER;
