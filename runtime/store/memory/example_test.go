package memory_test

import (
	"context"
	"fmt"
	"log"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// The runtime does this for each request; a store by itself is a few verbs.
func ExampleNew() {
	ctx := context.Background()
	store := memory.New(memory.WithMaxBytes(16 << 20))
	claim := idem.Claim{ID: idem.ID{1}, Fingerprint: idem.Fingerprint{1}, Lease: 30 * time.Second, TTL: time.Minute}

	first, err := store.Claim(ctx, claim)
	if err != nil {
		log.Fatal(err)
	}
	answer := idem.Response{Status: 201, Body: []byte(`{"id":1}`)}
	if err := store.Complete(ctx, claim.ID, first.Fence, answer, 24*time.Hour); err != nil {
		log.Fatal(err)
	}
	retry, err := store.Claim(ctx, claim)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.State == idem.ClaimOwned, retry.State == idem.ClaimDone)
	fmt.Printf("%d %s\n", retry.Record.Response.Status, retry.Record.Response.Body)
	// Output:
	// true true
	// 201 {"id":1}
}
