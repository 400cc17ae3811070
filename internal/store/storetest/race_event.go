package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var eventRaces = []check{
	{"A follower by position misses nothing and sees nothing twice", raceFollowed},
	{"Whoever changed something finds it in the feed after Seal", raceReadYourEvent},
	{"What is erased while others seal, index and write is gone", raceErased},
	{"What is trimmed while others seal and index is a beginning of the chain", raceTrimmed},
}

// chainReader follows a chain by position while it is written.
type chainReader struct {
	s    *sample
	head directory.ChainHead
	all  []directory.Event
}

// catchUp reads to the end. What it reads must follow what it has read.
func (r *chainReader) catchUp(limit int) error {
	for {
		var page []directory.Event
		err := r.s.store.Read(r.s.ctx, func(reader directory.Reader) (err error) {
			page, err = reader.Events(r.s.ctx, r.s.tenant, r.head.Position, limit)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			again := e
			r.head.Append(&again)
			if again.Position != e.Position || string(again.Hash) != string(e.Hash) {
				return fmt.Errorf("event %d does not follow the %d before it", e.Position, len(r.all))
			}
			r.all = append(r.all, e)
		}
	}
}

// followWhile runs fn beside a follower that reads what it is told of, and returns
// what that has read in the end.
func (s *sample) followWhile(fn func()) []directory.Event {
	s.t.Helper()
	told, stop := s.follow()
	defer stop()
	follower := &chainReader{s: s, head: directory.ChainHead{Tenant: s.tenant}}
	done, reading := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-told:
			case <-done:
				reading <- nil
				return
			}
			if err := follower.catchUp(7); err != nil {
				reading <- err
				return
			}
		}
	}()
	fn()
	s.seal()
	close(done)
	if err := errors.Join(<-reading, follower.catchUp(7)); err != nil {
		s.t.Fatal(err)
	}
	return follower.all
}

// changeTold changes a user and writes some events about it, whose company is the
// version that it made.
func (s *sample) changeTold(number int64, events int, failure error) (ids []string, err error) {
	err = s.try(func(tx directory.Tx) error {
		before, err := tx.LockUser(s.ctx, s.tenant, number)
		if err != nil {
			return err
		}
		after := before
		after.Version++
		fresh := make([]string, events)
		for i := range fresh {
			e := newEvent(s.tenant, directory.EventUserUpdated)
			e.User, e.Company = number, after.Version
			fresh[i] = e.ID
			err = errors.Join(err, tx.InsertEvent(s.ctx, e))
		}
		ids = fresh
		return errors.Join(err, failure, tx.UpdateUser(s.ctx, before, after))
	})
	return ids, err
}

func raceFollowed(t *testing.T, s *sample) {
	const writers, changes = 8, 25
	var mu sync.Mutex
	committed := map[int64][]string{} // by user
	s.addUser(1)
	s.addUser(2)
	all := s.followWhile(func() {
		wantRace(t, race(writers, func(writer int) error {
			for i := range changes {
				number, failure := int64(1+writer%2), error(nil)
				if i%4 == 3 {
					failure = errRefused
				}
				ids, err := s.changeTold(number, 1+i%3, failure)
				if !errors.Is(err, failure) {
					return err
				}
				if failure == nil {
					mu.Lock()
					committed[number] = append(committed[number], ids...)
					mu.Unlock()
				}
			}
			return nil
		}))
	})
	wantSame(t, "what the follower saw", all, s.wantWholeChain(nil))
	for number, ids := range committed {
		var saw []directory.Event
		for _, e := range all {
			if e.User == number {
				saw = append(saw, e)
			}
		}
		if !slices.IsSortedFunc(saw, func(a, b directory.Event) int { return cmp.Compare(a.Company, b.Company) }) {
			t.Errorf("the events of user %d are not in the order of their commits", number)
		}
		got := eventIDs(saw)
		slices.Sort(got)
		slices.Sort(ids)
		wantSame(t, fmt.Sprintf("what the follower saw of user %d", number), got, ids)
	}
}

