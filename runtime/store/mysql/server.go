package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	idem "github.com/idemgen/idemgen/runtime"
)

// server is what differs between servers, as far as the store is concerned.
type server struct {
	database   string
	isolation  string // name of the variable with a session's isolation level
	skipLocked bool   // SELECT ... FOR UPDATE SKIP LOCKED
	blocks     bool   // prepares BEGIN NOT ATOMIC, as MariaDB does since 10.6
}

// inspect asks the server who it is.
func inspect(ctx context.Context, db *sql.DB) (server, error) {
	var (
		database   sql.NullString
		version    string
		autocommit int
	)
	row := db.QueryRowContext(ctx, "SELECT DATABASE(), VERSION(), @@SESSION.autocommit")
	if err := row.Scan(&database, &version, &autocommit); err != nil {
		return server{}, fmt.Errorf("ask for the server's version: %w", err)
	}
	if !database.Valid {
		return server{}, errors.New("the DSN names no database: append one, as in user@tcp(host:3306)/shop")
	}
	if autocommit == 0 {
		return server{}, errors.New("autocommit is off: claims would never be committed; remove autocommit from the DSN, or set it to true")
	}
	s := server{database: database.String, skipLocked: skipsLocked(version), isolation: "transaction_isolation"}
	var level string
	err := db.QueryRowContext(ctx, "SELECT @@SESSION."+s.isolation).Scan(&level)
	if number(err) == unknownVariable {
		s.isolation = "tx_isolation"
		err = db.QueryRowContext(ctx, "SELECT @@SESSION."+s.isolation).Scan(&level)
	}
	if err != nil {
		return server{}, fmt.Errorf("ask for the isolation level: %w", err)
	}
	block, err := db.PrepareContext(ctx, "BEGIN NOT ATOMIC DO ?; END")
	switch {
	case err == nil:
		s.blocks = true
		err = block.Close()
	case number(err) != 0: // the server's own objection
		err = nil
	}
	if err != nil {
		return server{}, fmt.Errorf("ask whether the server knows blocks: %w", err)
	}
	return s, nil
}

// skipsLocked reports whether a server of this version knows SKIP LOCKED: MySQL
// from 8.0 on, MariaDB from 10.6 on.
func skipsLocked(version string) bool {
	maria := strings.Contains(strings.ToLower(version), "mariadb")
	if maria {
		version = strings.TrimPrefix(version, "5.5.5-") // for clients that expect MySQL
	}
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return false
	}
	if maria {
		return major > 10 || major == 10 && minor >= 6
	}
	return major >= 8
}

// lockName is the name of the user lock of id. Such names have at most 64
// characters and are common to all databases of a server: what this store's
// tables are called is mixed in, so that deployments do not meet. That the last
// octet of id is left out makes no difference among hashes.
func (s *Store) lockName(id *idem.ID) string {
	name := sha256.Sum256([]byte(s.server.database + "\x00" + s.prefix))
	for i := range name {
		name[i] ^= id[i]
	}
	return hex.EncodeToString(name[:31])
}
