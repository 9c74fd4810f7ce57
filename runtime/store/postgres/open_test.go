package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

func TestMigrate_AgainAndAtOnce(t *testing.T) {
	db := emptySchema(t)
	sdb := openSQL(t, db)
	errs := make([]error, 6)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() {
			if i%2 == 0 {
				errs[i] = postgres.Migrate(context.Background(), db)
			} else {
				errs[i] = postgres.MigrateSQL(context.Background(), sdb)
			}
		})
	}
	wait.Wait()
	must(t, errors.Join(errs...))
	s := forms["pgx"].open(t, db)
	works(t, s, claim(1))
	must(t, postgres.Migrate(t.Context(), db))
	isDone(t, s, claim(1))
}

func TestMigrate_UndoneWhenItFails(t *testing.T) {
	db := emptySchema(t)
	mustExec(t, db, "CREATE TABLE idem_keys (k text)")
	if err := postgres.Migrate(t.Context(), db); err == nil || !strings.Contains(err.Error(), "00001_idem_keys.sql") {
		t.Errorf("Migrate over another table: error %v, want one that names the file", err)
	}
	mustExec(t, db, "DROP TABLE idem_keys")
	must(t, postgres.Migrate(t.Context(), db))
	works(t, forms["pgx"].open(t, db), claim(1))
}

// The path does not lead to these tables: only the options do.
func TestNew_SchemaAndPrefix(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		var here string
		must(t, db.QueryRow(t.Context(), "SELECT current_schema()").Scan(&here))
		named := here + ` "quoted"; x`
		t.Cleanup(func() {
			config := db.Config().ConnConfig
			conn, err := pgx.ConnectConfig(context.Background(), config)
			must(t, err)
			_, err = conn.Exec(context.Background(), "DROP SCHEMA IF EXISTS "+pgx.Identifier{named}.Sanitize()+" CASCADE")
			must(t, err)
			must(t, conn.Close(context.Background()))
		})
		all := [][]postgres.Option{
			nil,
			{postgres.WithTablePrefix("shop_")},
			{postgres.WithSchema(named)},
			{postgres.WithSchema(named), postgres.WithTablePrefix("shop_")},
			{postgres.WithLockSeed(-1)},
		}
		var open []idem.StoreTx
		for i, opts := range all[:4] {
			must(t, postgres.Migrate(t.Context(), db, opts...))
			must(t, postgres.Migrate(t.Context(), db, opts...))
			s := f.open(t, db, opts...)
			tx := begin(t, s, claim(1)) // while the others have their locks of it
			open = append(open, tx)
			must(t, f.write(tx.Tx(), fmt.Sprint(i)))
		}
		for _, tx := range open {
			must(t, tx.Complete(t.Context(), answer, true))
		}
		for _, opts := range all {
			isDone(t, f.open(t, db, opts...), claim(1))
		}
	})
}

func TestNew_SaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		prepare string
		want    []string
	}{
		"no table":       {"DROP TABLE idem_keys", []string{"table idem_keys is missing", "postgres.Migrate"}},
		"no column":      {"ALTER TABLE idem_keys DROP COLUMN operation", []string{`column "operation" of table idem_keys is missing`, "postgres.Migrate"}},
		"another type":   {"ALTER TABLE idem_keys ALTER flags TYPE bigint", []string{`column "flags" of table idem_keys is bigint, not integer`, "WithTablePrefix"}},
		"no key":         {"ALTER TABLE idem_keys DROP CONSTRAINT idem_keys_pkey", []string{"ALTER TABLE idem_keys ADD PRIMARY KEY (k)"}},
		"another key":    {"ALTER TABLE idem_keys DROP CONSTRAINT idem_keys_pkey, ADD PRIMARY KEY (k, fp)", []string{"ALTER TABLE idem_keys ADD PRIMARY KEY (k)"}},
		"no sequence":    {"DROP SEQUENCE idem_fence", []string{"sequence ", "idem_fence is missing", "postgres.Migrate"}},
		"cache of fence": {"ALTER SEQUENCE idem_fence CACHE 20", []string{"caches 20 numbers", "CACHE 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			db := newSchema(t)
			mustExec(t, db, test.prepare)
			_, err := postgres.New(t.Context(), db)
			if err == nil {
				t.Fatal("New: no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("New: %v\nwant: …%s…", err, want)
				}
			}
		})
	}
}

func TestNew_AnotherUniqueIndexWillDo(t *testing.T) {
	db := newSchema(t)
	mustExec(t, db, "ALTER TABLE idem_keys DROP CONSTRAINT idem_keys_pkey, ADD PRIMARY KEY (fp, k)")
	mustExec(t, db, "CREATE UNIQUE INDEX ON idem_keys (k)")
	works(t, forms["pgx"].open(t, db), claim(1))
}