func raceReadYourEvent(t *testing.T, s *sample) {
	_, stop := s.follow()
	defer stop()
	wantRace(t, race(8, func(int) error {
		for range 12 {
			e := newEvent(s.tenant, directory.EventUserUpdated)
			if err := s.try(func(tx directory.Tx) error { return tx.InsertEvent(s.ctx, e) }); err != nil {
				return err
			}
			if err := s.store.Seal(s.ctx, s.tenant); err != nil {
				return err
			}
			all, err := tryLook(s, func(ctx context.Context, r directory.Reader) ([]directory.Event, error) {
				return r.Events(ctx, s.tenant, 0, 10_000)
			})
			if err != nil {
				return err
			}
			if !slices.Contains(eventIDs(all), e.ID) {
				return fmt.Errorf("event %s is not among the %d in the feed", e.ID, len(all))
			}
		}
		return nil
	}))
	s.wantWholeChain(nil)
}

// around runs fn beside others that write events of user 2, seal and index.
func (s *sample) around(fn func() error) []error {
	return race(5, func(i int) error {
		for range 15 {
			var err error
			switch i {
			case 0:
				err = fn()
			case 1:
				err = s.store.Seal(s.ctx, s.tenant)
			case 2:
				err = s.try(func(tx directory.Tx) error {
					_, err := tx.IndexEvents(s.ctx, s.tenant, 10)
					return err
				})
			default:
				err = s.try(func(tx directory.Tx) error {
					e := newEvent(s.tenant, directory.EventUserUpdated)
					e.User = 2
					return tx.InsertEvent(s.ctx, e)
				})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func raceErased(t *testing.T, s *sample) {
	_, stop := s.follow()
	defer stop()
	wantRace(t, s.around(func() error {
		err := s.try(func(tx directory.Tx) error {
			e := newEvent(s.tenant, directory.EventUserUpdated)
			e.User, e.Reason = 1, "of one"
			return tx.InsertEvent(s.ctx, e)
		})
		return errors.Join(err, s.try(func(tx directory.Tx) error { return tx.EraseEvents(s.ctx, s.tenant, 1) }))
	}))
	all, n := s.events(0, 1000), 0
	for _, e := range all {
		if e.Erased() != (e.User == 1) || e.User == 1 && e.Reason != "" {
			t.Errorf("event %d of user %d: erased %t, reason %q", e.Position, e.User, e.Erased(), e.Reason)
		}
		if e.User == 1 {
			n++
		}
	}
	if n != 15 || len(all) != 45 {
		t.Errorf("%d events, %d of them erased; want 45 and 15", len(all), n)
	}
	s.indexed(100)
	if found := s.find(directory.EventSelection{Reason: "of one", Limit: 1, Scan: 100}); found.Seen != 0 {
		t.Errorf("an erased reason is in the index, at position %d", found.Seen)
	}
	if got := s.history(1, 0, 100); len(got) != 15 {
		t.Errorf("%d events of the user are found, want 15", len(got))
	}
}

func raceTrimmed(t *testing.T, s *sample) {
	_, stop := s.follow()
	defer stop()
	through, trimmed := int64(0), 0
	wantRace(t, s.around(func() error {
		through++
		n := 0
		err := s.try(func(tx directory.Tx) (err error) {
			n, err = tx.TrimEvents(s.ctx, s.tenant, through, 2)
			return err
		})
		trimmed += n
		return err
	}))
	rest := s.wantWholeChain(nil)
	if head := s.head(); int64(trimmed) != head.Base || head.Base > through || len(rest) != 30-trimmed {
		t.Errorf("%d of 30 are trimmed, the base is %d, %d remain", trimmed, head.Base, len(rest))
	}
	s.indexed(100)
	if got := s.history(2, 0, 100); len(got) != len(rest) {
		t.Errorf("%d events are found of %d", len(got), len(rest))
	}
}
