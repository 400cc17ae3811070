package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var bulkRaces = []check{
	{"Loads race with creates for names, and each name has one holder", raceLoads},
	{"Loads at once lose nothing", raceManyLoads},
	{"Many that take several seats at once get exactly what there is", raceTakeSeats},
	{"Seats taken by the many and by the one while a pool is resized add up", raceTakeResize},
	{"Numbers drawn at once by the one and by the many are all different", raceRowsOfNumbers},
	{"Of many that keep one part of a file one does", raceParts},
}

// raceLoads: a loader of forty names meets creates of single ones of them.
func raceLoads(t *testing.T, s *sample) {
	const workers, names = 8, 40
	var made atomic.Int64
	wantRace(t, race(workers, func(i int) error {
		base := int64(i)*1000 + 1
		if i%2 == 0 {
			loads := s.plainLoads(base, base+names-1)
			for n := range loads {
				loads[n].Handles[0].Key = fmt.Sprint("name", n)
			}
			err := s.try(func(tx directory.Tx) error { return tx.LoadUsers(s.ctx, s.tenant, loads) })
			if err == nil {
				made.Add(names)
			} else if directory.IsReason(err, directory.ReasonWriteConflict) {
				err = nil
			}
			return err
		}
		for n := range int64(names) {
			err := s.try(func(tx directory.Tx) error {
				return errors.Join(tx.InsertUser(s.ctx, s.user(base+n)), s.claim(tx, fmt.Sprint("name", names-1-n), base+n))
			})
			switch {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, errTaken) && !directory.IsReason(err, directory.ReasonWriteConflict):
				return err
			}
		}
		return nil
	}))
	wantSame(t, "users", int64(len(s.all())), made.Load())
	wantSame(t, "users of forty names", made.Load(), names)
	s.wantLists()
	s.wantSearch(s.all(), "user1")
}

func raceManyLoads(t *testing.T, s *sample) {
	const workers, rounds, size = 6, 5, 30
	s.addUser(1_000_000)
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			first := int64(1000*i+size*round) + 1
			err := s.try(func(tx directory.Tx) error {
				if i%3 == 0 { // beside somebody's change
					return errors.Join(s.changeIn(tx, 1_000_000, func(u *directory.User) { u.Version++ }), tx.LoadUsers(s.ctx, s.tenant, s.plainLoads(first, first+size-1)))
				}
				return tx.LoadUsers(s.ctx, s.tenant, s.plainLoads(first, first+size-1))
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	wantSame(t, "total", s.total(1, directory.LivingStates), workers*rounds*size+1)
	wantSame(t, "found", len(s.search("user")), workers*rounds*size+1)
	events := s.events(0, 10_000)
	wantSame(t, "events", len(events), workers*rounds*size)
	s.wantLists()
}

func raceTakeSeats(t *testing.T, s *sample) {
	const rivals = 24
	for _, total := range []int64{1, 50, 64, 100, 333} {
		kind := fmt.Sprint("Pool of ", total)
		s.setPool(kind, total)
		var taken atomic.Int64
		seats := make([][]int, rivals)
		wantRace(t, race(rivals, func(i int) error {
			return s.try(func(tx directory.Tx) (err error) {
				seats[i], err = tx.TakeSeats(s.ctx, s.tenant, kind, 3*i)
				return err
			})
		}))
		for i, list := range seats {
			taken.Add(int64(len(list)))
			if len(list) > 3*i {
				t.Errorf("%d seats where %d were asked for", len(list), 3*i)
			}
		}
		wantSame(t, "seats taken", taken.Load(), min(total, 3*rivals*(rivals-1)/2))
		wantSame(t, "seats used", s.pool(kind).Used, taken.Load())
		wantRace(t, race(rivals, func(i int) error {
			return s.try(func(tx directory.Tx) error {
				for _, seat := range seats[i] {
					if err := tx.FreeSeat(s.ctx, s.tenant, kind, seat); err != nil {
						return err
					}
				}
				return nil
			})
		}))
		wantSame(t, "seats used in the end", s.pool(kind).Used, 0)
	}
}

func raceTakeResize(t *testing.T, s *sample) {
	const workers, rounds, most = 8, 20, 120
	totals := []int64{3, 70, 10, most, 64, 5}
	s.setPool("Full", 5)
	var held atomic.Int64
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			if i == 0 {
				total := totals[round%len(totals)]
				if err := s.try(func(tx directory.Tx) error { return tx.SetPool(s.ctx, s.tenant, "Full", total) }); err != nil {
					return err
				}
				continue
			}
			var seats []int
			err := s.try(func(tx directory.Tx) (err error) {
				if i == 1 {
					seat, err := tx.TakeSeat(s.ctx, s.tenant, "Full")
					if seats = nil; seat > 0 {
						seats = []int{seat}
					}
					return err
				}
				seats, err = tx.TakeSeats(s.ctx, s.tenant, "Full", 9)
				return err
			})
			if err != nil {
				return err
			}
			held.Add(int64(len(seats)))
			if used := s.pool("Full").Used; used > most {
				return fmt.Errorf("%d seats of at most %d are used", used, most)
			}
			if round%2 == 0 {
				continue
			}
			err = s.try(func(tx directory.Tx) error {
				for _, seat := range seats {
					if err := tx.FreeSeat(s.ctx, s.tenant, "Full", seat); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			held.Add(-int64(len(seats)))
		}
		return nil
	}))
	used := s.pool("Full").Used
	wantSame(t, "seats used", used, held.Load())
	s.setPool("Full", used+2)
	wantSame(t, "seats of a pool with two free", len(s.takeMany("Full", 10)), 2)
}

func raceRowsOfNumbers(t *testing.T, s *sample) {
	const workers, rounds = 8, 10
	drawn := make([][]int64, workers)
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			count := int64(1 + (i*rounds+round)%70)
			var first int64
			err := s.try(func(tx directory.Tx) (err error) {
				if count%5 == 0 {
					count = 1
					first, err = tx.NextNumber(s.ctx, s.tenant, directory.NumberUser)
				} else {
					first, err = tx.NextNumbers(s.ctx, s.tenant, directory.NumberUser, count)
				}
				return err
			})
			if err != nil {
				return err
			}
			for n := range count {
				drawn[i] = append(drawn[i], first+n)
			}
		}
		return nil
	}))
	seen := map[int64]bool{}
	for _, list := range drawn {
		for _, n := range list {
			if n < 1 || seen[n] {
				t.Fatalf("number %d was drawn twice", n)
			}
			seen[n] = true
		}
	}
}

func raceParts(t *testing.T, s *sample) {
	const rivals = 10
	run := s.addRun(s.run(noon))
	errConflict := errors.New("conflict")
	counts := wantRace(t, race(rivals, func(i int) error {
		err := s.try(func(tx directory.Tx) error { return tx.InsertBulkPart(s.ctx, s.tenant, run.ID, 0, []byte{byte(i)}) })
		if directory.IsReason(err, directory.ReasonWriteConflict) {
			err = errConflict
		}
		return err
	}), errConflict)
	if counts[0] != 1 {
		t.Errorf("%d kept the part", counts[0])
	}
}
