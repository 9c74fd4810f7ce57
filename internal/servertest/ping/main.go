// Ping asks a server whether tests can work with it, with the drivers that they
// use, and waits for one that is still starting. scripts/services needs no
// client of the distribution for that.
//
//	go run ./internal/servertest/ping [-within 30s] variable url
//
// The variable is one of package servertest and says what kind of server it is.
// Nothing is printed when it answers; otherwise the exit code is 1 and the last
// reason is on standard error.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/idemgen/idemgen/internal/servertest"
)

func main() {
	within := flag.Duration("within", 0, "how long to try; one attempt in any case")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: ping [-within time] variable url")
		os.Exit(2)
	}
	if err := ping(context.Background(), *within, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintf(os.Stderr, "ping: %s: %v\n", flag.Arg(1), err)
		os.Exit(1)
	}
}

// servers are the ways to ask, each one attempt.
var servers = map[string]func(ctx context.Context, url string) error{
	servertest.Postgres:     postgres,
	servertest.MySQL:        mariadb,
	servertest.Redis:        redisServer,
	servertest.RedisCluster: redisCluster,
	servertest.NATS:         nats,
}

const (
	attempt  = 5 * time.Second        // bounds one attempt
	interval = 100 * time.Millisecond // is between two of them
)

// ping asks until the server answers or the time is over.
func ping(ctx context.Context, within time.Duration, variable, url string) error {
	ask, ok := servers[variable]
	if !ok {
		return fmt.Errorf("%s names no kind of server", variable)
	}
	end := time.Now().Add(within)
	for {
		one, cancel := context.WithTimeout(ctx, attempt)
		err := ask(one, url)
		cancel()
		if err == nil || time.Now().After(end) {
			return err
		}
		time.Sleep(interval)
	}
}

func postgres(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}

func mariadb(ctx context.Context, dsn string) error {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	config.Logger = &mysql.NopLogger{} // a server that is not there yet is no news
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	return errors.Join(db.PingContext(ctx), db.Close())
}

func redisServer(ctx context.Context, url string) error {
	config, err := redis.ParseURL(url)
	if err != nil {
		return err
	}
	client := redis.NewClient(config)
	return errors.Join(client.Ping(ctx).Err(), client.Close())
}

// redisCluster wants an answer for a key, which there is when every slot has a
// server.
func redisCluster(ctx context.Context, url string) error {
	config, err := redis.ParseClusterURL(url)
	if err != nil {
		return err
	}
	client := redis.NewClusterClient(config)
	return errors.Join(client.Exists(ctx, "idemgen").Err(), client.Close())
}

// nats reads what the server says first, in which it says whether it has
// JetStream.
func nats(ctx context.Context, text string) (err error) {
	address, err := url.Parse(text)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address.Host)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetDeadline(time.Now().Add(attempt)); err != nil {
		return err
	}
	info, err := bufio.NewReader(conn).ReadString('\n')
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(info, "INFO "):
		return fmt.Errorf("no NATS server: it says %q", info)
	case !strings.Contains(info, `"jetstream":true`):
		return errors.New("the server runs without JetStream: start it with -js")
	}
	return nil
}
