package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var eventChecks = []check{
	{"An event's fields round trip", eventRoundTrip},
	{"Events lists a tenant's events after a position, in order", eventPages},
	{"An event of a transaction that fails is not kept", eventRolledBack},
}

// newEvent is an event with texts in every field.
func newEvent(t directory.TenantNo, kind directory.EventType) directory.Event {
	return directory.Event{Tenant: t, ID: uuid.Must(uuid.NewV7()).String(), Type: kind, User: 42, UserID: "0b1c", Company: 14146,
		Subject: "company:14146", Door: directory.DoorIQmetrix, Actor: "key:Büro", Origin: "credential:k", OnBehalfOf: "user:7", Reason: "left",
		RequestID: "0123456789abcdef", Time: noon, Salt: []byte{0, 1, 255}, Payload: []byte(`{"changes":{"title":["a","é\u0000"]}}`)}
}

// events lists the tenant's events, those that were committed a moment ago too.
func (s *sample) events(after int64, limit int) []directory.Event {
	s.t.Helper()
	s.seal()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.Event, error) {
		return r.Events(ctx, s.tenant, after, limit)
	})
}

func (s *sample) seal() {
	s.t.Helper()
	if err := s.store.Seal(s.ctx, s.tenant); err != nil {
		s.t.Fatalf("Seal: %v", err)
	}
}

func (s *sample) head() directory.ChainHead {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.ChainHead, error) {
		return r.ChainHead(ctx, s.tenant)
	})
}

func eventRoundTrip(t *testing.T, s *sample) {
	full := newEvent(s.tenant, directory.EventUserUpdated)
	bare := directory.Event{Tenant: s.tenant, ID: uuid.NewString(), Type: directory.EventTenantCreated, Time: noon}
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertEvent(s.ctx, full), tx.InsertEvent(s.ctx, bare))
	})
	got := s.events(0, 10)
	if len(got) != 2 || got[0].Seq < 1 || got[0].Seq >= got[1].Seq {
		t.Fatalf("events %v", got)
	}
	head := directory.ChainHead{Tenant: s.tenant}
	full.Seq, bare.Seq = got[0].Seq, got[1].Seq
	head.Append(&full)
	head.Append(&bare)
	wantNoZero(t, full)
	wantSame(t, "events", got, []directory.Event{full, bare})
	wantSame(t, "the head", s.head(), head)
}

func eventPages(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	var want []string
	for i := range 25 {
		e := newEvent(s.tenant, directory.EventUserUpdated)
		want = append(want, e.ID)
		s.update(func(tx directory.Tx) error {
			return errors.Join(tx.InsertEvent(s.ctx, e), tx.InsertEvent(s.ctx, newEvent(other.tenant, directory.EventUserCreated)))
		})
		if i%5 == 0 {
			_ = s.try(func(tx directory.Tx) error {
				return errors.Join(tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserDeleted)), errRefused)
			})
		}
	}
	var got []string
	after := int64(0)
	for {
		page := s.events(after, 7)
		if len(page) == 0 || len(page) > 7 {
			break
		}
		for _, e := range page {
			if e.Position != after+1 || e.Tenant != s.tenant {
				t.Fatalf("event %d of tenant %d after %d", e.Position, e.Tenant, after)
			}
			after = e.Position
			got = append(got, e.ID)
		}
	}
	wantSame(t, "events of all pages", got, want)
}

func eventRolledBack(t *testing.T, s *sample) {
	err := s.try(func(tx directory.Tx) error {
		return errors.Join(tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserCreated)), errRefused)
	})
	if !errors.Is(err, errRefused) || len(s.events(0, 10)) != 0 {
		t.Errorf("error %v, events %v", err, s.events(0, 10))
	}
}
