package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var holdChecks = []check{
	{"Holds lists the holds on a user, oldest first", holdsOrder},
	{"InsertHold reports false and changes nothing when it is there", holdTwice},
	{"DeleteHold releases one hold", holdDelete},
}

func (s *sample) hold(user int64, kind directory.HoldKind, ref string) directory.Hold {
	return directory.Hold{User: user, Kind: kind, Source: "fleet", Ref: ref, CreatedAt: noon}
}

func (s *sample) setHold(want bool, h directory.Hold) {
	s.t.Helper()
	s.wantChanged("InsertHold", want, func(tx directory.Tx) (bool, error) { return tx.InsertHold(s.ctx, s.tenant, h) })
}

func (s *sample) holds(user int64) []directory.Hold {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.Hold, error) {
		return r.Holds(ctx, s.tenant, user)
	})
}

func holdsOrder(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	late, early, same := s.hold(1, directory.HoldLegal, "a"), s.hold(1, directory.HoldOpenOrders, "z"), s.hold(1, directory.HoldOpenOrders, "b")
	late.CreatedAt = noon.Add(time.Microsecond)
	wantNoZero(t, late)
	other := s.hold(2, directory.HoldLegal, "a")
	for _, h := range []directory.Hold{late, early, same, other} {
		s.setHold(true, h)
	}
	wantSame(t, "holds of user 1", s.holds(1), []directory.Hold{same, early, late})
	wantSame(t, "holds of user 2", s.holds(2), []directory.Hold{other})
}

func holdTwice(t *testing.T, s *sample) {
	s.addUser(1)
	first := s.hold(1, directory.HoldLegal, "case 1")
	s.setHold(true, first)
	again := first
	again.CreatedAt = noon.Add(time.Hour)
	s.setHold(false, again)
	wantSame(t, "holds", s.holds(1), []directory.Hold{first})
}

func holdDelete(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	gone := s.hold(1, directory.HoldLegal, "case 1")
	kept := []directory.Hold{s.hold(1, directory.HoldLegal, "case 2"), s.hold(1, directory.HoldOpenOrders, "case 1")}
	others := s.hold(2, directory.HoldLegal, "case 1")
	for _, h := range append(kept, gone, others) {
		s.setHold(true, h)
	}
	gone.CreatedAt = time.Time{}
	for _, want := range []bool{true, false} {
		s.wantChanged("DeleteHold", want, func(tx directory.Tx) (bool, error) { return tx.DeleteHold(s.ctx, s.tenant, gone) })
	}
	wantSame(t, "holds", s.holds(1), kept)
	wantSame(t, "another's holds", s.holds(2), []directory.Hold{others})
}
