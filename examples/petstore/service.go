package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"github.com/idemgen/idemgen/examples/petstore/api"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

// creditLimit in cents: a larger order is declined.
const creditLimit = 100_000

// service implements the operations of openapi.yaml. The handlers know nothing
// of keys, retries and replays: what runs here runs once. Their SQL is good for
// SQLite and PostgreSQL.
type service struct {
	reader  *sql.DB
	dialect etag.Dialect // which of the two, for the conditions on versions
	log     *slog.Logger
	pause   time.Duration // before an order commits; see the flag in main.go
}

var _ api.Service = (*service)(nil)

// querier is what a database and a transaction have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// conn returns the transaction that the runtime has opened for this request:
// what is written with it, the idempotency key and the recorded answer are one
// commit. The runtime also ends it. A read has none and uses the reader.
func (s *service) conn(ctx context.Context) querier {
	if tx, ok := idem.Tx[*sql.Tx](ctx); ok {
		return tx
	}
	return s.reader
}

// ---- pets: one version each

const petColumns = "id, name, kind, version"

func scanPet(row interface{ Scan(...any) error }) (p api.Pet, err error) {
	err = row.Scan(&p.Id, &p.Name, &p.Kind, &p.Version)
	return p, err
}

func (s *service) ListPets(ctx context.Context, req api.ListPetsRequestObject) (api.ListPetsResponseObject, error) {
	limit := 20
	if req.Params.Limit != nil {
		limit = min(max(*req.Params.Limit, 1), 100)
	}
	rows, err := s.conn(ctx).QueryContext(ctx,
		`SELECT `+petColumns+` FROM pets WHERE shop = $1 AND kind = COALESCE($2, kind) ORDER BY id LIMIT $3`,
		shopOf(ctx), req.Params.Kind, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	pets := api.ListPets200JSONResponse{}
	for rows.Next() {
		p, err := scanPet(rows)
		if err != nil {
			return nil, err
		}
		pets = append(pets, p)
	}
	return pets, rows.Err()
}

func (s *service) CreatePet(ctx context.Context, req api.CreatePetRequestObject) (api.CreatePetResponseObject, error) {
	if problem := checkPet(&req.Body.Name, &req.Body.Kind); problem != nil {
		return api.CreatePet422ApplicationProblemPlusJSONResponse(*problem), nil
	}
	p, err := scanPet(s.conn(ctx).QueryRowContext(ctx,
		`INSERT INTO pets (shop, name, kind) VALUES ($1, $2, $3) RETURNING `+petColumns,
		shopOf(ctx), req.Body.Name, req.Body.Kind))
	if err != nil {
		return nil, err
	}
	location := fmt.Sprintf("/pets/%d", p.Id)
	return api.CreatePet201JSONResponse{Body: p, Headers: api.CreatePet201ResponseHeaders{Location: location}}, nil
}

// GetPet answers through GetPet200, which wants the version of what it shows:
// the ETag cannot be forgotten.
func (s *service) GetPet(ctx context.Context, req api.GetPetRequestObject) (api.GetPetResult, error) {
	p, err := scanPet(s.conn(ctx).QueryRowContext(ctx,
		`SELECT `+petColumns+` FROM pets WHERE id = $1 AND shop = $2`, req.PetId, shopOf(ctx)))
	if errors.Is(err, sql.ErrNoRows) {
		return api.GetPet404ApplicationProblemPlusJSONResponse(refusal(http.StatusNotFound, "No such pet.")), nil
	}
	if err != nil {
		return nil, err
	}
	return api.GetPet200(api.PetVersion(p.Version), p), nil
}

// CurrentPet tells the runtime what to compare If-Match with, before the write
// and, when the write met no row, to tell "changed" (412) from "gone" (404).
func (s *service) CurrentPet(ctx context.Context, key api.PetKey) (etag.Current[api.PetVersion], error) {
	var version api.PetVersion
	err := s.conn(ctx).QueryRowContext(ctx,
		`SELECT version FROM pets WHERE id = $1 AND shop = $2`, key.PetId, shopOf(ctx)).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return etag.NotFound[api.PetVersion](), nil
	}
	return etag.Found(version), err
}

