package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var factorChecks = []check{
	{"SetSecondFactor writes or replaces a user's second factor", factorSet},
	{"DeleteSecondFactor erases it with its recovery codes", factorDelete},
	{"A recovery code is spent once", recoverySpent},
	{"DeleteImpersonation ends a leave to act as another", impersonationEnds},
}

var overviewChecks = []check{
	{"SamplePools notes the seats of every pool and PoolDays lists them", poolDays},
	{"SweepPoolDays removes what was noted of days before", poolDaysSwept},
	{"EventDays counts the events that are indexed by day", eventDays},
	{"CountLocked counts the locked users of a company's subtree", countLocked},
	{"CountFailedJobs counts the jobs that were given up", countFailedJobs},
}

var factorRaces = []check{
	{"Of many that spend one recovery code one gets true", raceRecovery},
	{"Samples of pools at once wait for each other", racePoolDays},
}

func (s *sample) factor(user int64) directory.SecondFactor {
	return directory.SecondFactor{User: user, Sealed: []byte("sealed"), CreatedAt: noon, LastStep: 1 << 40, Failures: 3, FailedAt: noon.Add(time.Second), Rank: directory.RankAdministrator}
}

func (s *sample) setFactor(f directory.SecondFactor, codes ...string) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		hashes := make([][]byte, len(codes))
		for i, code := range codes {
			hashes[i] = sum(code)
		}
		if err := tx.SetSecondFactor(s.ctx, s.tenant, f); err != nil {
			return err
		}
		return tx.SetRecoveryCodes(s.ctx, s.tenant, f.User, hashes)
	})
}

func (s *sample) storedFactor(user int64) (directory.SecondFactor, error) {
	return tryLook(s, func(ctx context.Context, r directory.Reader) (directory.SecondFactor, error) {
		return r.SecondFactor(ctx, s.tenant, user)
	})
}

func (s *sample) recoveryCodes(user int64) int64 {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (int64, error) {
		return r.RecoveryCodes(ctx, s.tenant, user)
	})
}

func factorSet(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	first := s.factor(1)
	wantNoZero(t, first)
	s.setFactor(first, "a", "b")
	s.setFactor(s.factor(2), "a")
	for _, f := range []directory.SecondFactor{first, {User: 1, Sealed: []byte{}, CreatedAt: noon.Add(time.Hour)}} {
		s.update(func(tx directory.Tx) error { return tx.SetSecondFactor(s.ctx, s.tenant, f) })
		got, err := s.storedFactor(1)
		wantSame(t, "SecondFactor", got, f)
		if err != nil {
			t.Error(err)
		}
	}
	if s.recoveryCodes(1) != 2 || s.recoveryCodes(2) != 1 || s.recoveryCodes(3) != 0 {
		t.Errorf("%d, %d and %d recovery codes", s.recoveryCodes(1), s.recoveryCodes(2), s.recoveryCodes(3))
	}
	s.setFactor(first, "c", "d", "e")
	s.wantChanged("SpendRecoveryCode of before", false, func(tx directory.Tx) (bool, error) {
		return tx.SpendRecoveryCode(s.ctx, s.tenant, 1, sum("a"))
	})
	if s.recoveryCodes(1) != 3 {
		t.Errorf("%d recovery codes", s.recoveryCodes(1))
	}
}

func factorDelete(t *testing.T, s *sample) {
	for n := range int64(3) {
		s.addUser(n + 1)
		s.setFactor(s.factor(n+1), "a", "b")
	}
	remove := func(tx directory.Tx) (bool, error) { return tx.DeleteSecondFactor(s.ctx, s.tenant, 1) }
	s.wantChanged("DeleteSecondFactor", true, remove)
	s.wantChanged("DeleteSecondFactor again", false, remove)
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 2)) })
	for _, user := range []int64{1, 2} {
		_, err := s.storedFactor(user)
		wantNotFound(t, "the second factor", err)
		if n := s.recoveryCodes(user); n != 0 {
			t.Errorf("%d recovery codes of user %d", n, user)
		}
	}
	if _, err := s.storedFactor(3); err != nil || s.recoveryCodes(3) != 2 {
		t.Errorf("another user's: error %v, %d recovery codes", err, s.recoveryCodes(3))
	}
}

