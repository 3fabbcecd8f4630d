-- What an admin has dropped stays so, also if the answer for which the rest was cancelled is taken back.
ALTER TABLE outbox ADD COLUMN dropped_at INTEGER;
