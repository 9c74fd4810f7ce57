package generator_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/sqlite"

	conditions "github.com/idemgen/idemgen/generator/testdata/cases/conditions/want"
)

// conditionsService keeps one slot, one label, one note and the settings;
// version 0 is absent. What a database does in one statement, it does without
// interruption, because its tests send one request at a time.
type conditionsService struct {
	slot     conditions.SlotVersion
	label    conditions.LabelVersion
	note     conditions.NoteVersion
	changed  time.Time
	settings conditions.SettingsVersion

	dateless bool // CurrentNote forgets the date
	aborted  bool // CurrentLabel fails, as in a transaction after a failed statement
}

func found[V comparable](v V) etag.Current[V] {
	var none V
	if v == none {
		return etag.NotFound[V]()
	}
	return etag.Found(v)
}

func meets[V comparable](m etag.Match[V], now V) bool {
	var none V
	return now != none && (slices.Contains(m.Versions(), now) || m.Any())
}

func (s *conditionsService) CurrentSlot(context.Context, conditions.SlotKey) (etag.Current[conditions.SlotVersion], error) {
	return found(s.slot), nil
}

func (s *conditionsService) CurrentLabel(context.Context, conditions.LabelKey) (etag.Current[conditions.LabelVersion], error) {
	if s.aborted {
		return etag.NotFound[conditions.LabelVersion](), errors.New("current transaction is aborted")
	}
	return found(s.label), nil
}

func (s *conditionsService) CurrentNote(context.Context, conditions.NoteKey) (etag.Current[conditions.NoteVersion], error) {
	if s.dateless {
		return found(s.note), nil
	}
	return found(s.note).ModifiedAt(s.changed), nil
}

func (s *conditionsService) CurrentSettings(context.Context, conditions.SettingsKey) (etag.Current[conditions.SettingsVersion], error) {
	return found(s.settings), nil
}

func (s *conditionsService) GetSlot(context.Context, conditions.GetSlotRequestObject) (conditions.GetSlotResult, error) {
	if s.slot == 0 {
		return conditions.GetSlot404Response{}, nil
	}
	return conditions.GetSlot200(s.slot, conditions.Slot{Version: int64(s.slot)}), nil
}

func (s *conditionsService) PutSlot(ctx context.Context, req conditions.PutSlotRequestObject, expect etag.MatchOrAbsent[conditions.SlotVersion]) (conditions.PutSlotResult, error) {
	if tx, ok := idem.Tx[*sql.Tx](ctx); ok {
		if _, err := tx.ExecContext(ctx, "INSERT INTO written (slot) VALUES (?)", req.SlotId); err != nil {
			return nil, err
		}
	}
	return etag.SwitchUpsert(expect,
		func(m etag.Match[conditions.SlotVersion]) (conditions.PutSlotResult, error) {
			if req.SlotId == "forgetful" { // compares nothing
				return conditions.PutSlot200(m.Applied(s.slot+1), conditions.Slot{}), nil
			}
			if !meets(m, s.slot) {
				return nil, m.NoMatch()
			}
			s.slot++
			return conditions.PutSlot200(m.Applied(s.slot), conditions.Slot{Version: int64(s.slot)}), nil
		},
		func(a etag.Absent[conditions.SlotVersion]) (conditions.PutSlotResult, error) {
			if req.SlotId == "forged" {
				return conditions.PutSlot201(etag.Applied[conditions.SlotVersion]{}, conditions.Slot{}), nil
			}
			if s.slot != 0 || req.SlotId == "raced" {
				return nil, a.Exists()
			}
			s.slot = 1
			return conditions.PutSlot201(a.Applied(s.slot), conditions.Slot{Version: int64(s.slot)}), nil
		})
}

func (s *conditionsService) DropSlot(_ context.Context, _ conditions.DropSlotRequestObject, expect etag.MaybeMatch[conditions.SlotVersion]) (conditions.DropSlotResult, error) {
	return etag.Switch(expect,
		func(u etag.Unconditional[conditions.SlotVersion]) (conditions.DropSlotResult, error) {
			if s.slot == 0 {
				return nil, u.NotFound()
			}
			s.slot = 0
			return conditions.DropSlot204(u.Applied(0)), nil
		},
		func(m etag.Match[conditions.SlotVersion]) (conditions.DropSlotResult, error) {
			if !meets(m, s.slot) {
				return nil, m.NoMatch()
			}
			s.slot = 0
			return conditions.DropSlot204(m.Applied(0)), nil
		})
}