func recoverySpent(_ *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.setFactor(s.factor(1), "a")
	s.setFactor(s.factor(2), "b")
	spend := func(code string) func(tx directory.Tx) (bool, error) {
		return func(tx directory.Tx) (bool, error) { return tx.SpendRecoveryCode(s.ctx, s.tenant, 1, sum(code)) }
	}
	s.wantChanged("another user's code", false, spend("b"))
	s.wantChanged("a code", true, spend("a"))
	s.wantChanged("the code again", false, spend("a"))
}

func impersonationEnds(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	i := directory.Impersonation{Tenant: s.tenant, ID: "ends" + s.session(), Admin: 1, Target: 2, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	s.update(func(tx directory.Tx) error { return tx.InsertImpersonation(s.ctx, i) })
	other.wantChanged("DeleteImpersonation by another tenant", false, func(tx directory.Tx) (bool, error) {
		return tx.DeleteImpersonation(s.ctx, other.tenant, i.ID)
	})
	remove := func(tx directory.Tx) (bool, error) { return tx.DeleteImpersonation(s.ctx, s.tenant, i.ID) }
	s.wantChanged("DeleteImpersonation", true, remove)
	s.wantChanged("DeleteImpersonation again", false, remove)
	_, err := tryLook(s, func(ctx context.Context, r directory.Reader) (directory.Impersonation, error) {
		return r.Impersonation(ctx, i.ID)
	})
	wantNotFound(t, "the impersonation", err)
}

// sampleDay is a day that no other check notes.
const sampleDay = 25_000

func (s *sample) samplePools(day int64) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.SamplePools(s.ctx, day) })
}

func (s *sample) poolDays(from int64) []directory.PoolDay {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.PoolDay, error) {
		return r.PoolDays(ctx, s.tenant, from)
	})
}

func poolDays(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.setPool("Full", 3)
	s.setPool("Full", 200)
	s.setPool("Basic", -1)
	seat := s.takeSeat("Full")
	s.takeSeat("Full")
	s.samplePools(sampleDay)
	s.setPool("Full", 100)
	s.freeSeat("Full", seat)
	s.samplePools(sampleDay + 1)
	s.setPool("Full", 120)
	s.samplePools(sampleDay + 1)
	basic, full := directory.PoolDay{Type: "Basic", Day: sampleDay, Total: -1}, directory.PoolDay{Type: "Full", Day: sampleDay, Used: 2, Total: 200}
	later, last := basic, directory.PoolDay{Type: "Full", Day: sampleDay + 1, Used: 1, Total: 120}
	later.Day++
	wantSame(t, "PoolDays", s.poolDays(sampleDay), []directory.PoolDay{basic, later, full, last})
	wantSame(t, "PoolDays from the second day", s.poolDays(sampleDay+1), []directory.PoolDay{later, last})
	if got := other.poolDays(sampleDay); len(got) != 2 || got[0].Total != 3 {
		t.Errorf("the other tenant's: %+v", got)
	}
}

// sweptDay is long before all other days: a sweep reaches across tenants.
const sweptDay = 100

func poolDaysSwept(t *testing.T, s *sample) {
	s.setPool("Full", 5)
	day := time.Unix(sweptDay*24*3600, 0).UTC()
	sweep := func(before time.Time, limit int) int {
		return s.swept(before, limit, func(tx directory.Tx) removal { return tx.SweepPoolDays })
	}
	sweep(day.AddDate(0, 0, 3), 1<<20)
	for n := range int64(3) {
		s.samplePools(sweptDay + n)
	}
	mine := func() int { return len(s.poolDays(0)) }
	if n := mine(); n != 3 {
		t.Fatalf("%d days", n)
	}
	if n := sweep(day.AddDate(0, 0, 2).Add(-time.Microsecond), 0); n != 0 || mine() != 3 {
		t.Errorf("a sweep of no rows removed %d", n)
	}
	if n := sweep(day.AddDate(0, 0, 1), 1); n != 1 {
		t.Errorf("a sweep of one row removed %d", n)
	}
	for sweep(day.AddDate(0, 0, 2).Add(-time.Microsecond), 1<<20) > 0 { // that day itself is not before it
	}
	if n := mine(); n != 2 {
		t.Errorf("%d days are left", n)
	}
	sweep(day.AddDate(0, 0, 3), 1<<20)
}

