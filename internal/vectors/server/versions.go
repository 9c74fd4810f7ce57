package server

import (
	"context"
	"net/http"
	"strconv"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

// row is a resource.
type row struct {
	version   string
	lastWrite []byte // marker of the last write
	body      []byte // of the last PUT
}

// Current returns the version of the resource that the request is about: in tx
// mode from the database that holds it, else from the ledger.
func Current[V ~string](ctx context.Context, w *World) (etag.Current[V], error) {
	r, exists, err := w.row(ctx)
	if err != nil || !exists {
		return etag.NotFound[V](), err
	}
	return etag.Found(V(r.version)).LastWrite(r.lastWrite).Stored(r.body), nil
}

func (w *World) row(ctx context.Context) (r row, exists bool, err error) {
	c, err := w.call(ctx)
	if err != nil {
		return r, false, err
	}
	if w.inTx {
		return w.tables.load(ctx, c.Path)
	}
	a, err := w.ledger.tell("read", c)
	if err != nil {
		return r, false, err
	}
	return row{strconv.FormatInt(a.Version, 10), a.LastWrite, a.Stored}, a.Exists, nil
}

// Read is the body of a versioned read. Within the run of a write it shows that
// write's answer what is there, and is no run of its own.
func Read[V ~string](ctx context.Context, w *World) (a *Answer, version V, err error) {
	if _, within := idem.FromContext(ctx); within {
		a = &Answer{Status: http.StatusOK, Headers: [][2]string{{"Content-Type", "application/json"}}, Body: `{"version":"{v}"}`}
	} else if a, err = w.start(ctx); err != nil {
		return nil, "", err
	}
	r, exists, err := w.row(ctx)
	if err != nil {
		return nil, "", err
	}
	if !exists {
		a.Status, a.Body, a.Headers = 404, "{}", [][2]string{{"Content-Type", "application/json"}}
		return a, "", nil
	}
	a.at(r.version)
	a, err = a.finish(ctx)
	return a, V(r.version), err
}

// Written is the answer of a write, with its proof.
type Written[V any] struct {
	*Answer
	Applied etag.Applied[V]
}

// expected is what a write expects, in whatever form it came.
type expected struct {
	where    func(d etag.Dialect, column string, first int) (condition string, args []any)
	versions []string
	any      bool // any version
	absent   bool
}

// Write is the body of a write that expects versions.
func Write[V ~string](ctx context.Context, w *World, m etag.Match[V]) (Written[V], error) {
	e := &expected{where: m.Where, any: m.Any()}
	for _, v := range m.Versions() {
		e.versions = append(e.versions, string(v))
	}
	return write(ctx, w, e, m.Applied, m.NoMatch)
}

// Create is the body of a write that expects nothing to be there.
func Create[V ~string](ctx context.Context, w *World, a etag.Absent[V]) (Written[V], error) {
	return write(ctx, w, &expected{absent: true}, a.Applied, a.Exists)
}

// overwrite is the body of a write of something that exists, without a
// condition.
func overwrite[V ~string](ctx context.Context, w *World, u etag.Unconditional[V]) (Written[V], error) {
	anything := func(etag.Dialect, string, int) (string, []any) { return "1 = 1", nil }
	return write(ctx, w, &expected{where: anything, any: true}, u.Applied, u.NotFound)
}

// Upsert is the body of a write that expects one or the other.
func Upsert[V ~string](ctx context.Context, w *World, e etag.MatchOrAbsent[V]) (Written[V], error) {
	return etag.SwitchUpsert(e,
		func(m etag.Match[V]) (Written[V], error) { return Write(ctx, w, m) },
		func(a etag.Absent[V]) (Written[V], error) { return Create(ctx, w, a) })
}

// MaybeWrite is the body of a write that may expect nothing at all.
func MaybeWrite[V ~string](ctx context.Context, w *World, e etag.MaybeMatch[V]) (Written[V], error) {
	return etag.Switch(e,
		func(u etag.Unconditional[V]) (Written[V], error) { return overwrite(ctx, w, u) },
		func(m etag.Match[V]) (Written[V], error) { return Write(ctx, w, m) })
}

// MaybeUpsert is the body of a write that may expect everything.
func MaybeUpsert[V ~string](ctx context.Context, w *World, e etag.MaybeMatchOrAbsent[V]) (Written[V], error) {
	return etag.SwitchMaybeUpsert(e,
		func(u etag.Unconditional[V]) (Written[V], error) {
			_, exists, err := w.row(ctx)
			if err != nil {
				return Written[V]{}, err
			}
			if exists {
				return overwrite(ctx, w, u)
			}
			return write(ctx, w, &expected{absent: true}, u.Applied, u.NotFound)
		},
		func(m etag.Match[V]) (Written[V], error) { return Write(ctx, w, m) },
		func(a etag.Absent[V]) (Written[V], error) { return Create(ctx, w, a) })
}

// write changes the resource where the expectation holds, in one statement, and
// writes its row.
func write[V ~string](ctx context.Context, w *World, e *expected, applied func(V) etag.Applied[V], refused func() error) (Written[V], error) {
	a, err := w.start(ctx)
	if err != nil {
		return Written[V]{}, err
	}
	var proof etag.Applied[V]
	if a.Status < 400 || a.Effect {
		version, held, err := w.change(ctx, e)
		if err != nil {
			return Written[V]{}, err
		}
		if !held {
			return Written[V]{}, refused()
		}
		a.at(version)
		proof = applied(V(version))
		if e.absent && a.Status == http.StatusOK {
			a.Status = http.StatusCreated
		}
	}
	if a.Effect {
		if err := w.effect(ctx, a); err != nil {
			return Written[V]{}, err
		}
	}
	a, err = a.finish(ctx)
	return Written[V]{a, proof}, err
}

func (w *World) change(ctx context.Context, e *expected) (version string, held bool, err error) {
	c, err := w.call(ctx)
	if err != nil {
		return "", false, err
	}
	one := callOf(ctx)
	to := row{lastWrite: idem.LastWrite(ctx), body: one.body}
	remove := one.method == http.MethodDelete
	if w.inTx {
		return w.tables.save(ctx, c.Path, e, to, remove)
	}
	c.Versions, c.Any, c.Absent, c.Delete = e.versions, e.any, e.absent, remove
	c.LastWrite, c.Stored = to.lastWrite, to.body
	a, err := w.ledger.tell("write", c)
	if err != nil || !a.Applied {
		return "", false, err
	}
	return strconv.FormatInt(a.Version, 10), true, nil
}