func (s *conditionsService) GetLabel(context.Context, conditions.GetLabelRequestObject) (conditions.GetLabelResult, error) {
	return conditions.GetLabel200(s.label, conditions.Label{Version: string(s.label)}), nil
}

func (s *conditionsService) CreateLabel(_ context.Context, req conditions.CreateLabelRequestObject, expect etag.Absent[conditions.LabelVersion]) (conditions.CreateLabelResult, error) {
	if s.label != "" {
		return nil, expect.Exists()
	}
	s.label = conditions.LabelVersion(req.Name)
	return conditions.CreateLabel201(expect.Applied(s.label), conditions.Label{Version: string(s.label)}), nil
}

func (s *conditionsService) ClaimLabel(_ context.Context, req conditions.ClaimLabelRequestObject, expect etag.Absent[conditions.LabelVersion]) (conditions.ClaimLabelResult, error) {
	if s.label != "" {
		return nil, expect.Exists()
	}
	s.label = conditions.LabelVersion(req.Name)
	return conditions.ClaimLabel201(expect.Applied(s.label), conditions.Label{Version: string(s.label)}), nil
}

func (s *conditionsService) AddNote(context.Context, conditions.AddNoteRequestObject) (conditions.AddNoteResult, error) {
	s.note, s.changed = 1, s.changed.Add(time.Hour)
	return conditions.AddNote201(s.note, conditions.Note{Version: int64(s.note), Changed: s.changed}), nil
}

func (s *conditionsService) GetNote(context.Context, conditions.GetNoteRequestObject) (conditions.GetNoteResult, error) {
	return conditions.GetNote200(s.note, s.changed, conditions.Note{Version: int64(s.note), Changed: s.changed}), nil
}

func (s *conditionsService) changeNote() conditions.Note {
	s.note++
	s.changed = s.changed.Add(time.Hour)
	return conditions.Note{Version: int64(s.note), Changed: s.changed}
}

func (s *conditionsService) PutNote(_ context.Context, _ conditions.PutNoteRequestObject, expect etag.MaybeMatchOrAbsent[conditions.NoteVersion]) (conditions.PutNoteResult, error) {
	return etag.SwitchMaybeUpsert(expect,
		func(u etag.Unconditional[conditions.NoteVersion]) (conditions.PutNoteResult, error) {
			created := s.note == 0
			note := s.changeNote()
			if created {
				return conditions.PutNote201(u.Applied(s.note), note), nil
			}
			return conditions.PutNote200(u.Applied(s.note), note), nil
		},
		func(m etag.Match[conditions.NoteVersion]) (conditions.PutNoteResult, error) {
			if !meets(m, s.note) {
				return nil, m.NoMatch()
			}
			note := s.changeNote()
			return conditions.PutNote200(m.Applied(s.note), note), nil
		},
		func(a etag.Absent[conditions.NoteVersion]) (conditions.PutNoteResult, error) {
			if s.note != 0 {
				return nil, a.Exists()
			}
			note := s.changeNote()
			return conditions.PutNote201(a.Applied(s.note), note), nil
		})
}

func (s *conditionsService) EditNote(_ context.Context, _ conditions.EditNoteRequestObject, expect etag.Unmodified[conditions.NoteVersion]) (conditions.EditNoteResult, error) {
	if s.note == 0 || !s.changed.Before(expect.Before()) {
		return nil, expect.NoMatch()
	}
	note := s.changeNote()
	return conditions.EditNote200(expect.Applied(s.note), note), nil
}

func (s *conditionsService) DropNote(_ context.Context, _ conditions.DropNoteRequestObject, expect etag.Match[conditions.NoteVersion]) (conditions.DropNoteResult, error) {
	if !meets(expect, s.note) {
		return nil, expect.NoMatch()
	}
	s.note = 0
	return conditions.DropNote204(expect.Applied(0)), nil
}

func (s *conditionsService) GetSettings(context.Context, conditions.GetSettingsRequestObject) (conditions.GetSettingsResult, error) {
	return conditions.GetSettings200(s.settings, conditions.Settings{Version: int64(s.settings)}), nil
}

