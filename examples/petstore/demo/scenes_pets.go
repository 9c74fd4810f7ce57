package main

import (
	"bytes"
	"context"
	"net/http"
)

// twoEditors: a lost update that does not happen, and a retry that does not meet
// 412 on its own success.
func twoEditors(ctx context.Context, s *stage) error {
	s.t.scene("Two people edit one pet",
		"Ada and Bob have both read version 1 of the same cat. Ada saves first.")
	created, err := s.client.send(ctx, request{
		method: http.MethodPost, path: "/pets", apiKey: whiskers, key: "new-cat", body: `{"name":"Tom","kind":"cat"}`,
	})
	if err != nil {
		return err
	}
	pet := created.header.Get("Location")
	read := request{method: http.MethodGet, path: pet, apiKey: whiskers}
	save := func(key, tag, name string) request {
		return request{
			method: http.MethodPut, path: pet, apiKey: whiskers, key: key, ifMatch: tag,
			body: `{"name":"` + name + `","kind":"cat"}`,
		}
	}
	before, err := s.show(ctx, read)
	if err != nil {
		return err
	}
	s.t.note("Ada:")
	ada := save("ada-renames", before.etag(), "Tommy")
	saved, err := s.show(ctx, ada)
	if err != nil {
		return err
	}
	s.t.claim(saved.status == http.StatusOK && saved.etag() != before.etag(), "a PUT with the current tag is 200 and brings the next tag")

	s.t.note("Bob still has the old tag:")
	stale, err := s.show(ctx, save("bob-renames", before.etag(), "Thomas"))
	if err != nil {
		return err
	}
	now, err := s.client.send(ctx, read)
	if err != nil {
		return err
	}
	s.t.claim(stale.status == http.StatusPreconditionFailed && stale.problem().Reason == "stale", "a stale PUT is 412, and the problem says what to do")
	s.t.claim(bytes.Equal(now.body, saved.body), "Ada's change is still there")

	s.t.note("Bob reads again, sees Ada's name, decides, and retries with the fresh tag and the same key:")
	fresh, err := s.show(ctx, save("bob-renames", now.etag(), "Thomas"))
	if err != nil {
		return err
	}
	s.t.claim(fresh.status == http.StatusOK && !fresh.replayed(), "the retry with the fresh tag succeeds")

	s.t.note("Ada never saw her answer and sends her PUT again. Its tag is two versions old by now:")
	again, err := s.show(ctx, ada)
	if err != nil {
		return err
	}
	now, err = s.client.send(ctx, read)
	if err != nil {
		return err
	}
	s.t.claim(again.status == http.StatusOK && again.replayed(), "a retried PUT that had succeeded is 200, not 412 on its own success")
	s.t.claim(bytes.Equal(again.body, saved.body) && again.etag() == saved.etag(), "it is the first answer, with the tag of that time")
	s.t.claim(bytes.Equal(now.body, fresh.body), "nothing was written again: Bob's change is still there")
	return nil
}
