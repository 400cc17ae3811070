package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var licenceChecks = []check{
	{"SetPool creates or resizes a pool", poolSet},
	{"AddPool creates a pool and leaves one that is there as it is", poolAdded},
	{"TakeSeat answers 0 when there is no pool and when every shard refused", seatRefused},
	{"A pool of any size gives out exactly its total", seatTotals},
	{"FreeSeat gives back the seat that TakeSeat named", seatFree},
	{"A total below what is used takes no seat away and gives none until enough are free", seatShrunk},
	{"A pool that grows gives out the rest", seatGrown},
	{"A seat taken in a transaction that fails is free again", seatRolledBack},
	{"Pools lists every type", poolsList},
}

func (s *sample) setPool(kind string, total int64) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.SetPool(s.ctx, s.tenant, kind, total) })
}

func (s *sample) pool(kind string) directory.Pool {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.Pool, error) {
		return r.Pool(ctx, s.tenant, kind)
	})
}

// takeSeat takes one seat in a transaction of its own; 0 if there is none.
func (s *sample) takeSeat(kind string) int {
	s.t.Helper()
	var seat int
	s.update(func(tx directory.Tx) error {
		var err error
		seat, err = tx.TakeSeat(s.ctx, s.tenant, kind)
		return err
	})
	return seat
}

func (s *sample) freeSeat(kind string, seat int) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.FreeSeat(s.ctx, s.tenant, kind, seat) })
}

// takeSeats takes seats in one transaction until one is refused.
func (s *sample) takeSeats(kind string, most int) []int {
	s.t.Helper()
	var seats []int
	s.update(func(tx directory.Tx) error {
		taken := make([]int, 0, most)
		for range most {
			seat, err := tx.TakeSeat(s.ctx, s.tenant, kind)
			if err != nil {
				return err
			}
			if seat == 0 {
				break
			}
			taken = append(taken, seat)
		}
		seats = taken
		return nil
	})
	return seats
}

func (s *sample) takeAll(kind string, most int) int {
	s.t.Helper()
	return len(s.takeSeats(kind, most))
}

func poolSet(t *testing.T, s *sample) {
	for i, total := range []int64{5, 0, 100, 63, 64, 65, 5000, 1} {
		s.setPool("Full", total)
		s.setPool("Full", total) // nothing changes, nor does the version
		wantSame(t, "pool", s.pool("Full"), directory.Pool{Type: "Full", Total: total, Version: int64(i) + 1})
	}
}

func poolAdded(t *testing.T, s *sample) {
	add := func(total int64) {
		t.Helper()
		s.update(func(tx directory.Tx) error { return tx.AddPool(s.ctx, s.tenant, "Full", total) })
	}
	add(70)
	if got := s.takeAll("Full", 80); got != 70 {
		t.Errorf("an added pool of 70 gave out %d seats", got)
	}
	add(1000)
	add(0)
	wantSame(t, "pool", s.pool("Full"), directory.Pool{Type: "Full", Total: 70, Used: 70, Version: 1})
	if seat := s.takeSeat("Full"); seat != 0 {
		t.Errorf("seat %d of a full pool that was added again", seat)
	}
}

func seatRefused(t *testing.T, s *sample) {
	if seat := s.takeSeat("None"); seat != 0 {
		t.Errorf("seat %d without a pool", seat)
	}
	s.setPool("Zero", 0)
	if seat := s.takeSeat("Zero"); seat != 0 {
		t.Errorf("seat %d of an empty pool", seat)
	}
	s.setPool("One", 1)
	if first, second := s.takeSeat("One"), s.takeSeat("One"); first < 1 || second != 0 {
		t.Errorf("seats %d and %d of a pool of one", first, second)
	}
	wantSame(t, "pool", s.pool("One"), directory.Pool{Type: "One", Total: 1, Used: 1, Version: 1})
}

func seatTotals(t *testing.T, s *sample) {
	for _, total := range []int{1, 2, 15, 16, 17, 63, 64, 65, 100, 127, 129} {
		kind := fmt.Sprint("Pool of ", total)
		s.setPool(kind, int64(total))
		if got := s.takeAll(kind, total+20); got != total {
			t.Errorf("a pool of %d gave out %d seats", total, got)
		}
		wantSame(t, "pool", s.pool(kind), directory.Pool{Type: kind, Total: int64(total), Used: int64(total), Version: 1})
	}
}

