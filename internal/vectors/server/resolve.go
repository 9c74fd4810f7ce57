package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	idem "github.com/idemgen/idemgen/runtime"
)

// resolve does what an operator does: it finds the record of a request, sees it
// among the unknown ones, and says what became of it.
func (w *World) resolve(ctx context.Context, u *Unknown) error {
	w.mu.Lock()
	h := w.handler
	w.mu.Unlock()
	if h == nil {
		return errors.New("the package's handler is not one that an operator can ask")
	}
	scope := idem.Scope{Tenant: u.Tenant, Principal: u.Principal}
	id, err := h.KeyID(u.Operation, scope, u.Path, u.Key)
	if err != nil {
		return err
	}
	store := w.store.(idem.Resolver)
	entry, found, err := store.Get(ctx, id)
	if err != nil {
		return err
	}
	if !found || entry.Operation != u.Operation {
		return fmt.Errorf("no record of %s has this key", u.Operation)
	}
	const many = 100
	list, err := store.Unknown(ctx, idem.Cursor{}, many)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(e idem.Entry) bool { return e.ID == id }) {
		return errors.New("the record is not among those that are unknown")
	}
	var done *idem.Completion
	if a := u.Done; a != nil {
		header := http.Header{}
		for _, f := range a.Headers {
			value, err := Octets(f[1])
			if err != nil {
				return err
			}
			header.Add(f[0], value)
		}
		if done, err = h.Completion(ctx, u.Operation, id, a.Status, header, []byte(a.Body)); err != nil {
			return err
		}
	}
	return store.Resolve(ctx, id, entry.Fence, done)
}
