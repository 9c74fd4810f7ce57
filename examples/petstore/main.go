// Petstore is a small server whose operations may be retried and whose pets
// cannot be overwritten by accident. Read it in this order: openapi.yaml says
// what is protected, service.go is the implementation, database.go has its
// tables, auth.go tells the shops apart, and this file puts them together. The
// package api is generated.
//
//	go run ./examples/petstore [-addr host:port] [-store file]
//	go run ./examples/petstore -store postgres://user@host/database
//	go run ./examples/petstore/demo
//
// The last command shows what happens when requests are repeated, raced and
// interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/idemgen/idemgen/examples/petstore/api"
	idem "github.com/idemgen/idemgen/runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "petstore:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then lets the requests finish that have begun.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("petstore", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 chooses a free one")
	name := flags.String("store", "petstore.db", "the `database`: an SQLite file, created if need be, or the URL of a PostgreSQL database, postgres://…")
	pause := flags.Duration("pause", 0, "wait so long between the writes of an order and its commit (for the demo, which kills the server there)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))

	db, err := openDatabase(ctx, *name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	handler, err := newHandler(db, log, *pause)
	if err != nil {
		return err
	}

	// Expired keys give their room back. The goroutine is ours: it ends with ctx,
	// and before the store is closed.
	var background sync.WaitGroup
	defer background.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sweeper := idem.SweepRunner{Store: db.store, Log: log}
	background.Go(func() {
		if err := sweeper.Run(ctx); err != nil {
			log.Error("the sweeper stopped", "error", err)
		}
	})
	return serve(ctx, *addr, handler, stdout)
}

// serve answers requests until ctx ends.
func serve(ctx context.Context, addr string, handler http.Handler, stdout io.Writer) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "the pet store is open at http://%s\n", listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(patience)
}

// newHandler is all the wiring there is.
func newHandler(db *database, log *slog.Logger, pause time.Duration) (http.Handler, error) {
	return api.NewHandler(&service{reader: db.reader, dialect: db.dialect, log: log, pause: pause},
		idem.WithStore(db.store),
		idem.WithMiddleware(exampleAccounts().authenticate),
		idem.WithScope(scope),
		idem.WithLogger(log),
	)
}
