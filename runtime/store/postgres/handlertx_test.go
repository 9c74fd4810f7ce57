package postgres_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

func newPgx(t *testing.T) (*pgxpool.Pool, *postgres.Store) {
	t.Helper()
	db := newSchema(t)
	return db, forms["pgx"].open(t, db)
}

func TestHandlerTx_LargeObjectsRefused(t *testing.T) {
	_, s := newPgx(t)
	tx := begin(t, s, claim(1))
	defer func() {
		text, _ := recover().(string)
		if !strings.Contains(text, "LargeObjects") {
			t.Errorf("LargeObjects panics with %q, want what to do instead", text)
		}
		must(t, tx.Complete(t.Context(), answer, true))
	}()
	handler := tx.Tx().(pgx.Tx)
	var object uint32
	must(t, handler.QueryRow(t.Context(), "SELECT lo_create(0)").Scan(&object)) // as the text says
	handler.LargeObjects()
	t.Error("LargeObjects returned")
}

func TestHandlerTx_Savepoints(t *testing.T) {
	db, s := newPgx(t)
	ctx := t.Context()
	tx := begin(t, s, claim(1))
	handler := tx.Tx().(pgx.Tx)
	write := func(tx pgx.Tx, name string) { must(t, exec(tx, insert, name)) }

	kept, err := handler.Begin(ctx)
	must(t, err)
	write(kept, "kept")
	inner, err := kept.Begin(ctx)
	must(t, err)
	write(inner, "undone with inner")
	must(t, inner.Rollback(ctx))
	write(kept, "kept too")
	must(t, kept.Commit(ctx))
	failure := errors.New("no")
	err = pgx.BeginFunc(ctx, handler, func(nested pgx.Tx) error {
		write(nested, "undone by its function")
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("BeginFunc: error %v, want the function's", err)
	}
	for name, err := range map[string]error{
		"Commit":   kept.Commit(ctx),
		"Rollback": kept.Rollback(ctx),
		"Exec":     exec(kept, "SELECT 1"),
		"Begin":    second(kept.Begin(ctx)),
	} {
		if !errors.Is(err, pgx.ErrTxClosed) {
			t.Errorf("%s of a savepoint that has ended: error %v, want ErrTxClosed", name, err)
		}
	}
	must(t, tx.Complete(ctx, answer, true))
	if n := rows(t, db); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

func second[T any](_ T, err error) error { return err }

// A failing statement under a savepoint spoils nothing else.
func TestHandlerTx_FailureUnderSavepoint(t *testing.T) {
	db, s := newPgx(t)
	ctx := t.Context()
	tx := begin(t, s, claim(1))
	handler := tx.Tx().(pgx.Tx)
	must(t, exec(handler, insert, "kept"))
	nested, err := handler.Begin(ctx)
	must(t, err)
	if exec(nested, "SELECT 1/0") == nil {
		t.Fatal("no error")
	}
	must(t, nested.Rollback(ctx))
	must(t, tx.Complete(ctx, answer, true))
	if n := rows(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// A handler's goroutine must not get at what runs on the connection later.
func TestHandlerTx_AfterTheEnd(t *testing.T) {
	db, s := newPgx(t)
	ctx := t.Context()
	for name, end := range map[string]func(idem.StoreTx) error{
		"Complete": func(tx idem.StoreTx) error { return tx.Complete(ctx, answer, true) },
		"Rollback": func(tx idem.StoreTx) error { return tx.Rollback(ctx) },
	} {
		tx := begin(t, s, claim(name[0]))
		handler := tx.Tx().(pgx.Tx)
		nested, err := handler.Begin(ctx)
		must(t, err)
		must(t, end(tx))
		for _, late := range []pgx.Tx{handler, nested} {
			_, copied := late.CopyFrom(ctx, pgx.Identifier{"probe"}, []string{"name"}, pgx.CopyFromRows([][]any{{"late"}}))
			for method, err := range map[string]error{
				"Begin":     second(late.Begin(ctx)),
				"Commit":    late.Commit(ctx),
				"Rollback":  late.Rollback(ctx),
				"Exec":      exec(late, insert, "late"),
				"Query":     second(late.Query(ctx, "SELECT 1")),
				"QueryRow":  late.QueryRow(ctx, "SELECT 1").Scan(new(int)),
				"SendBatch": late.SendBatch(ctx, batchOf(insert, "late")).Close(),
				"Prepare":   second(late.Prepare(ctx, "late", "SELECT 1")),
				"CopyFrom":  copied,
			} {
				if !errors.Is(err, pgx.ErrTxClosed) {
					t.Errorf("%s after %s: error %v, want ErrTxClosed", method, name, err)
				}
			}
		}
	}
	if n := rows(t, db); n != 0 {
		t.Errorf("%d rows, want none", n)
	}
}

func batchOf(text string, args ...any) *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue(text, args...)
	return b
}

func TestHandlerTx_Methods(t *testing.T) {
	db, s := newPgx(t)
	ctx := t.Context()
	tx := begin(t, s, claim(1))
	handler := tx.Tx().(pgx.Tx)
	_, err := handler.CopyFrom(ctx, pgx.Identifier{"probe"}, []string{"name"}, pgx.CopyFromRows([][]any{{"a"}, {"b"}}))
	must(t, err)
	_, err = handler.Prepare(ctx, "count", "SELECT count(*) FROM probe")
	must(t, err)
	var n int
	must(t, handler.QueryRow(ctx, "count").Scan(&n))
	if n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	must(t, handler.SendBatch(ctx, batchOf(insert, "c")).Close())
	if err := handler.QueryRow(ctx, "SELECT 1 WHERE false").Scan(&n); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("Scan of no row: error %v, want ErrNoRows", err)
	}
	if err := handler.QueryRow(ctx, "SELECT 'x'").Scan(&n); err == nil {
		t.Error("Scan of a text into a number: no error")
	}
	if handler.Conn().PgConn().TxStatus() != 'T' {
		t.Error("Conn is not in the transaction")
	}
	must(t, tx.Complete(ctx, answer, true))
	if n := rows(t, db); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
}

func TestComplete_HandlerLeftRowsOpen(t *testing.T) {
	db, s := newPgx(t)
	mustExec(t, db, "INSERT INTO probe VALUES ('a'), ('b')")
	for name, leave := range map[string]func(tx pgx.Tx) error{
		"rows":  func(tx pgx.Tx) error { return second(tx.Query(t.Context(), "SELECT name FROM probe")) },
		"a row": func(tx pgx.Tx) error { tx.QueryRow(t.Context(), "SELECT name FROM probe"); return nil },
		"batch": func(tx pgx.Tx) error { tx.SendBatch(t.Context(), batchOf("SELECT 1")); return nil },
	} {
		for _, keep := range []bool{true, false} {
			tx := begin(t, s, claim(1))
			handler := tx.Tx().(pgx.Tx)
			must(t, exec(handler, insert, "c"))
			must(t, leave(handler))
			must(t, tx.Complete(t.Context(), answer, keep))
			want := 2
			if keep {
				want = 3
			}
			if n := rows(t, db); n != want {
				t.Errorf("%s: %d rows with keep %v, want %d", name, n, keep, want)
			}
			mustExec(t, db, "DELETE FROM probe WHERE name = 'c'")
			advance(t, db, 2*time.Hour)
		}
	}
}

// database/sql does not say which rows are open. They keep the connection busy,
// so that nothing can be committed.
func TestComplete_HandlerLeftRowsOpenSQL(t *testing.T) {
	db := newSchema(t)
	s := forms["sql"].open(t, db)
	mustExec(t, db, "INSERT INTO probe SELECT i::text FROM generate_series(1, 10000) AS i")
	tx := begin(t, s, claim(1))
	open, err := tx.Tx().(*sql.Tx).Query("SELECT name FROM probe") //nolint:sqlclosecheck // the mistake under test
	if err != nil || !open.Next() {
		t.Fatal(err, open.Err())
	}
	if err := tx.Complete(t.Context(), answer, true); !errors.Is(err, idem.ErrTxEnded) || !strings.Contains(err.Error(), "close them") {
		t.Errorf("Complete: error %v, want one that names the open rows", err)
	}
	isAbsent(t, s, claim(1))
	works(t, s, claim(1))
}