// ReplacePet puts the expected versions into the WHERE of the write itself, so
// that no other editor fits between check and change. The 200 wants the proof
// that it did: expect.Applied.
func (s *service) ReplacePet(ctx context.Context, req api.ReplacePetRequestObject, expect etag.Match[api.PetVersion]) (api.ReplacePetResult, error) {
	if problem := checkPet(&req.Body.Name, &req.Body.Kind); problem != nil {
		return api.ReplacePet422ApplicationProblemPlusJSONResponse(*problem), nil
	}
	p, err := s.savePet(ctx, req.PetId, &req.Body.Name, &req.Body.Kind, expect)
	if err != nil {
		return nil, err
	}
	return api.ReplacePet200(expect.Applied(api.PetVersion(p.Version)), p), nil
}

func (s *service) UpdatePet(ctx context.Context, req api.UpdatePetRequestObject, expect etag.Match[api.PetVersion]) (api.UpdatePetResult, error) {
	if problem := checkPet(req.Body.Name, req.Body.Kind); problem != nil {
		return api.UpdatePet422ApplicationProblemPlusJSONResponse(*problem), nil
	}
	p, err := s.savePet(ctx, req.PetId, req.Body.Name, req.Body.Kind, expect)
	if err != nil {
		return nil, err
	}
	return api.UpdatePet200(expect.Applied(api.PetVersion(p.Version)), p), nil
}

