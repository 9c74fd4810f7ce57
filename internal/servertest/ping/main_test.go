package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/servertest"
)

// TestPing_NoServer: whoever listens and hangs up is none of the servers.
func TestPing_NoServer(t *testing.T) {
	for variable, url := range map[string]string{
		servertest.Postgres: "postgres://postgres@ADDRESS/test?sslmode=disable",
		servertest.MySQL:    "root@tcp(ADDRESS)/test",
		servertest.Redis:    "redis://ADDRESS/0?max_retries=-1",
		servertest.NATS:     "nats://ADDRESS",
		"IDEMGEN_ORACLE":    "ADDRESS",

		servertest.RedisCluster: "redis://ADDRESS?max_retries=-1&max_redirects=1",
	} {
		t.Run(variable, func(t *testing.T) {
			listener := listen(t, "")
			if err := ping(t.Context(), 0, variable, strings.Replace(url, "ADDRESS", listener.Addr().String(), 1)); err == nil {
				t.Error("a server answered")
			}
		})
	}
}

// TestPing_Waits: a server is awaited that is not ready at once.
func TestPing_Waits(t *testing.T) {
	address := listen(t, "", "", `INFO {"jetstream":true}`+"\r\n").Addr().String()
	if err := ping(t.Context(), time.Minute, servertest.NATS, "nats://"+address); err != nil {
		t.Error(err)
	}
}

func TestPing_NATS(t *testing.T) {
	for greeting, want := range map[string]string{
		`INFO {"jetstream":true,"port":4222}` + "\r\n": "",
		`INFO {"port":4222}` + "\r\n":                  "-js",
		"-ERR go away\r\n":                             "go away",
	} {
		address := listen(t, greeting).Addr().String()
		err := ping(t.Context(), 0, servertest.NATS, "nats://"+address)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", greeting, err, want)
		}
	}
}

// TestPing_Servers asks those that are there.
func TestPing_Servers(t *testing.T) {
	for variable := range servers {
		t.Run(variable, func(t *testing.T) {
			if err := ping(t.Context(), 0, variable, servertest.URL(t, variable)); err != nil {
				t.Error(err)
			}
		})
	}
}

// listen greets one connection after the other, each with its text, and hangs up.
func listen(t *testing.T, greetings ...string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for i := 0; ; i++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(greetings[min(i, len(greetings)-1)])) // the client may have gone
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-served
	})
	return listener
}