func (s *conditionsService) PutSettings(_ context.Context, _ conditions.PutSettingsRequestObject, expect etag.Match[conditions.SettingsVersion]) (conditions.PutSettingsResult, error) {
	if !meets(expect, s.settings) {
		return nil, expect.NoMatch()
	}
	s.settings++
	return conditions.PutSettings204(expect.Applied(s.settings)), nil
}

// serveConditions returns the service too, whose state tests set and look at.
func serveConditions(t *testing.T) (*httptest.Server, *conditionsService) {
	t.Helper()
	service := &conditionsService{}
	return serve(t, func(o ...idem.Option) (http.Handler, error) { return conditions.NewHandler(service, o...) }), service
}

// refusal says why a precondition failed.
func (a answer) refusal(t *testing.T, field, reason string) {
	t.Helper()
	a.expect(t, 412, "precondition-failed")
	if !strings.Contains(a.body, `"field":"`+field+`","reason":"`+reason+`"`) {
		t.Errorf("want %s, %s: body %s", field, reason, a.body)
	}
}

func (a answer) tagged(t *testing.T, tag string) {
	t.Helper()
	if got := a.header.Get("ETag"); got != tag {
		t.Errorf("ETag %s, want %s", got, tag)
	}
}

func TestCase_Conditions_Upsert(t *testing.T) {
	s, service := serveConditions(t)
	const slot = "PUT /slots/a"
	if a := send(t, s, slot, `{}`).expect(t, 428, "precondition-required"); !strings.Contains(a.body, `"acceptedFields":["If-Match","If-None-Match"]`) {
		t.Errorf("body %s", a.body)
	}
	send(t, s, slot, `{}`, "If-None-Match", `"1"`).expect(t, 428, "precondition-required")
	send(t, s, slot, `{}`, "If-Match", `"1"`).refusal(t, "If-Match", "absent")
	send(t, s, slot, `{}`, "If-None-Match", "*").expect(t, 201, "").tagged(t, `"1"`)
	again := send(t, s, slot, `{}`, "If-None-Match", "*")
	again.refusal(t, "If-None-Match", "exists")
	if got, want := again.header.Get("Link"), `</slots/a>; rel="self"`; got != want {
		t.Errorf("Link %q, want %q", got, want)
	}
	send(t, s, slot, `{}`, "If-Match", `"1"`).expect(t, 200, "").tagged(t, `"2"`)
	send(t, s, slot, `{}`, "If-Match", `"1"`).refusal(t, "If-Match", "stale")
	// Both hold, and the argument can carry one: it holds what was seen.
	send(t, s, slot, `{}`, "If-Match", `"2"`, "If-None-Match", `"9"`).expect(t, 200, "").tagged(t, `"3"`)
	send(t, s, slot, `{}`, "If-Match", `"3"`, "If-None-Match", `"3"`).refusal(t, "If-None-Match", "matched")
	send(t, s, slot, `{}`, "If-Match", `"3"`, "If-None-Match", "*").refusal(t, "If-None-Match", "exists")
	if service.slot != 3 {
		t.Errorf("the refused writes have led to version %d", service.slot)
	}
}

// A write that did not look at its expectation, and a witness made by hand, are
// the server's fault and nobody's success.
func TestCase_Conditions_NoProof(t *testing.T) {
	s, service := serveConditions(t)
	send(t, s, "PUT /slots/forged", `{}`, "If-None-Match", "*").expect(t, 500, "internal-error")
	// The other creation was undone before it could be seen.
	send(t, s, "PUT /slots/raced", `{}`, "If-None-Match", "*").refusal(t, "If-None-Match", "exists")
	service.slot = 1
	send(t, s, "PUT /slots/forgetful", `{}`, "If-Match", `"1"`).expect(t, 500, "internal-error")
}

