package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/idemgen/idemgen/examples/profiles/api"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

// schema is the service's own part of the database. AUTOINCREMENT keeps the id of
// a removed profile from being used again: an old tag must never match a new one.
const schema = `
CREATE TABLE IF NOT EXISTS profiles (
	id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL DEFAULT 1,
	name TEXT NOT NULL, role TEXT, city TEXT, bio TEXT) STRICT;
INSERT INTO profiles (name, role, city, bio)
	SELECT 'Grace Hopper', 'Rear admiral', 'Arlington', 'Wrote the first compiler.'
	WHERE NOT EXISTS (SELECT 1 FROM profiles);`

const columns = "id, version, name, role, city, bio"

// service implements the operations of openapi.yaml.
type service struct {
	reader *sql.DB // refuses to write
}

var _ api.Service = (*service)(nil)

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// conn is the runtime's transaction where there is one: for writes.
func (s *service) conn(ctx context.Context) querier {
	if tx, ok := idem.Tx[*sql.Tx](ctx); ok {
		return tx
	}
	return s.reader
}

func scan(row interface{ Scan(...any) error }) (p api.Profile, err error) {
	err = row.Scan(&p.Id, &p.Version, &p.Name, &p.Role, &p.City, &p.Bio)
	return p, err
}

func (s *service) ListProfiles(ctx context.Context, _ api.ListProfilesRequestObject) (api.ListProfilesResponseObject, error) {
	rows, err := s.conn(ctx).QueryContext(ctx, `SELECT `+columns+` FROM profiles ORDER BY id LIMIT 100`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := api.ListProfiles200JSONResponse{}
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

func (s *service) CreateProfile(ctx context.Context, req api.CreateProfileRequestObject) (api.CreateProfileResponseObject, error) {
	in := req.Body
	if problem := check(in); problem != nil {
		return api.CreateProfile422ApplicationProblemPlusJSONResponse{RefusedApplicationProblemPlusJSONResponse: *problem}, nil
	}
	p, err := scan(s.conn(ctx).QueryRowContext(ctx,
		`INSERT INTO profiles (name, role, city, bio) VALUES (?, ?, ?, ?) RETURNING `+columns, in.Name, in.Role, in.City, in.Bio))
	if err != nil {
		return nil, err
	}
	location := fmt.Sprintf("/profiles/%d", p.Id)
	return api.CreateProfile201JSONResponse{Body: p, Headers: api.CreateProfile201ResponseHeaders{Location: location}}, nil
}

func (s *service) find(ctx context.Context, id int64) (api.Profile, error) {
	return scan(s.conn(ctx).QueryRowContext(ctx, `SELECT `+columns+` FROM profiles WHERE id = ?`, id))
}

// GetProfile answers through GetProfile200, which wants the version of what it
// shows: the ETag cannot be forgotten.
func (s *service) GetProfile(ctx context.Context, req api.GetProfileRequestObject) (api.GetProfileResult, error) {
	p, err := s.find(ctx, req.ProfileId)
	if errors.Is(err, sql.ErrNoRows) {
		return api.GetProfile404ApplicationProblemPlusJSONResponse{RefusedApplicationProblemPlusJSONResponse: refused(http.StatusNotFound, "No such profile.")}, nil
	}
	if err != nil {
		return nil, err
	}
	return api.GetProfile200(api.ProfileVersion(p.Version), p), nil
}

// CurrentProfile tells the runtime which version there is now.
func (s *service) CurrentProfile(ctx context.Context, key api.ProfileKey) (etag.Current[api.ProfileVersion], error) {
	p, err := s.find(ctx, key.ProfileId)
	if errors.Is(err, sql.ErrNoRows) {
		return etag.NotFound[api.ProfileVersion](), nil
	}
	return etag.Found(api.ProfileVersion(p.Version)), err
}

func (s *service) ReplaceProfile(ctx context.Context, req api.ReplaceProfileRequestObject, expect etag.Match[api.ProfileVersion]) (api.ReplaceProfileResult, error) {
	if problem := check(req.Body); problem != nil {
		return api.ReplaceProfile422ApplicationProblemPlusJSONResponse{RefusedApplicationProblemPlusJSONResponse: *problem}, nil
	}
	p, err := s.save(ctx, req.ProfileId, *req.Body, expect)
	if err != nil {
		return nil, err
	}
	return api.ReplaceProfile200(expect.Applied(api.ProfileVersion(p.Version)), p), nil
}

// EditProfile merges the patch with the profile as it is in this transaction. The
// version in the statement that saves it is still the one that the editor has
// seen, so what was merged is what the editor knew.
func (s *service) EditProfile(ctx context.Context, req api.EditProfileRequestObject, expect etag.Match[api.ProfileVersion]) (api.EditProfileResult, error) {
	now, err := s.find(ctx, req.ProfileId)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, expect.NoMatch()
	}
	if err != nil {
		return nil, err
	}
	merged, problem := merge(now, *req.Body)
	if problem != nil {
		return api.EditProfile422ApplicationProblemPlusJSONResponse{RefusedApplicationProblemPlusJSONResponse: *problem}, nil
	}
	p, err := s.save(ctx, req.ProfileId, merged, expect)
	if err != nil {
		return nil, err
	}
	return api.EditProfile200(expect.Applied(api.ProfileVersion(p.Version)), p), nil
}

// save writes a profile if it still has a version that the editor has seen.
func (s *service) save(ctx context.Context, id int64, in api.ProfileInput, expect etag.Match[api.ProfileVersion]) (api.Profile, error) {
	where, versions := expect.Where(etag.SQLite, "version", 6)
	p, err := scan(s.conn(ctx).QueryRowContext(ctx,
		`UPDATE profiles SET name = ?, role = ?, city = ?, bio = ?, version = version + 1 WHERE id = ? AND `+where+` RETURNING `+columns,
		append([]any{in.Name, in.Role, in.City, in.Bio, id}, versions...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return p, expect.NoMatch() // 412, or 404: the runtime finds out
	}
	return p, err
}

func (s *service) DeleteProfile(ctx context.Context, req api.DeleteProfileRequestObject, expect etag.Match[api.ProfileVersion]) (api.DeleteProfileResult, error) {
	where, versions := expect.Where(etag.SQLite, "version", 2)
	p, err := scan(s.conn(ctx).QueryRowContext(ctx,
		`DELETE FROM profiles WHERE id = ? AND `+where+` RETURNING `+columns, append([]any{req.ProfileId}, versions...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, expect.NoMatch()
	}
	if err != nil {
		return nil, err
	}
	return api.DeleteProfile204(expect.Applied(api.ProfileVersion(p.Version))), nil
}

func check(in *api.ProfileInput) *api.RefusedApplicationProblemPlusJSONResponse {
	if strings.TrimSpace(in.Name) == "" {
		problem := refused(http.StatusUnprocessableEntity, "A profile needs a name.")
		return &problem
	}
	return nil
}

// refused is a problem without a type of its own (RFC 9457 §4.2.1).
func refused(status int, detail string) api.RefusedApplicationProblemPlusJSONResponse {
	return api.RefusedApplicationProblemPlusJSONResponse{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: &detail}
}
