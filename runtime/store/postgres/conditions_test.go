package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/internal/expect"
)

type (
	number int64
	label  string
	uuid   [16]byte
	moment time.Time
)

var moments = etag.Timestamp(func(v time.Time) moment { return moment(v) }, func(v moment) time.Time { return time.Time(v) })

// One row has each type of version, and a condition on it must find it through
// either driver.
func TestConditions(t *testing.T) {
	at := time.Date(2026, 11, 24, 1, 55, 54, 123_456_000, time.FixedZone("", 3600))
	v := uuid{0x6b, 0xa7, 0xb8, 0x10, 15: 0xc8}
	conditions := map[string]func(first int) (string, []any){
		"n": func(first int) (string, []any) {
			return expect.NewMatch(new(expect.Used), false, []number{7, 8}, etag.Int64[number]()).Where(etag.Postgres, "n", first)
		},
		"l": func(first int) (string, []any) {
			return expect.NewMatch(new(expect.Used), false, []label{"a,b", "c"}, etag.String[label]()).Where(etag.Postgres, "l", first)
		},
		"u": func(first int) (string, []any) {
			return expect.NewMatch(new(expect.Used), false, []uuid{{}, v}, etag.UUID[uuid]()).Where(etag.Postgres, "u", first)
		},
		"m": func(first int) (string, []any) {
			return expect.NewMatch(new(expect.Used), false, []moment{moment(at.Add(time.Microsecond)), moment(at)}, moments).Where(etag.Postgres, "m", first)
		},
		"m by date": func(first int) (string, []any) {
			return expect.NewUnmodified(new(expect.Used), at.Truncate(time.Second), moments).Where(etag.Postgres, "m", first)
		},
		"m by an older date": func(first int) (string, []any) {
			return expect.NewUnmodified(new(expect.Used), at.Truncate(time.Second).Add(-time.Second), moments).Where(etag.Postgres, "m", first)
		},
		"none": func(first int) (string, []any) {
			return expect.NewMatch(new(expect.Used), false, nil, etag.Int64[number]()).Where(etag.Postgres, "n", first)
		},
		"any": func(first int) (string, []any) {
			return expect.NewMatch(new(expect.Used), true, nil, etag.Int64[number]()).Where(etag.Postgres, "n", first)
		},
	}
	db := newSchema(t)
	ctx := context.Background()
	mustExec(t, db, "CREATE TABLE versions (id int PRIMARY KEY, n int8, l text, u uuid, m timestamptz)")
	mustExec(t, db, "INSERT INTO versions VALUES (1, 7, 'a,b', '6ba7b810-0000-0000-0000-0000000000c8', '2026-11-24T00:55:54.123456Z')")
	sql := openSQL(t, db)
	for name, where := range conditions {
		condition, args := where(2)
		query := "SELECT count(*) FROM versions WHERE id = $1 AND " + condition
		args = append([]any{1}, args...)
		want := 1
		if name == "none" || strings.Contains(name, "older") {
			want = 0
		}
		for driver, scan := range map[string]func(*int) error{
			"pgx": func(n *int) error { return db.QueryRow(ctx, query, args...).Scan(n) },
			"sql": func(n *int) error { return sql.QueryRowContext(ctx, query, args...).Scan(n) },
		} {
			var n int
			if err := scan(&n); err != nil || n != want {
				t.Errorf("%s through %s: %d rows, want %d, error %v", name, driver, n, want, err)
			}
		}
	}
	const insert = "INSERT INTO versions (id) VALUES (1)"
	if _, err := db.Exec(ctx, insert); !etag.IsDuplicate(err) {
		t.Errorf("pgx: %v is no duplicate", err)
	}
	if _, err := sql.ExecContext(ctx, insert); !etag.IsDuplicate(err) {
		t.Errorf("sql: %v is no duplicate", err)
	}
	if _, err := db.Exec(ctx, "INSERT INTO versions (id) VALUES (NULL)"); err == nil || etag.IsDuplicate(err) {
		t.Errorf("%v is a duplicate", err)
	}
}
