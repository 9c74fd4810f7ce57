package mysql_test

import (
	"context"
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

// One row has each type of version, and a condition on it must find it.
func TestConditions(t *testing.T) {
	at := time.Date(2026, 11, 24, 1, 55, 54, 123_456_000, time.FixedZone("", 3600))
	v := uuid{0x6b, 0xa7, 0xb8, 0x10, 15: 0xc8}
	onServers(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		ctx, table := context.Background(), f.prefix+"versions"
		mustExec(t, f.db, "CREATE TABLE "+table+" (id INT PRIMARY KEY, n BIGINT, l VARCHAR(20), u CHAR(36), m DATETIME(6))")
		t.Cleanup(func() { mustExec(t, f.db, "DROP TABLE "+table) })
		mustExec(t, f.db, "INSERT INTO "+table+" VALUES (1, 7, 'a,b', '6ba7b810-0000-0000-0000-0000000000c8', '2026-11-24 00:55:54.123456')")
		for name, c := range map[string]struct {
			want  int
			where func() (string, []any)
		}{
			"n": {1, func() (string, []any) {
				return expect.NewMatch(new(expect.Used), false, []number{7, 8}, etag.Int64[number]()).Where(etag.MySQL, "n", 2)
			}},
			"l": {1, func() (string, []any) {
				return expect.NewMatch(new(expect.Used), false, []label{"a,b", "c"}, etag.String[label]()).Where(etag.MySQL, "l", 2)
			}},
			"u": {1, func() (string, []any) {
				return expect.NewMatch(new(expect.Used), false, []uuid{{}, v}, etag.UUID[uuid]()).Where(etag.MySQL, "u", 2)
			}},
			"m": {1, func() (string, []any) {
				return expect.NewMatch(new(expect.Used), false, []moment{moment(at)}, moments).Where(etag.MySQL, "m", 2)
			}},
			"m by date": {1, func() (string, []any) {
				return expect.NewUnmodified(new(expect.Used), at.Truncate(time.Second), moments).Where(etag.MySQL, "m", 2)
			}},
			"m by an older date": {0, func() (string, []any) {
				return expect.NewUnmodified(new(expect.Used), at.Truncate(time.Second).Add(-time.Second), moments).Where(etag.MySQL, "m", 2)
			}},
		} {
			condition, args := c.where()
			var n int
			err := f.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table+" WHERE id = ? AND "+condition, append([]any{1}, args...)...).Scan(&n)
			if err != nil || n != c.want {
				t.Errorf("%s: %d rows, want %d, error %v", name, n, c.want, err)
			}
		}
		if _, err := f.db.ExecContext(ctx, "INSERT INTO "+table+" (id) VALUES (1)"); !etag.IsDuplicate(err) {
			t.Errorf("%v is no duplicate", err)
		}
		if _, err := f.db.ExecContext(ctx, "INSERT INTO "+table+" (id) VALUES (NULL)"); err == nil || etag.IsDuplicate(err) {
			t.Errorf("%v is a duplicate", err)
		}
	})
}