// savePet changes what is not nil.
func (s *service) savePet(ctx context.Context, id int64, name *string, kind *api.Kind, expect etag.Match[api.PetVersion]) (api.Pet, error) {
	where, versions := expect.Where(s.dialect, "version", 5)
	p, err := scanPet(s.conn(ctx).QueryRowContext(ctx,
		`UPDATE pets SET name = COALESCE($1, name), kind = COALESCE($2, kind), version = version + 1
		WHERE id = $3 AND shop = $4 AND `+where+` RETURNING `+petColumns,
		append([]any{name, kind, id, shopOf(ctx)}, versions...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return p, expect.NoMatch()
	}
	return p, err
}

func (s *service) DeletePet(ctx context.Context, req api.DeletePetRequestObject, expect etag.Match[api.PetVersion]) (api.DeletePetResult, error) {
	where, versions := expect.Where(s.dialect, "version", 3)
	var last api.PetVersion
	err := s.conn(ctx).QueryRowContext(ctx,
		`DELETE FROM pets WHERE id = $1 AND shop = $2 AND `+where+` RETURNING version`,
		append([]any{req.PetId, shopOf(ctx)}, versions...)...).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, expect.NoMatch()
	}
	if err != nil {
		return nil, err
	}
	return api.DeletePet204(expect.Applied(last)), nil
}

func (s *service) UploadPhoto(ctx context.Context, req api.UploadPhotoRequestObject) (api.UploadPhotoResponseObject, error) {
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	photo := api.Photo{PetId: req.PetId, Size: int64(len(content)), Sha256: hex.EncodeToString(sum[:])}
	err = s.conn(ctx).QueryRowContext(ctx,
		`INSERT INTO photos (pet, sha256, content) SELECT id, $1, $2 FROM pets WHERE id = $3 AND shop = $4 RETURNING id`,
		photo.Sha256, content, req.PetId, shopOf(ctx)).Scan(&photo.Id)
	if errors.Is(err, sql.ErrNoRows) {
		return api.UploadPhoto404ApplicationProblemPlusJSONResponse(refusal(http.StatusNotFound, "No such pet.")), nil
	}
	return api.UploadPhoto201JSONResponse(photo), err
}

// checkPet looks at the members that are not nil.
func checkPet(name *string, kind *api.Kind) *api.Problem {
	var problem api.Problem
	switch {
	case name != nil && strings.TrimSpace(*name) == "":
		problem = refusal(http.StatusUnprocessableEntity, "A pet needs a name.")
	case kind != nil && !kind.Valid():
		problem = refusal(http.StatusUnprocessableEntity, "kind is one of cat, dog, bird, fish.")
	default:
		return nil
	}
	return &problem
}

// ---- store: orders take from the stock

// PlaceOrder takes the goods from the stock and writes the order. Neither can
// happen twice for one key, nor can one happen without the other: they are in
// the runtime's transaction, as is the answer.
func (s *service) PlaceOrder(ctx context.Context, req api.PlaceOrderRequestObject) (api.PlaceOrderResponseObject, error) {
	total, problem, err := s.price(ctx, *req.Body)
	if err != nil {
		return nil, err
	}
	if problem != nil {
		return api.PlaceOrder422ApplicationProblemPlusJSONResponse(*problem), nil
	}
	if total > creditLimit {
		// A 4xx undoes the handler's writes, unless it asks to keep them: the
		// declined order is for the shop's books.
		if _, err := s.insertOrder(ctx, *req.Body, total, api.Declined); err != nil {
			return nil, err
		}
		idem.KeepWrites(ctx)
		return api.PlaceOrder402ApplicationProblemPlusJSONResponse(
			refusal(http.StatusPaymentRequired, "This order is over your credit limit.")), nil
	}
	order, err := s.insertOrder(ctx, *req.Body, total, api.Placed)
	if err != nil {
		return nil, err
	}
	taken, err := s.conn(ctx).ExecContext(ctx,
		`UPDATE inventory SET stock = stock - $1 WHERE shop = $2 AND item = $3 AND stock >= $1`,
		order.Quantity, shopOf(ctx), order.Item)
	if err != nil {
		return nil, err
	}
	if n, err := taken.RowsAffected(); err != nil {
		return nil, err
	} else if n == 0 { // the order's row is undone with this answer
		return api.PlaceOrder409ApplicationProblemPlusJSONResponse(
			refusal(http.StatusConflict, "There is not enough in stock.")), nil
	}
	if err := s.hesitate(ctx, order.Id); err != nil {
		return nil, err
	}
	location := fmt.Sprintf("/store/orders/%d", order.Id)
	return api.PlaceOrder201JSONResponse{Body: order, Headers: api.PlaceOrder201ResponseHeaders{Location: location}}, nil
}

const orderColumns = "id, item, quantity, note, total, status, placed_at"

func scanOrder(row *sql.Row) (o api.Order, err error) {
	var placed int64
	err = row.Scan(&o.Id, &o.Item, &o.Quantity, &o.Note, &o.Total, &o.Status, &placed)
	o.PlacedAt = time.UnixMilli(placed).UTC()
	return o, err
}

func (s *service) insertOrder(ctx context.Context, in api.OrderInput, total int64, status api.OrderStatus) (api.Order, error) {
	return scanOrder(s.conn(ctx).QueryRowContext(ctx,
		`INSERT INTO orders (shop, item, quantity, note, total, status) VALUES ($1, $2, $3, $4, $5, $6) RETURNING `+orderColumns,
		shopOf(ctx), in.Item, in.Quantity, in.Note, total, status))
}

// price returns what an order costs, or what is wrong with it.
func (s *service) price(ctx context.Context, in api.OrderInput) (total int64, problem *api.Problem, err error) {
	wrong := func(detail string) (int64, *api.Problem, error) {
		p := refusal(http.StatusUnprocessableEntity, detail)
		return 0, &p, nil
	}
	if in.Quantity < 1 || in.Quantity > 10_000 {
		return wrong("quantity is between 1 and 10000.")
	}
	var price int64
	err = s.conn(ctx).QueryRowContext(ctx,
		`SELECT price FROM inventory WHERE shop = $1 AND item = $2`, shopOf(ctx), in.Item).Scan(&price)
	if errors.Is(err, sql.ErrNoRows) {
		return wrong("This shop has no such item.")
	}
	return price * in.Quantity, nil, err
}

func (s *service) QuoteOrder(ctx context.Context, req api.QuoteOrderRequestObject) (api.QuoteOrderResponseObject, error) {
	total, problem, err := s.price(ctx, *req.Body)
	if err != nil {
		return nil, err
	}
	if problem != nil {
		return api.QuoteOrder422ApplicationProblemPlusJSONResponse(*problem), nil
	}
	return api.QuoteOrder200JSONResponse{Item: req.Body.Item, Quantity: req.Body.Quantity, Total: total}, nil
}

func (s *service) GetOrder(ctx context.Context, req api.GetOrderRequestObject) (api.GetOrderResponseObject, error) {
	order, err := scanOrder(s.conn(ctx).QueryRowContext(ctx,
		`SELECT `+orderColumns+` FROM orders WHERE id = $1 AND shop = $2`, req.OrderId, shopOf(ctx)))
	if errors.Is(err, sql.ErrNoRows) {
		return api.GetOrder404ApplicationProblemPlusJSONResponse(refusal(http.StatusNotFound, "No such order.")), nil
	}
	return api.GetOrder200JSONResponse(order), err
}

// CancelOrder puts the goods back. Done twice it would invent stock: the status
// in the WHERE prevents that, and the key lets the retry see the success.
func (s *service) CancelOrder(ctx context.Context, req api.CancelOrderRequestObject) (api.CancelOrderResponseObject, error) {
	order, err := scanOrder(s.conn(ctx).QueryRowContext(ctx,
		`UPDATE orders SET status = 'cancelled' WHERE id = $1 AND shop = $2 AND status = 'placed' RETURNING `+orderColumns,
		req.OrderId, shopOf(ctx)))
	if errors.Is(err, sql.ErrNoRows) {
		return s.notCancelled(ctx, req.OrderId)
	}
	if err != nil {
		return nil, err
	}
	_, err = s.conn(ctx).ExecContext(ctx,
		`UPDATE inventory SET stock = stock + $1 WHERE shop = $2 AND item = $3`, order.Quantity, shopOf(ctx), order.Item)
	return api.CancelOrder200JSONResponse(order), err
}

// notCancelled says why an order could not be cancelled.
func (s *service) notCancelled(ctx context.Context, id int64) (api.CancelOrderResponseObject, error) {
	var status api.OrderStatus
	err := s.conn(ctx).QueryRowContext(ctx,
		`SELECT status FROM orders WHERE id = $1 AND shop = $2`, id, shopOf(ctx)).Scan(&status)
	if errors.Is(err, sql.ErrNoRows) {
		return api.CancelOrder404ApplicationProblemPlusJSONResponse(refusal(http.StatusNotFound, "No such order.")), nil
	}
	detail := fmt.Sprintf("This order is %s already.", status)
	return api.CancelOrder409ApplicationProblemPlusJSONResponse(refusal(http.StatusConflict, detail)), err
}

func (s *service) GetInventory(ctx context.Context, _ api.GetInventoryRequestObject) (api.GetInventoryResponseObject, error) {
	rows, err := s.conn(ctx).QueryContext(ctx, `SELECT item, stock FROM inventory WHERE shop = $1`, shopOf(ctx))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	stock := api.GetInventory200JSONResponse{}
	for rows.Next() {
		var item string
		var pieces int64
		if err := rows.Scan(&item, &pieces); err != nil {
			return nil, err
		}
		stock[item] = pieces
	}
	return stock, rows.Err()
}

// ---- newsletter: open to anybody

// Subscribe queues the mail that asks for confirmation. Nobody likes two.
func (s *service) Subscribe(ctx context.Context, req api.SubscribeRequestObject) (api.SubscribeResponseObject, error) {
	address, err := mail.ParseAddress(req.Body.Email)
	if err != nil || address.Address != req.Body.Email {
		return api.Subscribe422ApplicationProblemPlusJSONResponse(
			refusal(http.StatusUnprocessableEntity, "This is not a mail address.")), nil
	}
	subscription := api.Subscription{Email: req.Body.Email}
	err = s.conn(ctx).QueryRowContext(ctx,
		`INSERT INTO mails (address) VALUES ($1) RETURNING id`, subscription.Email).Scan(&subscription.Mail)
	return api.Subscribe201JSONResponse(subscription), err
}

// ----

// refusal is a problem without a type of its own (RFC 9457 §4.2.1).
func refusal(status int, detail string) api.Problem {
	return api.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: &detail}
}

// hesitate waits between the writes of an order and its commit, which is where
// a crash hurts most.
func (s *service) hesitate(ctx context.Context, order int64) error {
	if s.pause == 0 {
		return nil
	}
	s.log.InfoContext(ctx, "order written, not committed yet", "order", order, "pause", s.pause)
	select {
	case <-time.After(s.pause):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
