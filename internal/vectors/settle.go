package vectors

import (
	"errors"
	"slices"
	"strings"
)

// inTx reports whether rows and resources may be beside the records.
func (p *play) inTx() bool { return p.site.Mode == "tx" }

// resources are the paths of the versioned resources that the steps are about.
func (p *play) resources() []string {
	homes := map[string]bool{}
	for _, op := range p.c.File.Fixture {
		homes[op.Path] = homes[op.Path] || op.ETag != nil
	}
	var all []string
	for i := range p.v.Steps {
		for _, s := range p.v.Steps[i].requests() {
			path, _, _ := strings.Cut(s.Path, "?")
			if op := find(p.c.File.Fixture, s.Method, s.Path); op != nil && homes[op.Path] && !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
	}
	return all
}

// set gives every resource a state, as another writer would.
func (p *play) set(state Resource) error {
	paths := p.resources()
	if !p.inTx() {
		for _, path := range paths {
			p.account.set(path, state)
		}
		return nil
	}
	if paths == nil {
		return nil
	}
	return p.place.query(func(t tables) error {
		for _, path := range paths {
			if err := t.set(path, state); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle compares what has been counted with what the vector expects.
func (p *play) settle() error {
	if len(p.pending) > 0 {
		return errors.New("a request still waits at a gate that no step opens")
	}
	runs, rows := p.account.totals()
	if p.inTx() {
		err := p.place.query(func(t tables) error {
			n, err := t.rows()
			rows += n
			return err
		})
		if err != nil {
			return err
		}
	}
	e := &p.v.Expect
	if e.Runs != nil && runs != *e.Runs {
		p.failf("in the end: the handler ran %d times, want %d", runs, *e.Runs)
	}
	if e.Effects != nil && rows != *e.Effects {
		p.failf("in the end: there are %d rows, want %d", rows, *e.Effects)
	}
	if e.Resource == nil {
		return nil
	}
	for _, path := range p.resources() {
		state, err := p.state(path)
		if err != nil {
			return err
		}
		if state.Exists != e.Resource.Exists || state.Exists && state.Version != e.Resource.Version {
			p.failf("in the end: %s is %+v, want %+v", path, state, *e.Resource)
		}
	}
	return nil
}

func (p *play) state(path string) (r Resource, err error) {
	if !p.inTx() {
		return p.account.read(path), nil
	}
	err = p.place.query(func(t tables) error {
		r, err = t.resource(path)
		return err
	})
	return r, err
}
