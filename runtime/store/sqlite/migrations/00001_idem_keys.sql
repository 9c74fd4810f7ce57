-- +goose Up

-- One row per idempotency key. Instants are milliseconds since 1970 by the
-- clock of the process that executes the statement.
CREATE TABLE idem_keys (
    k           BLOB    NOT NULL PRIMARY KEY,   -- stored key, 32 octets
    fp          BLOB    NOT NULL,               -- fingerprint, 33 octets
    state       INTEGER NOT NULL,               -- 0 free, 1 running, 2 done
    hold        INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 1,
    lease_until INTEGER NOT NULL DEFAULT 0,     -- 0: no lease
    expires_at  INTEGER NOT NULL,
    status      INTEGER,
    headers     BLOB,
    body        BLOB,
    flags       INTEGER NOT NULL DEFAULT 0,     -- 1 tombstone
    operation   TEXT    NOT NULL DEFAULT '',    -- for people who look
    created_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX idem_keys_expiry ON idem_keys (expires_at);

-- Held records, of which there are few, for those who look for unknown ones.
CREATE INDEX idem_keys_held ON idem_keys (created_at, k) WHERE state = 1 AND hold = 1;

-- Which of these files have been applied, whoever applied them.
CREATE TABLE idem_schema (version INTEGER NOT NULL PRIMARY KEY) STRICT;
INSERT INTO idem_schema (version) VALUES (1);

-- +goose Down
DROP TABLE idem_schema;
DROP TABLE idem_keys;
