package vectors

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	goredis "github.com/redis/go-redis/v9"

	"github.com/idemgen/idemgen/internal/vectors/server"
)

// Site is where the worlds of a setup keep what outlives a process: each in a
// [place] of its own, in a directory or in a server. It is safe for concurrent
// use.
type Site struct {
	Setup
	directory string
	address   string // of the server
	prefix    string // of the names of places in the server
	db        *sql.DB
	redis     *goredis.Client
	room      chan struct{} // an element for each world that is open
}

// crowd is how many worlds may be open at once. Each has a few connections to
// the server, which other tests use too.
const crowd = 4

// Open opens a site in a directory, or in the server at an address. Close it.
func (s Setup) Open(directory, address string) (*Site, error) {
	site := &Site{
		Setup: s, directory: directory, address: address,
		prefix: "vectors_" + strings.ToLower(rand.Text()[:12]) + "_",
		room:   make(chan struct{}, crowd),
	}
	var err error
	switch s.Store {
	case server.Postgres, server.PostgresSQL:
		site.db, err = connectPostgres(site.address)
	case server.MySQL:
		site.db, err = connectMySQL(site.address)
	case server.Redis:
		site.redis, err = connectRedis(site.address)
	}
	if err != nil {
		return nil, err
	}
	if site.db != nil {
		site.db.SetMaxOpenConns(crowd)
		site.db.SetMaxIdleConns(crowd)
	}
	return site, nil
}

func connectPostgres(address string) (*sql.DB, error) {
	config, err := pgxpool.ParseConfig(address) // as the servers do
	if err != nil {
		return nil, err
	}
	parameters := config.ConnConfig.RuntimeParams
	parameters["client_min_messages"] = "warning"
	parameters["lock_timeout"] = "60s" // not for ever
	parameters["synchronous_commit"] = "off"
	return stdlib.OpenDB(*config.ConnConfig), nil
}

func connectMySQL(address string) (*sql.DB, error) {
	config, err := driver.ParseDSN(address)
	if err != nil {
		return nil, err
	}
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	config.Params["lock_wait_timeout"] = "60" // seconds, not for ever
	connector, err := driver.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func connectRedis(address string) (*goredis.Client, error) {
	config, err := goredis.ParseURL(address)
	if err != nil {
		return nil, err
	}
	return goredis.NewClient(config), nil
}

// Close ends the site's connections. It fails when a world has left something in
// the server.
func (s *Site) Close() error {
	names, err := s.names(context.Background())
	errs := []error{err}
	if len(names) > 0 {
		errs = append(errs, fmt.Errorf("%s: these were left in the server: %q", s, names))
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.redis != nil {
		errs = append(errs, s.redis.Close())
	}
	return errors.Join(errs...)
}

// names returns what places there are in the server.
func (s *Site) names(ctx context.Context) (names []string, err error) {
	var query string
	switch s.Store {
	case server.Postgres, server.PostgresSQL:
		query = "SELECT nspname FROM pg_namespace"
	case server.MySQL:
		query = "SELECT schema_name FROM information_schema.schemata"
	case server.Redis:
		err = keys{client: s.redis, prefix: s.prefix}.each(ctx, func(key string) error {
			names = append(names, key)
			return nil
		})
		return names, err
	default:
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if strings.HasPrefix(name, s.prefix) {
			names = append(names, name)
		}
	}
	return names, rows.Err()
}

// place returns the place of a world.
func (s *Site) place(world string) place {
	switch s.Store {
	case server.SQLite:
		return file{path: filepath.Join(s.directory, world+".db")}
	case server.Postgres, server.PostgresSQL:
		return schema{s.db, s.prefix + world}
	case server.MySQL:
		return database{s.db, s.prefix + world}
	case server.Redis:
		return keys{client: s.redis, prefix: s.prefix + world + ":"}
	}
	return nowhere{}
}
