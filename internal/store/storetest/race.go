package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// race runs n goroutines that start together and returns what each answered.
func race(n int, run func(i int) error) []error {
	start := make(chan struct{})
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = run(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// wantRace fails on every error of a race that is none of the expected ones,
// and returns how many answered each of those; 0 counts successes.
func wantRace(t *testing.T, errs []error, expected ...error) []int {
	t.Helper()
	counts := make([]int, len(expected)+1)
next:
	for i, err := range errs {
		if err == nil {
			counts[0]++
			continue
		}
		for j, want := range expected {
			if errors.Is(err, want) {
				counts[j+1]++
				continue next
			}
		}
		t.Errorf("goroutine %d of %d: %v", i, len(errs), err)
	}
	return counts
}

var errNoSeat = errors.New("the pool is exhausted")

var seatRaces = []check{
	{"Of many that race for the last seats exactly total succeed", raceLastSeats},
	{"Seats taken and freed at once always add up", raceSeatChurn},
	{"A pool that is resized while seats are taken is never oversold", raceSeatResize},
	{"A free seat is found by whoever asks last", raceSeatFound},
}

// seatUser takes a seat for a user, as an activation does.
func (s *sample) seatUser(number int64, kind string) error {
	return s.try(func(tx directory.Tx) error {
		before, err := tx.LockUser(s.ctx, s.tenant, number)
		if err != nil {
			return err
		}
		if before.Seat != 0 {
			return nil
		}
		after := before
		after.LicenceType = kind
		if after.Seat, err = tx.TakeSeat(s.ctx, s.tenant, kind); err != nil {
			return err
		}
		if after.Seat == 0 {
			return errNoSeat
		}
		return tx.UpdateUser(s.ctx, before, after)
	})
}

// unseatUser gives a user's seat back, as a deactivation does.
func (s *sample) unseatUser(number int64) error {
	return s.try(func(tx directory.Tx) error {
		before, err := tx.LockUser(s.ctx, s.tenant, number)
		if err != nil || before.Seat == 0 {
			return err
		}
		after := before
		after.Seat = 0
		if err := tx.FreeSeat(s.ctx, s.tenant, before.LicenceType, before.Seat); err != nil {
			return err
		}
		return tx.UpdateUser(s.ctx, before, after)
	})
}

// wantSeats compares a pool's counter with the users that hold seats of it, in
// one snapshot, and with the greatest total that the pool has had.
func (s *sample) wantSeats(ctx context.Context, kind string, most int64) error {
	return s.store.View(ctx, func(r directory.Reader) error {
		pool, err := r.Pool(ctx, s.tenant, kind)
		if err != nil {
			return err
		}
		users, err := r.Users(ctx, s.tenant, directory.UserQuery{States: allStates, Limit: directory.MaxLimit})
		if err != nil {
			return err
		}
		var held int64
		for _, u := range users {
			if u.Seat != 0 && u.LicenceType == kind {
				held++
			}
		}
		if pool.Used != held || pool.Used > most {
			return fmt.Errorf("%d seats of %s are used, %d are held, and there were never more than %d", pool.Used, kind, held, most)
		}
		return nil
	})
}

func (s *sample) addPlain(count int) {
	s.t.Helper()
	var users []directory.User
	for n := 1; n <= count; n++ {
		users = append(users, s.user(int64(n)))
	}
	s.addUsers(users...)
}

func raceLastSeats(t *testing.T, s *sample) {
	const rivals = 80
	s.addPlain(rivals)
	for _, total := range []int64{1, 7, 63, 64, 70} {
		kind := fmt.Sprint("Pool of ", total)
		s.setPool(kind, total)
		counts := wantRace(t, race(rivals, func(i int) error { return s.seatUser(int64(i)+1, kind) }), errNoSeat)
		if int64(counts[0]) != total {
			t.Errorf("%d got a seat of a pool of %d", counts[0], total)
		}
		if err := s.wantSeats(s.ctx, kind, total); err != nil {
			t.Error(err)
		}
		wantRace(t, race(rivals, func(i int) error { return s.unseatUser(int64(i) + 1) }))
		wantSame(t, "pool after all seats were freed", s.pool(kind), directory.Pool{Type: kind, Total: total, Version: 1})
	}
}

func raceSeatChurn(t *testing.T, s *sample) {
	const workers, rounds = 10, 12
	s.addPlain(workers * 2)
	for _, total := range []int64{5, 64} {
		kind := fmt.Sprint("Pool of ", total)
		s.setPool(kind, total)
		wantRace(t, race(workers, func(i int) error {
			for round := range rounds {
				number := int64((i+round*3)%(workers*2)) + 1
				err := s.seatUser(number, kind)
				if round%2 == 1 {
					err = s.unseatUser(number)
				}
				if err != nil && !errors.Is(err, errNoSeat) {
					return err
				}
				if err := s.wantSeats(s.ctx, kind, total); err != nil {
					return err
				}
			}
			return nil
		}))
		wantRace(t, race(workers*2, func(i int) error { return s.unseatUser(int64(i) + 1) }))
		wantSame(t, "pool", s.pool(kind), directory.Pool{Type: kind, Total: total, Version: 1})
	}
}

func raceSeatResize(t *testing.T, s *sample) {
	const workers, most = 8, 90
	totals := []int64{3, 70, 10, most, 0, 64, 5}
	s.addPlain(workers * 4)
	s.setPool("Full", 5)
	wantRace(t, race(workers, func(i int) error {
		for round := range 8 * len(totals) {
			if i == 0 {
				total := totals[round%len(totals)]
				if err := s.try(func(tx directory.Tx) error { return tx.SetPool(s.ctx, s.tenant, "Full", total) }); err != nil {
					return err
				}
				continue
			}
			number := int64((i*4+round)%(workers*4)) + 1
			if round%3 == 2 {
				if err := s.unseatUser(number); err != nil {
					return err
				}
			} else if err := s.seatUser(number, "Full"); err != nil && !errors.Is(err, errNoSeat) {
				return err
			}
		}
		return s.wantSeats(s.ctx, "Full", most)
	}))
	if err := s.wantSeats(s.ctx, "Full", most); err != nil {
		t.Error(err)
	}
	used := s.pool("Full").Used
	s.setPool("Full", used+2)
	if got := s.takeAll("Full", 10); got != 2 {
		t.Errorf("took %d seats of a pool with 2 free", got)
	}
}

// raceSeatFound: while others come and go, the pool always has more seats than
// users, so nobody may be refused, whichever shard is looked at first.
func raceSeatFound(t *testing.T, s *sample) {
	const workers = 16
	s.addPlain(workers)
	s.setPool("Full", 64)
	s.takeSeats("Full", 64-workers)
	wantRace(t, race(workers, func(i int) error {
		for range 6 {
			if err := s.seatUser(int64(i)+1, "Full"); err != nil {
				return err
			}
			if err := s.unseatUser(int64(i) + 1); err != nil {
				return err
			}
		}
		return nil
	}))
	if used := s.pool("Full").Used; used != 64-workers {
		t.Errorf("%d seats are used, want %d", used, 64-workers)
	}
}