// database opens a store with transactions and a table for handlers.
func database(t *testing.T, table string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := store.DB().ExecContext(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	return store
}

// rows counts what handlers have written.
func rows(t *testing.T, store *sqlite.Store) (n int) {
	t.Helper()
	if err := store.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM written").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// In a transaction nothing stays of a write that is not proven, or that met
// nothing it expected.
func TestCase_Conditions_UndoneInTx(t *testing.T) {
	store := database(t, "CREATE TABLE written (slot TEXT)")
	service := &conditionsService{}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) {
		return conditions.NewHandler(service, append(o, idem.WithStore(store))...)
	})
	send(t, s, "PUT /slots/forged", `{}`, "If-None-Match", "*").expect(t, 500, "internal-error")
	send(t, s, "PUT /slots/raced", `{}`, "If-None-Match", "*").refusal(t, "If-None-Match", "exists")
	if n := rows(t, store); n != 0 {
		t.Errorf("%d rows after creations that did not succeed", n)
	}
	send(t, s, "PUT /slots/a", `{}`, "If-None-Match", "*").expect(t, 201, "")
	send(t, s, "PUT /slots/forgetful", `{}`, "If-Match", `"1"`).expect(t, 500, "internal-error")
	if n := rows(t, store); n != 1 {
		t.Errorf("%d rows, want that of the one success", n)
	}
}

func TestCase_Conditions_Unconditional(t *testing.T) {
	s, service := serveConditions(t)
	send(t, s, "DELETE /slots/a", "").expect(t, 404, "not-found")
	service.slot = 4
	send(t, s, "DELETE /slots/a", "", "If-Match", `"3"`).refusal(t, "If-Match", "stale")
	send(t, s, "DELETE /slots/a", "", "If-Match", `"4"`).expect(t, 204, "")
	service.slot = 4
	send(t, s, "DELETE /slots/a", "", "If-Match", "*").expect(t, 204, "")
	send(t, s, "DELETE /slots/a", "", "If-Match", "*").expect(t, 404, "not-found")
	service.slot = 4
	send(t, s, "DELETE /slots/a", "", "If-None-Match", `"4"`).refusal(t, "If-None-Match", "matched")
	send(t, s, "DELETE /slots/a", "", "If-None-Match", `"5"`).expect(t, 204, "")
	service.slot = 4
	send(t, s, "DELETE /slots/a", "").expect(t, 204, "")
}

func TestCase_Conditions_Create(t *testing.T) {
	s, _ := serveConditions(t)
	send(t, s, "PUT /labels/blue", "").expect(t, 428, "precondition-required")
	send(t, s, "PUT /labels/blue", "", "If-Match", `"blue"`).expect(t, 428, "precondition-required")
	send(t, s, "PUT /labels/blue", "", "If-None-Match", "*").expect(t, 201, "").tagged(t, `"blue"`)
	send(t, s, "PUT /labels/blue", "", "If-None-Match", "*").refusal(t, "If-None-Match", "exists")
	send(t, s, "GET /labels/blue", "").expect(t, 200, "").tagged(t, `"blue"`)
}

// A creation is one whether or not the client says so, and that something exists
// is known even where it cannot be looked at.
func TestCase_Conditions_CreateUnasked(t *testing.T) {
	s, service := serveConditions(t)
	send(t, s, "POST /labels/blue", "", "If-Match", `"blue"`).refusal(t, "If-Match", "absent")
	send(t, s, "POST /labels/blue", "").expect(t, 201, "").tagged(t, `"blue"`)
	send(t, s, "POST /labels/blue", "").refusal(t, "If-None-Match", "exists")
	send(t, s, "POST /labels/blue", "", "If-Match", `"blue"`).refusal(t, "If-None-Match", "exists")
	send(t, s, "POST /labels/blue", "", "If-Match", `"red"`).refusal(t, "If-Match", "stale")
	service.aborted = true
	send(t, s, "POST /labels/blue", "").refusal(t, "If-None-Match", "exists")
	send(t, s, "POST /labels/blue", "", "If-Match", `"blue"`).expect(t, 500, "internal-error")
}

// A collection has no version, so that nothing can be compared there.
func TestCase_Conditions_Collection(t *testing.T) {
	s, service := serveConditions(t)
	send(t, s, "POST /notes", "", "If-None-Match", "*").refusal(t, "If-None-Match", "unsupported")
	send(t, s, "POST /notes", "", "If-Match", `"1"`).refusal(t, "If-Match", "unsupported")
	if service.note != 0 {
		t.Error("a refused creation has created")
	}
	send(t, s, "POST /notes", "").expect(t, 201, "").tagged(t, `"1"`)
}

