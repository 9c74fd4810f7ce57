package generator_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"

	swap "github.com/idemgen/idemgen/generator/testdata/cases/swap/want"
)

// swapService keeps one list; version 0 is absent. Others write to it between
// Load and Store as often as races says.
type swapService struct {
	list     swap.List
	races    int
	early    int // others write between precheck and Load
	mutated  int
	careless bool // Store compares nothing
	dateless bool // Load forgets the date
}

func (s *swapService) now() etag.Current[swap.ListVersion] {
	if s.dateless {
		return found(swap.ListVersion(s.list.Version))
	}
	return found(swap.ListVersion(s.list.Version)).ModifiedAt(s.list.Changed)
}

func (s *swapService) CurrentList(context.Context, swap.ListKey) (etag.Current[swap.ListVersion], error) {
	return s.now(), nil
}

func (s *swapService) LoadList(context.Context, swap.ListKey) (swap.List, etag.Current[swap.ListVersion], error) {
	if s.early > 0 {
		s.early--
		s.list.Version++
		s.list.Changed = s.list.Changed.Add(time.Hour)
	}
	return s.list, s.now(), nil
}

func (s *swapService) StoreList(_ context.Context, _ swap.ListKey, expect etag.Match[swap.ListVersion], changed swap.List) (swap.List, etag.Applied[swap.ListVersion], error) {
	if s.races > 0 {
		s.races--
		s.list.Version++
	}
	if !s.careless && !slices.Contains(expect.Versions(), swap.ListVersion(s.list.Version)) {
		return swap.List{}, etag.Applied[swap.ListVersion]{}, expect.NoMatch()
	}
	s.list.Items = changed.Items
	s.list.Version++
	return s.list, expect.Applied(swap.ListVersion(s.list.Version)), nil
}

func (s *swapService) MutateAddItem(old swap.List, req swap.AddItemRequestObject) (swap.List, swap.AddItemResult) {
	s.mutated++
	if req.Body.Item == "" {
		return old, swap.AddItem422Response{}
	}
	old.Items = append(slices.Clone(old.Items), req.Body.Item)
	return old, nil
}

func (s *swapService) MutateSortList(old swap.List, _ swap.SortListRequestObject) (swap.List, swap.SortListResult) {
	s.mutated++
	old.Items = slices.Sorted(slices.Values(old.Items))
	return old, nil
}

func (s *swapService) MutateClearList(old swap.List, _ swap.ClearListRequestObject) (swap.List, swap.ClearListResult) {
	s.mutated++
	old.Items = []string{}
	return old, nil
}

func (s *swapService) GetList(context.Context, swap.GetListRequestObject) (swap.GetListResult, error) {
	return swap.GetList200(swap.ListVersion(s.list.Version), s.list.Changed, s.list), nil
}

func (s *swapService) DropList(_ context.Context, _ swap.DropListRequestObject, expect etag.Match[swap.ListVersion]) (swap.DropListResult, error) {
	if !meets(expect, swap.ListVersion(s.list.Version)) {
		return nil, expect.NoMatch()
	}
	s.list = swap.List{}
	return swap.DropList204(expect.Applied(0)), nil
}

func TestCase_Swap(t *testing.T) {
	service := &swapService{list: swap.List{Items: []string{"b"}, Version: 1, Changed: time.Date(2026, 11, 24, 1, 55, 54, 900_000_000, time.UTC)}}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return swap.NewHandler(service, o...) })
	const list = " /lists/me/todo"
	send(t, s, "PATCH"+list, `{"item":"a"}`).expect(t, 428, "precondition-required")
	send(t, s, "PATCH"+list, `{"item":"a"}`, "If-Match", `"0"`).refusal(t, "If-Match", "stale")
	if service.mutated != 0 {
		t.Error("a refused request was mutated")
	}
	send(t, s, "PATCH"+list, `{"item":"a"}`, "If-Match", `"1"`).expect(t, 200, "").tagged(t, `"2"`)
	send(t, s, "PATCH"+list, `{"item":""}`, "If-Match", `"2"`).expect(t, 422, "")

	// Another write comes between: who named a version is refused, who did not is
	// tried anew on what is there.
	service.races, service.mutated = 1, 0
	send(t, s, "PATCH"+list, `{"item":"c"}`, "If-Match", `"2"`).refusal(t, "If-Match", "stale")
	if service.mutated != 1 {
		t.Errorf("%d changes, want 1", service.mutated)
	}
	service.races, service.mutated = 2, 0
	sorted := send(t, s, "POST"+list, "").expect(t, 200, "")
	if sorted.tagged(t, `"6"`); !strings.Contains(sorted.body, `["a","b"]`) || service.mutated != 3 {
		t.Errorf("after %d changes %s", service.mutated, sorted.body)
	}
	service.races, service.mutated = 1, 0
	send(t, s, "POST"+list, "", "If-Match", "*").expect(t, 200, "").tagged(t, `"8"`)
	send(t, s, "POST"+list, "", "If-Match", `"7"`).refusal(t, "If-Match", "stale")

	// A date names no version either.
	const date, before = "Tue, 24 Nov 2026 01:55:54 GMT", "Tue, 24 Nov 2026 01:55:53 GMT"
	service.races = 1
	send(t, s, "PUT"+list, "").expect(t, 428, "precondition-required")
	send(t, s, "PUT"+list, "", "If-Unmodified-Since", before).refusal(t, "If-Unmodified-Since", "stale")
	send(t, s, "PUT"+list, "", "If-Unmodified-Since", date).expect(t, 200, "").tagged(t, `"10"`)
	service.dateless = true
	send(t, s, "PUT"+list, "", "If-Unmodified-Since", date).expect(t, 500, "internal-error")
	service.dateless = false

	// What was loaded is compared, whatever was seen before.
	service.early, service.mutated = 1, 0
	send(t, s, "PUT"+list, "", "If-Unmodified-Since", date).refusal(t, "If-Unmodified-Since", "stale")
	service.early = 1
	send(t, s, "PATCH"+list, `{"item":"d"}`, "If-Match", `"11"`).refusal(t, "If-Match", "stale")
	if service.mutated != 0 {
		t.Error("a list that nobody expected was changed")
	}

	service.races, service.mutated = 100, 0 // it never comes to an end
	send(t, s, "POST"+list, "").expect(t, 500, "internal-error")
	if service.mutated != 8 {
		t.Errorf("%d changes before it gave up", service.mutated)
	}
	service.races, service.careless = 0, true
	send(t, s, "POST"+list, "").expect(t, 500, "internal-error")
	current := send(t, s, "GET"+list, "").header.Get("ETag")
	send(t, s, "PATCH"+list, `{"item":"e"}`, "If-Match", current).expect(t, 500, "internal-error")
	service.careless, service.list = false, swap.List{}
	send(t, s, "POST"+list, "").expect(t, 404, "not-found")
	send(t, s, "POST"+list, "", "If-Match", "*").expect(t, 404, "not-found")
}
