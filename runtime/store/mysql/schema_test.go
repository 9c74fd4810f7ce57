package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/idemgen/idemgen/runtime/store/mysql"
)

func TestNew_SaysWhatIsMissing(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		for name, test := range map[string]struct {
			prepare string // %[1]s is the table
			want    []string
		}{
			"table":       {"DROP TABLE %[1]s", []string{`keys" is missing in database`, "mysql.Migrate"}},
			"column":      {"ALTER TABLE %[1]s DROP COLUMN operation", []string{`column "operation" of table`, "is missing", "mysql.Migrate"}},
			"type":        {"ALTER TABLE %[1]s MODIFY fp BINARY(32)", []string{`column "fp" of table`, "is binary(32), want binary(33)"}},
			"precision":   {"ALTER TABLE %[1]s MODIFY lease_until DATETIME", []string{`column "lease_until" of table`, "is datetime, want datetime(6)"}},
			"primary key": {"ALTER TABLE %[1]s DROP PRIMARY KEY, ADD PRIMARY KEY (k, fp)", []string{"the primary key of table", `["k" "fp"], want "k" alone`}},
			"engine":      {"ALTER TABLE %[1]s ENGINE = MyISAM", []string{"has the engine MyISAM", "ENGINE = InnoDB"}},
		} {
			t.Run(name, func(t *testing.T) {
				f := newFixture(t, dsn)
				mustExec(t, f.db, fmt.Sprintf(test.prepare, f.prefix+"keys"))
				_, err := mysql.New(t.Context(), f.db, mysql.WithTablePrefix(f.prefix))
				refuses(t, err, test.want...)
			})
		}
	})
}

func refuses(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), "mysql: ") {
		t.Fatalf("error %v, want one that begins with mysql:", err)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %v\nwant: …%s…", err, part)
		}
	}
}

func TestNew_RefusesTheDSN(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		config, err := driver.ParseDSN(dsn)
		must(t, err)
		config.DBName = ""
		_, err = mysql.New(t.Context(), openDB(t, config.FormatDSN()))
		refuses(t, err, "the DSN names no database")
		refuses(t, mysql.Migrate(t.Context(), openDB(t, config.FormatDSN())), "the DSN names no database")
		_, err = mysql.New(t.Context(), openDB(t, with(dsn, "autocommit=0")))
		refuses(t, err, "autocommit is off")
	})
}

func TestNew_RefusesOptions(t *testing.T) {
	for name, opt := range map[string]mysql.Option{
		"a bad prefix": mysql.WithTablePrefix("x; DROP TABLE y"),
		"no prefix":    mysql.WithTablePrefix(""),
		"a digit":      mysql.WithTablePrefix("1x"),
		"a long one":   mysql.WithTablePrefix(strings.Repeat("x", 49)),
		"no time":      mysql.WithBusyTimeout(0),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mysql.New(t.Context(), nil, opt)
			refuses(t, err)
			refuses(t, mysql.Migrate(t.Context(), nil, opt))
		})
	}
}

func TestNew_LongPrefix(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		f := &fixture{dsn: dsn, prefix: "t" + strings.Repeat("x", 47), db: openDB(t, dsn)}
		t.Cleanup(func() { mustExec(t, f.db, fmt.Sprintf("DROP TABLE IF EXISTS %[1]skeys, %[1]sschema", f.prefix)) })
		must(t, mysql.Migrate(t.Context(), f.db, mysql.WithTablePrefix(f.prefix)))
		_, s := f.open(t)
		works(t, s, claim(1))
	})
}

func TestMigrate_AgainAndAtOnce(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		mustExec(t, f.db, fmt.Sprintf("DROP TABLE %[1]skeys, %[1]sschema", f.prefix))
		errs := make([]error, 8)
		var wait sync.WaitGroup
		for i := range errs {
			db := openDB(t, dsn)
			wait.Go(func() { errs[i] = mysql.Migrate(context.Background(), db, mysql.WithTablePrefix(f.prefix)) })
		}
		wait.Wait()
		must(t, errors.Join(errs...))
		_, s := f.open(t)
		works(t, s, claim(1))
		must(t, mysql.Migrate(t.Context(), f.db, mysql.WithTablePrefix(f.prefix)))
		if _, found, err := s.Lookup(t.Context(), claim(1).ID); !found || err != nil {
			t.Errorf("after another Migrate: found %v, error %v", found, err)
		}
	})
}

// Definitions commit one by one: Migrate goes on where it was interrupted.
func TestMigrate_AfterAnInterruption(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		for name, interrupted := range map[string]string{
			"before the version":  "DELETE FROM %[1]sschema",
			"after the first one": "DROP TABLE %[1]sschema",
		} {
			t.Run(name, func(t *testing.T) {
				f := newFixture(t, dsn)
				mustExec(t, f.db, fmt.Sprintf(interrupted, f.prefix))
				must(t, mysql.Migrate(t.Context(), f.db, mysql.WithTablePrefix(f.prefix)))
				var version int
				must(t, f.db.QueryRow("SELECT MAX(version) FROM "+f.prefix+"schema").Scan(&version))
				if version != 1 {
					t.Errorf("version %d, want 1", version)
				}
			})
		}
	})
}

// Records under two prefixes have nothing in common, user locks included.
func TestNew_TwoPrefixesInOneDatabase(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		_, a := newFixture(t, dsn).open(t)
		_, b := newFixture(t, dsn).open(t)
		tx := begin(t, a, claim(1))
		works(t, b, claim(1))
		must(t, tx.Complete(t.Context(), answer, true))
	})
}
