-- The rhythm of each relationship: the last contact, how many exchanges, when the last began, and
-- mean and variance of the logarithms of the gaps between them. Filled at the next start, when every
-- state is folded again.
ALTER TABLE relationship ADD COLUMN contact_at INTEGER;
ALTER TABLE relationship ADD COLUMN exchanges INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relationship ADD COLUMN exchange_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relationship ADD COLUMN mean_ln_gap REAL NOT NULL DEFAULT 0;
ALTER TABLE relationship ADD COLUMN variance_ln_gap REAL NOT NULL DEFAULT 0;