func seatFree(t *testing.T, s *sample) {
	for _, total := range []int{3, 70} {
		kind := fmt.Sprint("Pool of ", total)
		s.setPool(kind, int64(total))
		seats := s.takeSeats(kind, total)
		for i, seat := range seats {
			s.freeSeat(kind, seat)
			again := s.takeSeat(kind)
			if again == 0 {
				t.Fatalf("pool of %d: seat %d is not free again", total, i)
			}
			seats[i] = again
		}
		for i, seat := range seats {
			s.freeSeat(kind, seat)
			wantSame(t, "pool", s.pool(kind), directory.Pool{Type: kind, Total: int64(total), Used: int64(total - i - 1), Version: 1})
		}
	}
}

// seatShrunk frees seats in both orders: a pool kept in shards must look at
// the sum of what is used, not at the shard that has room.
func seatShrunk(t *testing.T, s *sample) {
	for _, c := range []struct{ total, shrunk int }{{5, 2}, {100, 50}, {100, 10}, {200, 0}, {64, 63}} {
		for _, backwards := range []bool{false, true} {
			kind := fmt.Sprint("Pool of ", c, backwards)
			s.setPool(kind, int64(c.total))
			seats := s.takeSeats(kind, c.total)
			s.setPool(kind, int64(c.shrunk))
			wantSame(t, "shrunk pool", s.pool(kind), directory.Pool{Type: kind, Total: int64(c.shrunk), Used: int64(c.total), Version: 2})
			for used := c.total; used > 0; used-- {
				if used >= c.shrunk {
					if seat := s.takeSeat(kind); seat != 0 {
						t.Fatalf("%s: a seat with %d of %d used", kind, used, c.shrunk)
					}
				}
				if used == c.shrunk {
					break
				}
				i := len(seats) - 1
				if backwards {
					i = 0
				}
				s.freeSeat(kind, seats[i])
				seats = append(seats[:i], seats[i+1:]...)
			}
			if c.shrunk == 0 {
				continue
			}
			s.freeSeat(kind, seats[0])
			if seat := s.takeSeat(kind); seat == 0 {
				t.Errorf("%s: no seat with %d of %d used", kind, c.shrunk-1, c.shrunk)
			}
			wantSame(t, "pool", s.pool(kind), directory.Pool{Type: kind, Total: int64(c.shrunk), Used: int64(c.shrunk), Version: 2})
		}
	}
}

func seatGrown(t *testing.T, s *sample) {
	s.setPool("Full", 3)
	seats := s.takeSeats("Full", 3)
	for _, total := range []int{10, 63, 64, 200} {
		s.setPool("Full", int64(total))
		if used := s.pool("Full").Used; used != int64(len(seats)) {
			t.Errorf("after growing to %d, %d are used, want %d", total, used, len(seats))
		}
		seats = append(seats, s.takeSeats("Full", total)...)
		if len(seats) != total {
			t.Fatalf("a pool grown to %d has given out %d", total, len(seats))
		}
	}
	s.setPool("Full", 5)
	for i, seat := range seats {
		s.freeSeat("Full", seat)
		if used := s.pool("Full").Used; used != int64(len(seats)-i-1) {
			t.Fatalf("after freeing %d of %d seats %d are used", i+1, len(seats), used)
		}
	}
	if got := s.takeAll("Full", 20); got != 5 {
		t.Errorf("took %d of 5", got)
	}
}

func seatRolledBack(t *testing.T, s *sample) {
	s.setPool("Full", 1)
	for range 3 {
		err := s.try(func(tx directory.Tx) error {
			if seat, err := tx.TakeSeat(s.ctx, s.tenant, "Full"); err != nil || seat == 0 {
				return fmt.Errorf("seat %d: %w", seat, err)
			}
			return errRefused
		})
		if !errors.Is(err, errRefused) {
			t.Fatal(err)
		}
	}
	wantSame(t, "pool", s.pool("Full"), directory.Pool{Type: "Full", Total: 1, Version: 1})
}

func poolsList(t *testing.T, s *sample) {
	for i, kind := range []string{"b", "a", "B"} {
		s.setPool(kind, int64(100*i+1))
	}
	s.takeSeats("a", 30)
	got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Pool, error) { return r.Pools(ctx, s.tenant) })
	wantSame(t, "Pools", got, []directory.Pool{{Type: "B", Total: 201, Version: 1}, {Type: "a", Total: 101, Used: 30, Version: 1}, {Type: "b", Total: 1, Version: 1}})
}
