package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var contextChecks = []check{
	{"A ctx that is done before fn starts is answered without running it", contextDone},
	{"A ctx past its deadline is answered without running fn", contextDeadline},
	{"A ctx that is done before a Read or View fails them", contextDoneReading},
	{"A ctx cancelled in a started fn keeps all or nothing", contextDuring},
	{"A ctx cancelled after the last statement keeps all or nothing", contextLate},
	{"A ctx cancelled in a View leaves the store usable", contextView},
	{"A ctx cancelled after Update changes nothing", contextAfter},
}

func contextDone(t *testing.T, s *sample) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	ran := false
	err := s.store.Update(ctx, func(tx directory.Tx) error {
		ran = true
		return tx.InsertUser(ctx, s.user(1))
	})
	if !errors.Is(err, context.Canceled) || ran {
		t.Errorf("got error %v, fn ran: %t; want context.Canceled and no run", err, ran)
	}
	if s.exists(1) {
		t.Error("the user was stored")
	}
}

func contextDeadline(t *testing.T, s *sample) {
	ctx, cancel := context.WithDeadline(s.ctx, time.Now().Add(-time.Second))
	defer cancel()
	ran := false
	err := s.store.Update(ctx, func(directory.Tx) error { ran = true; return nil })
	if !errors.Is(err, context.DeadlineExceeded) || ran {
		t.Errorf("got error %v, fn ran: %t; want context.DeadlineExceeded and no run", err, ran)
	}
}

func contextDoneReading(t *testing.T, s *sample) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	for range 30 {
		err := s.store.Read(ctx, func(r directory.Reader) error {
			_, err := r.Tenant(ctx, s.tenant)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("Read: got %v, want context.Canceled", err)
		}
		err = s.store.View(ctx, func(r directory.Reader) error {
			_, err := r.Tenant(ctx, s.tenant)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("View: got %v, want context.Canceled", err)
		}
	}
	s.addUser(1)
	s.stored(1)
}

// wantAllOrNothing compares what Update answered with what is stored.
func (s *sample) wantAllOrNothing(err error) {
	s.t.Helper()
	first, second := s.exists(1), s.exists(2)
	if first != second || first != (err == nil) {
		s.t.Errorf("Update answered %v; user 1 exists: %t, user 2 exists: %t", err, first, second)
	}
	s.addUser(3)
}

func contextDuring(t *testing.T, s *sample) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	err := s.store.Update(ctx, func(tx directory.Tx) error {
		if err := tx.InsertUser(ctx, s.user(1)); err != nil {
			return err
		}
		cancel()
		return tx.InsertUser(ctx, s.user(2))
	})
	s.wantAllOrNothing(err)
}

func contextLate(t *testing.T, s *sample) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	err := s.store.Update(ctx, func(tx directory.Tx) error {
		err := errors.Join(tx.InsertUser(ctx, s.user(1)), tx.InsertUser(ctx, s.user(2)))
		cancel()
		return err
	})
	s.wantAllOrNothing(err)
}

func contextView(t *testing.T, s *sample) {
	for range 30 {
		ctx, cancel := context.WithCancel(s.ctx)
		_ = s.store.View(ctx, func(r directory.Reader) error {
			if _, err := r.Tenant(ctx, s.tenant); err != nil {
				t.Errorf("before the cancellation: %v", err)
			}
			cancel()
			_, err := r.Tenant(ctx, s.tenant)
			return err
		})
		cancel()
	}
	s.view(func(r directory.Reader) error {
		_, err := r.Tenant(s.ctx, s.tenant)
		return err
	})
	s.addUser(1)
}

func contextAfter(t *testing.T, s *sample) {
	for number := int64(1); number <= 30; number++ {
		ctx, cancel := context.WithCancel(s.ctx)
		err := s.store.Update(ctx, func(tx directory.Tx) error { return tx.InsertUser(ctx, s.user(number)) })
		cancel()
		if err != nil || !s.exists(number) {
			t.Fatalf("user %d: error %v, exists %t", number, err, s.exists(number))
		}
	}
}

// containsAny reports whether text has one of the parts.
func containsAny(text string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}