func eventDays(t *testing.T, s *sample) {
	days := func(from int64) []directory.EventDay {
		return look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.EventDay, error) {
			return r.EventDays(ctx, s.tenant, from)
		})
	}
	first := noon.Unix() / (24 * 3600)
	for i, at := range []time.Time{noon, noon.Add(time.Hour), noon.Add(11 * time.Hour), noon.Add(12 * time.Hour), noon.Add(24 * time.Hour)} {
		e := newEvent(s.tenant, directory.EventUserUpdated)
		e.User, e.Time = int64(i+1), at
		s.update(func(tx directory.Tx) error { return tx.InsertEvent(s.ctx, e) })
	}
	s.seal()
	if got := days(0); len(got) != 0 {
		t.Errorf("not indexed: %+v", got)
	}
	s.indexed(1000)
	wantSame(t, "EventDays", days(0), []directory.EventDay{{Day: first, Events: 3}, {Day: first + 1, Events: 2}})
	wantSame(t, "EventDays from the second day", days(first+1), []directory.EventDay{{Day: first + 1, Events: 2}})
}

func countLocked(t *testing.T, s *sample) {
	count := func(company, limit int64) int64 {
		return look(t, s, func(ctx context.Context, r directory.Reader) (int64, error) {
			return r.CountLocked(ctx, s.tenant, company, limit)
		})
	}
	s.addTree()
	const below = 2
	for n := range int64(6) {
		s.addUser(n+1, func(u *directory.User) {
			u.Locked = n > 0
			if n > 3 {
				u.Company = below
			}
			if n == 1 {
				u.State, u.DeletedAt = directory.StateDeleted, noon
			}
		})
	}
	if all, some, sub, none := count(0, 100), count(0, 3), count(below, 100), count(below, 0); all != 4 || some != 3 || sub != 2 || none != 0 {
		t.Errorf("%d locked, %d of at most 3, %d below, %d of none; want 4, 3, 2, 0", all, some, sub, none)
	}
	s.change(5, func(u *directory.User) { u.Locked = false })
	if n := count(below, 100); n != 1 {
		t.Errorf("%d locked after one was unlocked", n)
	}
}

func countFailedJobs(t *testing.T, s *sample) {
	count := func(limit int64) int64 {
		return look(t, s, func(ctx context.Context, r directory.Reader) (int64, error) {
			return r.CountFailedJobs(ctx, s.tenant, limit)
		})
	}
	for _, name := range []string{"failed", "failed too", "done", "waiting"} {
		s.addJobs(s.job(name, 0))
	}
	for i, j := range s.claimAt("me", 0, 3) {
		state := directory.JobFailed
		if i == 2 {
			state = directory.JobDone
		}
		s.close(j, state, 0)
	}
	if all, some := count(10), count(1); all != 2 || some != 1 {
		t.Errorf("%d failed, %d of at most 1", all, some)
	}
}

func raceRecovery(t *testing.T, s *sample) {
	s.addUser(1)
	s.setFactor(s.factor(1), "a")
	spent := make(chan bool, 8)
	wantRace(t, race(8, func(int) error {
		var got bool
		err := s.try(func(tx directory.Tx) (err error) {
			if _, err = tx.LockUser(s.ctx, s.tenant, 1); err != nil {
				return err
			}
			got, err = tx.SpendRecoveryCode(s.ctx, s.tenant, 1, sum("a"))
			return err
		})
		spent <- got
		return err
	}))
	close(spent)
	n := 0
	for got := range spent {
		if got {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the code was spent %d times", n)
	}
}

func racePoolDays(t *testing.T, s *sample) {
	for _, kind := range []string{"A", "B", "C", "D"} {
		s.setPool(kind, 5)
	}
	wantRace(t, race(8, func(int) error {
		return s.try(func(tx directory.Tx) error { return tx.SamplePools(s.ctx, sampleDay+100) })
	}))
	if n := len(s.poolDays(sampleDay + 100)); n != 4 {
		t.Errorf("%d rows", n)
	}
}
