package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	idem "github.com/idemgen/idemgen/runtime"
)

// ledger is the client of the process that counts.
type ledger struct {
	address string
	client  *http.Client
}

func newLedger(address string) *ledger {
	return &ledger{address, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// tell reports what happens and returns what to do. It takes no context,
// because what has happened must be counted even if nobody waits for it.
func (l *ledger) tell(event string, c Call) (*Answer, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	resp, err := l.client.Post(l.address+"/"+event, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the ledger answered %d to %s: %s", resp.StatusCode, event, content)
	}
	var a Answer
	return &a, json.Unmarshal(content, &a)
}

func (w *World) call(ctx context.Context) (Call, error) {
	c := callOf(ctx)
	if c == nil {
		return Call{}, errors.New("the handler's context has lost the request's values")
	}
	return Call{World: w.id, Token: c.token, Operation: c.operation, Path: c.path}, nil
}

// Run is the body of every handler without versions: it asks what to answer,
// waits as long as its gate is shut, and writes its row.
func (w *World) Run(ctx context.Context) (*Answer, error) {
	a, err := w.start(ctx)
	if err != nil {
		return nil, err
	}
	if a.Effect {
		if err := w.effect(ctx, a); err != nil {
			return nil, err
		}
	}
	return a.finish(ctx)
}

// start is the beginning of a run.
func (w *World) start(ctx context.Context) (*Answer, error) {
	c, err := w.call(ctx)
	if err != nil {
		return nil, err
	}
	return w.ledger.tell("run", c)
}

// effect writes a row: in the runtime's transaction where there is one, else
// committed on its own.
func (w *World) effect(ctx context.Context, a *Answer) error {
	if w.inTx {
		if done, err := w.tables.effect(ctx, a.Run); done {
			return err
		}
	}
	c, err := w.call(ctx)
	if err != nil {
		return err
	}
	c.Run = a.Run
	_, err = w.ledger.tell("effect", c)
	return err
}

// finish ends a run as the script wants it.
func (a *Answer) finish(ctx context.Context) (*Answer, error) {
	if a.KeepWrites {
		idem.KeepWrites(ctx)
	}
	switch {
	case a.Panic:
		panic("vectors: the script says so")
	case a.NotExecuted:
		return nil, idem.NotExecuted(errors.New("vectors: nothing was executed"))
	}
	return a, nil
}

// Write sends the answer as it is.
func (a *Answer) Write(w http.ResponseWriter) error {
	for _, f := range a.Headers {
		value, err := Octets(f[1])
		if err != nil {
			return err
		}
		w.Header().Add(f[0], value)
	}
	w.WriteHeader(a.Status)
	if a.Body == "" {
		return nil
	}
	_, err := io.WriteString(w, a.Body)
	return err
}

// OK reports whether the answer is a success.
func (a *Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// at fills in the version that the run has led to. The ETag is the runtime's
// to write, from what the generated result carries.
func (a *Answer) at(version string) {
	a.Headers = slices.DeleteFunc(a.Headers, func(f [2]string) bool { return strings.EqualFold(f[0], "ETag") })
	a.Body = strings.ReplaceAll(a.Body, "{v}", version)
	for i := range a.Headers {
		a.Headers[i][1] = strings.ReplaceAll(a.Headers[i][1], "{v}", version)
	}
}

// crash stops a request at a point for its process to be killed.
func (w *World) crash(ctx context.Context, points ...string) {
	c := callOf(ctx)
	if c == nil {
		return
	}
	for _, point := range points {
		if c.crash == point {
			call, _ := w.call(ctx)
			_, _ = w.ledger.tell("crash", call) // answered by the end of the process
			select {}
		}
	}
}