func TestNew_Refuses(t *testing.T) {
	for name, opt := range map[string]postgres.Option{
		"a bad prefix":      postgres.WithTablePrefix("x; DROP TABLE y"),
		"capitals":          postgres.WithTablePrefix("Idem_"),
		"no prefix":         postgres.WithTablePrefix(""),
		"a digit":           postgres.WithTablePrefix("1x"),
		"a long prefix":     postgres.WithTablePrefix(strings.Repeat("x", 60)),
		"a bad schema":      postgres.WithSchema("a\x00b"),
		"no time to wait":   postgres.WithAcquireTimeout(0),
		"a negative budget": postgres.WithAcquireTimeout(-time.Second),
	} {
		_, err := postgres.New(t.Context(), nil, opt)
		for _, err := range []error{err, postgres.Migrate(t.Context(), nil, opt)} {
			if err == nil || !strings.HasPrefix(err.Error(), "postgres: ") {
				t.Errorf("%s: error %v, want one that begins with postgres:", name, err)
			}
		}
	}
}

func TestNew_NoServer(t *testing.T) {
	config, err := pgxpool.ParseConfig("postgres://postgres@127.0.0.1:1/test?sslmode=disable")
	must(t, err)
	db, err := pgxpool.NewWithConfig(t.Context(), config)
	must(t, err)
	defer db.Close()
	for name, err := range map[string]error{
		"New":     second(postgres.New(t.Context(), db)),
		"NewSQL":  second(postgres.NewSQL(t.Context(), stdlib.OpenDB(*config.ConnConfig))),
		"Migrate": postgres.Migrate(t.Context(), db),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "postgres: ") {
			t.Errorf("%s: error %v, want one that begins with postgres:", name, err)
		}
	}
}

// Pools behind a proxy are told not to leave anything prepared.
func TestStore_QueryExecModes(t *testing.T) {
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			config := newSchema(t).Config()
			config.ConnConfig.DefaultQueryExecMode = mode
			config.MaxConns = 1
			db, err := pgxpool.NewWithConfig(t.Context(), config)
			must(t, err)
			defer db.Close()
			must(t, postgres.Migrate(t.Context(), db))
			s := forms["pgx"].open(t, db)
			for n := range byte(3) {
				tx := begin(t, s, claim(n))
				must(t, exec(tx.Tx(), insert, "a"))
				must(t, tx.Complete(t.Context(), answer, n != 1))
			}
			if n := rows(t, db); n != 2 {
				t.Errorf("%d rows, want 2", n)
			}
			got, err := s.Claim(t.Context(), *claim(9))
			must(t, err)
			must(t, s.Heartbeat(t.Context(), claim(9).ID, got.Fence, time.Minute))
			must(t, s.Complete(t.Context(), claim(9).ID, got.Fence, answer.Response, answer.TTL))
			isDone(t, s, claim(9))
			var stay int
			must(t, db.QueryRow(t.Context(), "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'idem_%'").Scan(&stay))
			if named := mode == pgx.QueryExecModeCacheStatement; named != (stay > 0) {
				t.Errorf("%d statements stay prepared", stay)
			}
		})
	}
}

// A replay must not write: it would wait for the disk.
func TestClaim_ReplayWritesNothing(t *testing.T) {
	db := newSchema(t)
	works(t, forms["pgx"].open(t, db), claim(1))
	const version = "SELECT xmin::text || '/' || xmax::text FROM idem_keys"
	var before, after string
	must(t, db.QueryRow(t.Context(), version).Scan(&before))
	s := forms["pgx"].open(t, db) // it has not seen the answer yet
	for range 2 {
		if got, err := s.Claim(t.Context(), *claim(1)); err != nil || got.State != idem.ClaimDone {
			t.Errorf("Claim: state %d, error %v", got.State, err)
		}
	}
	must(t, db.QueryRow(t.Context(), version).Scan(&after))
	if before != after {
		t.Errorf("row version %s became %s", before, after)
	}
}

func TestSweep_ManyBatches(t *testing.T) {
	db := newSchema(t)
	s := forms["pgx"].open(t, db)
	mustExec(t, db, `INSERT INTO idem_keys (k, fp, state, fence, expires_at)
		SELECT decode(lpad(to_hex(i), 64, '0'), 'hex'), '', 2, 1, '2000-01-01' FROM generate_series(1, 2300) AS i`)
	works(t, s, claim(1))
	locked, err := db.Begin(t.Context())
	must(t, err)
	_, err = locked.Exec(t.Context(), "SELECT FROM idem_keys WHERE fp = '' LIMIT 100 FOR UPDATE")
	must(t, err)
	for _, want := range []int{2000, 200, 0} {
		if n, err := s.Sweep(t.Context(), 2000); err != nil || n != want {
			t.Errorf("Sweep beside somebody's locks removed %d with error %v, want %d", n, err, want)
		}
	}
	must(t, locked.Rollback(t.Context()))
	if n, err := s.Sweep(t.Context(), 2000); err != nil || n != 100 {
		t.Errorf("Sweep removed %d with error %v, want the rest", n, err)
	}
	isDone(t, s, claim(1))
}
