package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var chainChecks = []check{
	{"Committed events have positions without gaps and hashes that verify", chainRandom},
	{"Events of parts that fail leave no gap", chainParts},
	{"ChainHead of a tenant without events has nothing but the tenant", chainEmpty},
	{"ChainHeads lists the chains that have an event, by tenant, greater than after", chainList},
	{"Seal of a tenant without new events changes nothing", chainSealed},
	{"SetChainEpoch sets the epoch and nothing else", chainEpoch},
	{"Follow tells of every chain that grows", chainFollowed},
	{"Follow tells how far chains were when it began", chainFollowedLate},
	{"Follow ends when ctx is done", chainFollowEnds},
	{"Only events that have a position are there", chainUnsealed},
}

// wantChain fails unless the events are a chain behind a base, with the hashes of
// what was written (by id) or of what was read.
func wantChain(t *testing.T, base directory.ChainHead, events []directory.Event, written map[string]directory.Event) (end directory.ChainHead) {
	t.Helper()
	for _, e := range events {
		fits := false
		for _, contents := range []directory.Event{written[e.ID], e} {
			again, head := e, base
			again.Reason, again.Salt, again.Payload = contents.Reason, contents.Salt, contents.Payload
			head.Append(&again)
			if again.Position == e.Position && bytes.Equal(again.PayloadHash, e.PayloadHash) && bytes.Equal(again.Hash, e.Hash) {
				fits, base = true, head
				break
			}
		}
		if !fits {
			t.Fatalf("event %d (%s) does not follow %d", e.Position, e.ID, base.Position)
		}
	}
	return base
}

// wantWholeChain is wantChain over all events of the tenant and its head.
func (s *sample) wantWholeChain(written map[string]directory.Event) []directory.Event {
	s.t.Helper()
	all := s.events(0, 100_000)
	head := s.head()
	end := wantChain(s.t, directory.ChainHead{Tenant: s.tenant, Position: head.Base, Hash: head.BaseHash}, all, written)
	if end.Position != head.Position || !bytes.Equal(end.Hash, head.Hash) {
		s.t.Errorf("the chain ends at %d, its head is at %d", end.Position, head.Position)
	}
	return all
}

// randomEvent is an event of which few are alike.
func (c chance) event(s *sample) directory.Event {
	e := newEvent(s.tenant, c.eventType())
	e.User = int64(c.IntN(6))
	e.Company, e.Door = int64(c.IntN(3)), directory.Door(c.IntN(4))
	e.Actor, e.Origin = []string{"", "key:a", "key:b"}[c.IntN(3)], []string{"", "credential:a", "user:1"}[c.IntN(3)]
	e.Reason = []string{"", "left", "joined", "left "}[c.IntN(4)]
	e.Payload = fmt.Appendf(nil, `{"changes":{"n":[0,%d]}}`, c.IntN(1000))
	return e
}

func (c chance) eventType() directory.EventType {
	return []directory.EventType{directory.EventUserCreated, directory.EventUserUpdated, directory.EventUserLocked}[c.IntN(3)]
}

func chainRandom(t *testing.T, s *sample) {
	c := newChance(t)
	other := newSample(t, s.store)
	var want []string
	written := map[string]directory.Event{}
	for range 40 {
		var kept []directory.Event
		fails := c.IntN(3) == 0
		some := c.IntN(40)
		err := s.try(func(tx directory.Tx) error {
			kept = nil
			for range some {
				e := c.event(s)
				if err := errors.Join(tx.InsertEvent(s.ctx, e), tx.InsertEvent(s.ctx, c.event(other))); err != nil {
					return err
				}
				kept = append(kept, e)
			}
			if fails {
				return errRefused
			}
			return nil
		})
		if errors.Is(err, errRefused) != fails {
			t.Fatal(err)
		}
		for _, e := range kept {
			if !fails {
				want = append(want, e.ID)
				written[e.ID] = e
			}
		}
	}
	wantSame(t, "the events", eventIDs(s.wantWholeChain(nil)), want)
	for _, e := range s.events(0, 1000) {
		w := written[e.ID]
		w.Seq, w.Position, w.PayloadHash, w.Hash = e.Seq, e.Position, e.PayloadHash, e.Hash
		wantSame(t, "an event", e, w)
	}
	other.wantWholeChain(nil)
}

func eventIDs(events []directory.Event) (ids []string) {
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

func chainParts(t *testing.T, s *sample) {
	var want []string
	s.update(func(tx directory.Tx) error {
		var kept []string
		for i := range 9 {
			e := newEvent(s.tenant, directory.EventUserUpdated)
			err := tx.Try(s.ctx, func() error {
				inner := tx.Try(s.ctx, func() error {
					return errors.Join(tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserLocked)), errRefused)
				})
				if err := tx.InsertEvent(s.ctx, e); err != nil || i%3 != 0 {
					return err
				}
				return inner
			})
			if errors.Is(err, errRefused) != (i%3 == 0) {
				return fmt.Errorf("part %d: %w", i, err)
			}
			if err == nil {
				kept = append(kept, e.ID)
			}
		}
		want = kept
		return nil
	})
	wantSame(t, "the events", eventIDs(s.wantWholeChain(nil)), want)
}

