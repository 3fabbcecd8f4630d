-- Refresh tokens of sources: given by a sign-in, or by a provider in exchange for another. Each is
-- sealed by a key that is not in this file. By the source's name: somebody may sign in before it is
-- read.
CREATE TABLE login (
    source  TEXT PRIMARY KEY,
    -- Hash of what the token comes from: the configured one, or a sign-in.
    origin  TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    kept_at INTEGER NOT NULL
) STRICT;