func TestCase_Conditions_Dates(t *testing.T) {
	s, service := serveConditions(t)
	service.note, service.changed = 1, time.Date(2026, 11, 24, 1, 55, 54, 900_000_000, time.UTC)
	const date, before, next = "Tue, 24 Nov 2026 01:55:54 GMT", "Tue, 24 Nov 2026 01:55:53 GMT", "Tue, 24 Nov 2026 02:55:54 GMT"
	read := send(t, s, "GET /notes/1", "").expect(t, 200, "")
	read.tagged(t, `"1"`)
	if got := read.header.Get("Last-Modified"); got != date {
		t.Errorf("Last-Modified %s, want %s", got, date)
	}
	same := send(t, s, "GET /notes/1", "", "If-Modified-Since", date).expect(t, 304, "")
	if same.header.Get("Last-Modified") != "" || same.header.Get("ETag") == "" {
		t.Errorf("304 with %v", same.header)
	}
	send(t, s, "GET /notes/1", "", "If-Modified-Since", before).expect(t, 200, "")
	send(t, s, "GET /notes/1", "", "If-Unmodified-Since", before).refusal(t, "If-Unmodified-Since", "stale")
	send(t, s, "GET /notes/1", "", "If-Modified-Since", date, "If-None-Match", `"0"`).expect(t, 200, "")

	send(t, s, "PATCH /notes/1", "").expect(t, 428, "precondition-required")
	send(t, s, "PATCH /notes/1", "", "If-Match", `"1"`).expect(t, 428, "precondition-required")
	send(t, s, "PATCH /notes/1", "", "If-Unmodified-Since", "yesterday").expect(t, 428, "precondition-required")
	send(t, s, "PATCH /notes/1", "", "If-Unmodified-Since", before).refusal(t, "If-Unmodified-Since", "stale")
	send(t, s, "PATCH /notes/1", "", "If-Unmodified-Since", date).expect(t, 200, "").tagged(t, `"2"`)
	send(t, s, "PATCH /notes/1", "", "If-Unmodified-Since", date).refusal(t, "If-Unmodified-Since", "stale")
	send(t, s, "PATCH /notes/1", "", "If-Unmodified-Since", next, "If-None-Match", `"9"`).expect(t, 200, "").tagged(t, `"3"`)

	// Where the argument is a version, the date is compared on the current state.
	send(t, s, "DELETE /notes/1", "", "If-Unmodified-Since", next).refusal(t, "If-Unmodified-Since", "stale")
	send(t, s, "DELETE /notes/1", "", "If-Match", `"3"`, "If-Unmodified-Since", before).expect(t, 204, "")
	service.note, service.changed = 1, service.changed.Add(-time.Hour)
	send(t, s, "DELETE /notes/1", "", "If-Unmodified-Since", next).expect(t, 204, "")

	service.note, service.dateless = 1, true
	send(t, s, "PATCH /notes/1", "", "If-Unmodified-Since", date).expect(t, 500, "internal-error")
}

func TestCase_Conditions_UnconditionalUpsert(t *testing.T) {
	s, _ := serveConditions(t)
	send(t, s, "PUT /notes/1", "", "If-Match", `"1"`).refusal(t, "If-Match", "absent")
	send(t, s, "PUT /notes/1", "").expect(t, 201, "").tagged(t, `"1"`)
	send(t, s, "PUT /notes/1", "").expect(t, 200, "").tagged(t, `"2"`)
	send(t, s, "PUT /notes/1", "", "If-None-Match", "*").refusal(t, "If-None-Match", "exists")
	send(t, s, "PUT /notes/1", "", "If-Match", `"2"`).expect(t, 200, "").tagged(t, `"3"`)
	send(t, s, "PUT /notes/1", "", "If-Match", `"2"`).refusal(t, "If-Match", "stale")
	send(t, s, "DELETE /notes/1", "", "If-Match", `"3"`).expect(t, 204, "")
	send(t, s, "PUT /notes/1", "", "If-None-Match", `"3"`).expect(t, 201, "").tagged(t, `"1"`)
}

// What there is only one of has a key without members.
func TestCase_Conditions_Singleton(t *testing.T) {
	s, service := serveConditions(t)
	service.settings = 1
	send(t, s, "PUT /settings", "", "If-Match", `"0"`).refusal(t, "If-Match", "stale")
	send(t, s, "PUT /settings", "", "If-Match", `"1"`).expect(t, 204, "").tagged(t, `"2"`)
}
