-- How reading a source goes, kept so that a restart does not begin where the server asked to stop;
-- and what was read of a mailbox beside what the server holds.

-- Failures in a row, and refusals of the credentials since they were last accepted.
ALTER TABLE source ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
-- When the next attempt may be, if not at once.
ALTER TABLE source ADD COLUMN retry_at INTEGER;
ALTER TABLE source ADD COLUMN failed_at INTEGER;
-- 16 bits of a hash of the credentials that failed: too few to tell anything of them.
ALTER TABLE source ADD COLUMN fingerprint INTEGER;

-- Items read under the present UIDVALIDITY, those put aside too; NULL is unknown: what was read
-- before this was counted, until the mailbox is renumbered.
ALTER TABLE mailbox ADD COLUMN seen_count INTEGER;
UPDATE mailbox SET seen_count = (SELECT count(*) FROM seen WHERE mailbox_id = mailbox.id)
    WHERE cursor ->> 'kind' = 'maildir';

-- How often its source could not give it: it is asked for again, but not for ever. NULL is an item
-- that was given and could not be understood.
ALTER TABLE quarantine ADD COLUMN tries INTEGER;
UPDATE quarantine SET tries = 1
    WHERE reason LIKE 'the server %' OR reason LIKE 'unexpected answer: %';
