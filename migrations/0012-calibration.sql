-- Straight lines through the log-odds of the hazard, each fitted to what is stored at one instant.
-- Rows are only added; the latest that was not undone is in force.
CREATE TABLE calibration (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    -- How many instants of the past it was fitted to.
    instants INTEGER NOT NULL,
    slope REAL NOT NULL,
    intercept REAL NOT NULL,
    -- The log loss of what was in force, and that of the line where it had not seen what it foretold.
    loss_before REAL NOT NULL,
    loss_after REAL NOT NULL,
    undone_at INTEGER
) STRICT;
