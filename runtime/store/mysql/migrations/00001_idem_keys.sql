-- +goose Up

-- One row per idempotency key. Instants are UTC by the database's clock. A
-- definition commits by itself here, so that each statement can be repeated.
CREATE TABLE IF NOT EXISTS idem_keys (
    k           BINARY(32)        NOT NULL,              -- stored key
    fp          BINARY(33)        NOT NULL,              -- fingerprint
    state       TINYINT UNSIGNED  NOT NULL,              -- 0 free, 1 running, 2 done
    hold        BOOLEAN           NOT NULL DEFAULT FALSE,
    fence       BIGINT            NOT NULL,
    attempts    INT               NOT NULL DEFAULT 1,
    lease_until DATETIME(6)       NULL,                  -- NULL: no lease
    expires_at  DATETIME(6)       NOT NULL,
    status      SMALLINT UNSIGNED NULL,
    headers     MEDIUMBLOB        NULL,
    body        LONGBLOB          NULL,
    flags       SMALLINT UNSIGNED NOT NULL DEFAULT 0,    -- 1 tombstone
    operation   VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT '', -- for people who look
    created_at  DATETIME(6)       NOT NULL,
    PRIMARY KEY (k),
    KEY idem_keys_expiry (expires_at)
) ENGINE = InnoDB;

-- Which of these files have been applied, whoever applied them.
CREATE TABLE IF NOT EXISTS idem_schema (version INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT IGNORE INTO idem_schema (version) VALUES (1);

-- +goose Down
DROP TABLE idem_schema;
DROP TABLE idem_keys;
