package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"log"

	_ "github.com/go-sql-driver/mysql"
	"github.com/idemgen/idemgen/runtime/store/mysql"
)

func ExampleNew() {
	ctx := context.Background()
	db, err := sql.Open("mysql", "shop:secret@tcp(127.0.0.1:3306)/shop?transaction_isolation=%27READ-COMMITTED%27&timeout=5s&readTimeout=30s&writeTimeout=30s")
	if err != nil {
		log.Fatal(err)
	}
	// The service's tables are in the same database, so that a handler's writes
	// and its recorded answer are one commit.
	if err := mysql.Migrate(ctx, db); err != nil {
		log.Fatal(err)
	}
	store, err := mysql.New(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	// The store goes to idem.WithStore; close both when the server has ended.
	if err := errors.Join(store.Close(), db.Close()); err != nil {
		log.Fatal(err)
	}
}
