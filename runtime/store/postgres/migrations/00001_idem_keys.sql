-- +goose Up

-- Fences. They rise with every claim of every key, also over rolled back
-- transactions and deleted rows. Sessions must not cache numbers of their own.
CREATE SEQUENCE idem_fence AS bigint CACHE 1;

-- One row per idempotency key. Instants are by the clock of the database.
CREATE TABLE idem_keys (
    k           bytea       NOT NULL PRIMARY KEY,   -- stored key, 32 octets
    fp          bytea       NOT NULL,               -- fingerprint, 33 octets
    state       smallint    NOT NULL,               -- 0 free, 1 running, 2 done
    hold        boolean     NOT NULL DEFAULT false,
    fence       bigint      NOT NULL,
    attempts    integer     NOT NULL DEFAULT 1,
    lease_until timestamptz,                        -- null: no lease
    expires_at  timestamptz NOT NULL,
    status      smallint,
    headers     bytea,
    body        bytea,
    flags       integer     NOT NULL DEFAULT 0,     -- 1 tombstone
    operation   text        NOT NULL DEFAULT '',    -- for people who look
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 80);

CREATE INDEX idem_keys_expiry ON idem_keys (expires_at);
CREATE INDEX idem_keys_held ON idem_keys (created_at, k) WHERE state = 1 AND hold;

-- Which of these files have been applied, whoever applied them.
CREATE TABLE idem_schema (version integer NOT NULL PRIMARY KEY);
INSERT INTO idem_schema (version) VALUES (1);

-- +goose Down
DROP TABLE idem_schema;
DROP TABLE idem_keys;
DROP SEQUENCE idem_fence;
