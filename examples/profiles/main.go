// Profiles is a small server whose profiles two people can edit at the same time
// without losing anything, and a page on which that can be watched. Read it in
// this order: openapi.yaml says what is protected, service.go and merge.go are
// the implementation, page/ is what runs in the browser.
//
//	go run ./examples/profiles [-addr host:port] [-db file]
//
// Then open the address that it prints.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/idemgen/idemgen/examples/profiles/api"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

//go:embed page
var page embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "profiles:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then lets the requests finish that have begun.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("profiles", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 chooses a free one")
	path := flags.String("db", "profiles.db", "SQLite `file`, created if need be")
	if err := flags.Parse(args); err != nil {
		return err
	}
	store, err := openStore(ctx, *path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	handler, err := newHandler(store, idem.WithLogger(slog.New(slog.NewTextHandler(stderr, nil))))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "two editors are waiting at http://%s\n", listener.Addr())
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

// openStore opens the database, in which profiles and keys live side by side.
func openStore(ctx context.Context, path string, options ...sqlite.Option) (*sqlite.Store, error) {
	store, err := sqlite.Open(path, options...)
	if err != nil {
		return nil, err
	}
	if _, err := store.DB().ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("create the table of profiles: %w", err), store.Close())
	}
	return store, nil
}

// newHandler serves the API, and the page for everything else.
func newHandler(store *sqlite.Store, options ...idem.Option) (http.Handler, error) {
	profiles, err := api.NewHandler(&service{reader: store.Reader()}, append([]idem.Option{idem.WithStore(store)}, options...)...)
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(page, "page")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/profiles", profiles)
	mux.Handle("/profiles/", profiles)
	mux.Handle("/", http.FileServerFS(files))
	return mux, nil
}
