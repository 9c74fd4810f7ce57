package main

import (
	"bytes"
	"context"
	"net/http"
)

// killed: the server dies between an order's writes and its commit.
func killed(ctx context.Context, s *stage) error {
	s.t.scene("Killed in the middle of an order",
		"The server runs with -pause now: it hesitates between the rows of an order and\n"+
			"their commit. In that moment its process is killed, without a chance to clean up.")
	if err := s.server.stop(); err != nil {
		return err
	}
	if err := s.open(ctx, "-pause", "1h"); err != nil {
		return err
	}
	before, err := s.rows(ctx, "whiskers")
	if err != nil {
		return err
	}
	r := order(whiskers, "wednesday-kibble", `{"item":"kibble","quantity":5}`)
	s.t.request(r)
	lost := make(chan error, 1)
	go func() {
		_, err := s.client.send(ctx, r)
		lost <- err
	}()
	if _, err := s.server.waitFor(ctx, "order written, not committed yet", startLimit); err != nil {
		return err
	}
	s.t.mishap("the rows of the order are written, not committed")
	s.server.kill()
	broken := <-lost
	s.t.mishap("SIGKILL: process %d is gone, and the connection with it", s.server.cmd.Process.Pid)
	s.t.claim(broken != nil, "the client got no answer")
	dead, err := s.rows(ctx, "whiskers")
	if err != nil {
		return err
	}
	s.t.claim(dead == before, "half an order is no order")

	s.t.note("The server is started again, on the same file, and the client retries:")
	if err := s.open(ctx); err != nil {
		return err
	}
	a, err := s.show(ctx, r)
	if err != nil {
		return err
	}
	again, err := s.client.send(ctx, r)
	if err != nil {
		return err
	}
	s.t.again(2, a, again)
	now, err := s.rows(ctx, "whiskers")
	if err != nil {
		return err
	}
	s.t.claim(a.status == http.StatusCreated && !a.replayed(), "the retry is executed at once: no lock was left behind")
	s.t.claim(again.replayed() && bytes.Equal(again.body, a.body), "its retry is replayed, byte for byte")
	s.t.claim(now == stand{orders: before.orders + 1, kibble: before.kibble - 5}, "one row")

	s.t.note("And the very first order of this story, from before the crash:")
	old, err := s.client.send(ctx, s.first)
	if err != nil {
		return err
	}
	s.t.again(7, s.got, old)
	s.t.claim(old.replayed() && bytes.Equal(old.body, s.got.body), "its answer survived")
	return nil
}
