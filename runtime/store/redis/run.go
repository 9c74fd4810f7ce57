package redis

import (
	"context"
	"errors"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
	goredis "github.com/redis/go-redis/v9"
)

// run executes a script on the record of id, by its hash, or in full on a server
// that has not seen it.
func (s *Store) run(ctx context.Context, script *goredis.Script, id *idem.ID, args ...any) *goredis.Cmd {
	if err := ctx.Err(); err != nil {
		return failed(ctx, err)
	}
	return script.Run(ctx, s.client, []string{s.key(id)}, args...)
}

// A session executes a script that writes what must not be lost, and then can
// wait for replicas.
type session struct {
	s    *Store
	conn *goredis.Conn // nil: there is nothing to wait for
}

// open takes a connection to the server that has the record of id, because WAIT
// is about what its own connection has written.
func (s *Store) open(ctx context.Context, id *idem.ID) (session, error) {
	if err := ctx.Err(); err != nil || s.replicas == 0 {
		return session{s: s}, err
	}
	switch client := s.client.(type) {
	case *goredis.ClusterClient:
		server, err := client.MasterForKey(ctx, s.key(id))
		if err != nil {
			return session{}, err
		}
		return session{s: s, conn: server.Conn()}, nil
	case *goredis.Client:
		return session{s: s, conn: client.Conn()}, nil
	}
	return session{}, fmt.Errorf("a %T cannot wait for replicas", s.client) // New has refused it
}

func (x *session) close() {
	if x.conn != nil {
		_ = x.conn.Close() // back to the pool
	}
}

// run executes a script on the record of id.
func (x *session) run(ctx context.Context, script *goredis.Script, id *idem.ID, args ...any) *goredis.Cmd {
	if x.conn == nil {
		return x.s.run(ctx, script, id, args...)
	}
	cmd := script.Run(ctx, x.conn, []string{x.s.key(id)}, args...)
	if cluster, ok := x.s.client.(*goredis.ClusterClient); ok && isMoved(cmd.Err()) {
		cluster.ReloadState(ctx) // in the background: the next call finds the server
	}
	return cmd
}

// confirm waits until as many replicas as were asked for have what this session
// wrote. A connection that broke since confirms nothing.
func (x *session) confirm(ctx context.Context) error {
	if x.conn == nil {
		return nil
	}
	n, err := x.conn.Wait(ctx, x.s.replicas, x.s.patience).Result()
	if err != nil {
		return fmt.Errorf("wait for %d replicas: %w", x.s.replicas, err)
	}
	if n < int64(x.s.replicas) {
		return fmt.Errorf("%w: %d of %d replicas have it after %v", idem.ErrStoreBusy, n, x.s.replicas, x.s.patience)
	}
	return nil
}

func failed(ctx context.Context, err error) *goredis.Cmd {
	cmd := goredis.NewCmd(ctx)
	cmd.SetErr(err)
	return cmd
}

// busy are the beginnings of errors of a server that may do later what it cannot
// do now.
var busy = []string{
	"OOM ", "BUSY ", "LOADING ", "TRYAGAIN ", "CLUSTERDOWN ", "NOREPLICAS ", "MASTERDOWN ", "max number of clients",
}

// known marks what the caller can only wait for, and values that are no records.
func known(err error) error {
	if errors.Is(err, goredis.ErrPoolTimeout) || isMoved(err) {
		return fmt.Errorf("%w: %w", idem.ErrStoreBusy, err)
	}
	if goredis.HasErrorPrefix(err, "WRONGTYPE ") {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	for _, prefix := range busy {
		if goredis.HasErrorPrefix(err, prefix) {
			return fmt.Errorf("%w: %w", idem.ErrStoreBusy, err)
		}
	}
	return err
}

// isMoved reports whether a cluster has given the key to another server.
func isMoved(err error) bool {
	return goredis.HasErrorPrefix(err, "MOVED ") || goredis.HasErrorPrefix(err, "ASK ")
}
