package sqlite_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		log.Fatal(err)
	}
	orders, err := countOrders(filepath.Join(dir, "shop.db"))
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(orders, "orders")
	// Output: 0 orders
}

// The service's tables are in the same file, so that a handler's writes and its
// recorded answer are one commit.
func countOrders(path string) (orders int, err error) {
	store, err := sqlite.Open(path, sqlite.WithPragma("foreign_keys", "ON"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	if _, err := store.DB().Exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL)"); err != nil {
		return 0, err
	}
	err = store.Reader().QueryRow("SELECT count(*) FROM orders").Scan(&orders)
	return orders, err
}