func chainEmpty(t *testing.T, s *sample) {
	s.seal()
	wantSame(t, "the head", s.head(), directory.ChainHead{Tenant: s.tenant})
	if got := s.events(0, 10); len(got) != 0 {
		t.Errorf("there are %d events", len(got))
	}
}

func chainList(t *testing.T, s *sample) {
	empty, second := newSample(t, s.store), newSample(t, s.store)
	second.addEvents(1, 2)
	s.addEvents(1)
	s.seal()
	second.seal()
	empty.update(func(tx directory.Tx) error { return tx.SetChainEpoch(s.ctx, empty.tenant, 3) })
	list := func(after directory.TenantNo, limit int) []directory.ChainHead {
		return look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.ChainHead, error) {
			return r.ChainHeads(ctx, after, limit)
		})
	}
	wantSame(t, "the chains", list(s.tenant-1, 10), []directory.ChainHead{s.head(), second.head()})
	wantSame(t, "one chain", list(s.tenant-1, 1), []directory.ChainHead{s.head()})
	wantSame(t, "the chains after one", list(s.tenant, 10), []directory.ChainHead{second.head()})
}

func chainSealed(t *testing.T, s *sample) {
	s.addEvents(1, 2)
	all, head := s.events(0, 10), s.head()
	s.seal()
	s.seal()
	wantSame(t, "the events", s.events(0, 10), all)
	wantSame(t, "the head", s.head(), head)
}

func chainEpoch(t *testing.T, s *sample) {
	for epoch := range int64(3) {
		s.update(func(tx directory.Tx) error {
			return errors.Join(tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventFeedRestarted)), tx.SetChainEpoch(s.ctx, s.tenant, 5-epoch))
		})
		s.wantWholeChain(nil)
		if head := s.head(); head.Epoch != 5-epoch || head.Position != epoch+1 {
			t.Errorf("epoch %d at position %d, want %d and %d", head.Epoch, head.Position, 5-epoch, epoch+1)
		}
	}
	err := s.try(func(tx directory.Tx) error { return errors.Join(tx.SetChainEpoch(s.ctx, s.tenant, 9), errRefused) })
	if head := s.head(); !errors.Is(err, errRefused) || head.Epoch != 3 {
		t.Errorf("after a transaction that failed the epoch is %d (%v)", head.Epoch, err)
	}
}

// growth is what a follower was told.
type growth struct {
	tenant   directory.TenantNo
	position int64
}

// follow follows until stop is called, which fails the test if Follow failed.
func (s *sample) follow() (told <-chan growth, stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	heard, ended := make(chan growth, 1<<16), make(chan error, 1)
	go func() {
		ended <- s.store.Follow(ctx, func(t directory.TenantNo, position int64) { heard <- growth{t, position} })
	}()
	return heard, func() {
		s.t.Helper()
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("Follow: %v", err)
		}
	}
}

// await waits until a chain is told to be at a position.
func (s *sample) await(told <-chan growth, position int64) {
	s.t.Helper()
	for {
		select {
		case g := <-told:
			if g.tenant == s.tenant && g.position == position {
				return
			}
		case <-s.ctx.Done():
			s.t.Fatalf("nobody was told of position %d", position)
		}
	}
}

func chainFollowed(t *testing.T, s *sample) {
	told, stop := s.follow()
	defer stop()
	for n := range int64(20) {
		s.addEvents(1, 2, 3)
		s.await(told, 3*(n+1))
		got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Event, error) {
			return r.Events(ctx, s.tenant, 3*n, 10)
		})
		if len(got) != 3 || !slices.IsSortedFunc(got, func(a, b directory.Event) int { return int(a.Position - b.Position) }) {
			t.Fatalf("%d events after position %d are there when it is told", len(got), 3*n)
		}
	}
}

func chainFollowedLate(t *testing.T, s *sample) {
	s.addEvents(1, 2)
	s.seal()
	told, stop := s.follow()
	s.await(told, 2)
	stop()
	s.addEvents(1)
	told, stop = s.follow()
	defer stop()
	s.await(told, 3)
}

func chainFollowEnds(_ *testing.T, s *sample) {
	_, stop := s.follow()
	stop()
	s.addEvents(1)
	s.wantWholeChain(nil)
}

func chainUnsealed(t *testing.T, s *sample) {
	for range 5 {
		s.addEvents(1, 2)
		var waiting, sealed []directory.Event
		s.view(func(r directory.Reader) (err error) {
			if waiting, err = r.UnsealedEvents(s.ctx, s.tenant, 100); err != nil {
				return err
			}
			sealed, err = r.Events(s.ctx, s.tenant, 0, 100)
			return err
		})
		all := s.events(0, 100)
		wantSame(t, "the events with a position and those without", eventIDs(slices.Concat(sealed, waiting)), eventIDs(all))
		for i, e := range waiting {
			of := all[len(sealed)+i]
			wantSame(t, "an event without a position", e, directory.Event{Seq: of.Seq, Tenant: of.Tenant, ID: of.ID, Type: of.Type, User: of.User, Time: of.Time})
		}
	}
}
