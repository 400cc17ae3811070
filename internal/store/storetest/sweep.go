package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var sweepChecks = []check{
	{"SweepTokens removes tokens of every kind that expired before a time", sweepTokens},
	{"SweepImpersonations removes those that expired before a time", sweepImpersonations},
	{"SweepJobs removes jobs that were closed before a time", sweepJobs},
	{"SweepPayloads erases the payloads of jobs that were closed before a time", sweepPayloads},
	{"SweepSigningKeys removes keys to which the tenant had a newer one before a time", sweepSigningKeys},
}

var sweepRaces = []check{
	{"Sweeps at once remove each row once", raceSweeps},
	{"Sweeps and those who use a token never have the same one", raceSweepUse},
}

// past is long before the times of all other checks, whose rows share the
// database: sweeps reach across tenants.
var past = noon.AddDate(-20, 0, 0)

// removal is a method of directory.Sweeper.
type removal func(ctx context.Context, before time.Time, limit int) (int, error)

// swept runs a sweep and returns what it says.
func (s *sample) swept(before time.Time, limit int, method func(tx directory.Tx) removal) (n int) {
	s.t.Helper()
	s.update(func(tx directory.Tx) (err error) {
		n, err = method(tx)(s.ctx, before, limit)
		return err
	})
	return n
}

// wantSwept removes in steps what ended before past, of which there is so much.
// What other checks left without a time is not counted.
func (s *sample) wantSwept(want int, add func(), method func(tx directory.Tx) removal) {
	s.t.Helper()
	s.swept(past.AddDate(-1, 0, 0), 1<<20, method)
	add()
	for _, limit := range []int{0, -1, 1, 1 << 20, 1 << 20} {
		n := min(want, max(limit, 0))
		if got := s.swept(past, limit, method); got != n {
			s.t.Errorf("a sweep of at most %d rows removed %d, want %d", limit, got, n)
		}
		want -= n
	}
}

func sweepTokens(t *testing.T, s *sample) {
	s.addUser(1)
	c := s.apiUser("api")
	kinds := []directory.TokenKind{directory.TokenAccess, directory.TokenRefresh, directory.TokenSession, directory.TokenReset}
	var kept []directory.Token
	s.wantSwept(len(kinds)+1, func() {
		for i, kind := range kinds {
			old, new := s.token(fmt.Sprint("old", i), kind, 1), s.token(fmt.Sprint("new", i), kind, 1)
			old.ExpiresAt, new.ExpiresAt = past.Add(-time.Microsecond), past
			s.addTokens(old, new)
			kept = append(kept, new)
		}
		api := s.token("api", directory.TokenSession, 0)
		api.Client, api.ExpiresAt = c.ID, past.Add(-time.Hour)
		s.addTokens(api)
	}, func(tx directory.Tx) removal { return tx.SweepTokens })
	for _, token := range kept {
		s.wantChanged("DeleteToken", true, func(tx directory.Tx) (bool, error) { return tx.DeleteToken(s.ctx, token.Hash) })
	}
}

func sweepImpersonations(t *testing.T, s *sample) {
	kept := directory.Impersonation{Tenant: s.tenant, ID: "kept" + s.session(), Admin: 1, Target: 2, CreatedAt: past.Add(-time.Hour), ExpiresAt: past}
	s.wantSwept(3, func() {
		for i := range 3 {
			gone := kept
			gone.ID, gone.ExpiresAt = fmt.Sprint("gone", i)+s.session(), past.Add(-time.Microsecond)
			s.update(func(tx directory.Tx) error { return tx.InsertImpersonation(s.ctx, gone) })
		}
		s.update(func(tx directory.Tx) error { return tx.InsertImpersonation(s.ctx, kept) })
	}, func(tx directory.Tx) removal { return tx.SweepImpersonations })
	wantSame(t, "the one that is left", look(t, s, func(ctx context.Context, r directory.Reader) (directory.Impersonation, error) {
		return r.Impersonation(ctx, kept.ID)
	}), kept)
}

func sweepJobs(t *testing.T, s *sample) {
	ends := map[string]directory.JobState{"done": directory.JobDone, "failed": directory.JobFailed, "cancelled": directory.JobCancelled, "young": directory.JobDone}
	jobs := map[string]directory.Job{}
	s.wantSwept(3, func() {
		for _, name := range []string{"done", "failed", "cancelled", "open", "leased", "young"} {
			j := s.job(name, 0)
			j.CreatedAt = past.Add(-time.Hour)
			s.addJobs(j)
			jobs[name] = j
			held := s.claimAt("me", 0, 1)[0]
			closed := past.Add(-time.Microsecond)
			switch name {
			case "open":
				s.wantHeld("RetryJob", true, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, held, noon.Add(time.Hour), "") })
				continue
			case "leased":
				continue
			case "young":
				closed = past
			}
			s.close(held, ends[name], closed.Sub(noon))
		}
	}, func(tx directory.Tx) removal { return tx.SweepJobs })
	for name, j := range jobs {
		err := s.try(func(tx directory.Tx) error { return tx.InsertJob(s.ctx, j) })
		if name == "done" || name == "failed" || name == "cancelled" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else {
			wantConflict(t, name, err)
		}
	}
}

func sweepPayloads(t *testing.T, s *sample) {
	ends := map[string]directory.JobState{"done": directory.JobDone, "failed": directory.JobFailed, "cancelled": directory.JobCancelled, "young": directory.JobFailed}
	jobs := map[string]directory.Job{}
	s.wantSwept(2, func() {
		for _, name := range []string{"done", "failed", "cancelled", "leased", "young"} {
			j := s.job(name, 0)
			s.addJobs(j)
			jobs[name] = j
			held := s.claimAt("me", 0, 1)[0]
			if name == "young" {
				s.close(held, ends[name], past.Sub(noon))
			} else if name != "leased" {
				s.close(held, ends[name], past.Add(-time.Microsecond).Sub(noon))
			}
		}
	}, func(tx directory.Tx) removal { return tx.SweepPayloads })
	for name, j := range jobs {
		got := s.storedJob(j.ID, noon)
		if kept := len(got.Payload) > 0; kept != (name == "leased" || name == "young") {
			t.Errorf("%s: the payload is there: %t", name, kept)
		}
	}
}

func sweepSigningKeys(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	key := func(of *sample, name string, at time.Duration) directory.SigningKey {
		k := of.signingKey(name)
		k.CreatedAt = past.Add(at)
		of.addSigningKey(k)
		return k
	}
	var successor, newest, only directory.SigningKey
	s.wantSwept(2, func() {
		key(s, "first", -3*time.Hour)
		key(s, "same time a", -2*time.Hour)
		successor = key(s, "same time b", -2*time.Hour)
		newest = key(s, "newest", 0) // not before past: the one before it may have signed until then
		only = key(other, "only", -9*time.Hour)
	}, func(tx directory.Tx) removal { return tx.SweepSigningKeys })
	for of, want := range map[*sample][]directory.SigningKey{s: {newest, successor}, other: {only}} {
		wantSame(t, "the keys that are left", look(t, of, func(ctx context.Context, r directory.Reader) ([]directory.SigningKey, error) {
			return r.SigningKeys(ctx, of.tenant, 9)
		}), want)
	}
}

// expired stores tokens that a sweep until past removes.
func (s *sample) expired(n int) (list []directory.Token) {
	s.t.Helper()
	s.addUser(1)
	s.swept(past, 1<<20, func(tx directory.Tx) removal { return tx.SweepTokens })
	for i := range n {
		token := s.token(fmt.Sprint("expired", i), directory.TokenAccess, 1)
		token.ExpiresAt = past.Add(-time.Duration(1+i) * time.Second)
		list = append(list, token)
	}
	s.addTokens(list...)
	return list
}

func raceSweeps(t *testing.T, s *sample) {
	const rivals, rows = 8, 200
	s.expired(rows)
	var swept atomic.Int64
	wantRace(t, race(rivals, func(int) error {
		for range rows { // who finds rows taken by others finds fewer
			var n int
			err := s.try(func(tx directory.Tx) (err error) {
				n, err = tx.SweepTokens(s.ctx, past, 7)
				return err
			})
			if err != nil {
				return err
			}
			if n == 0 {
				return nil
			}
			swept.Add(int64(n))
		}
		return nil
	}))
	if left := s.swept(past, rows, func(tx directory.Tx) removal { return tx.SweepTokens }); swept.Load()+int64(left) != rows {
		t.Errorf("%d rows were removed at once and %d later, want %d together", swept.Load(), left, rows)
	}
}

// raceSweepUse extends tokens while sweeps run: a token is extended and stays,
// or is gone and cannot be.
func raceSweepUse(t *testing.T, s *sample) {
	const rivals = 8
	tokens := s.expired(100)
	var swept atomic.Int64
	extended := make([]atomic.Bool, len(tokens))
	wantRace(t, race(rivals, func(i int) error {
		for j := i / 2; j < len(tokens); j += rivals / 2 {
			var n int
			err := s.try(func(tx directory.Tx) (err error) {
				if i%2 == 0 {
					return tx.ExtendToken(s.ctx, tokens[j].Hash, noon)
				}
				n, err = tx.SweepTokens(s.ctx, past, 1)
				return err
			})
			if err != nil && !errors.Is(err, directory.ErrNotFound) {
				return err
			}
			extended[j].CompareAndSwap(false, i%2 == 0 && err == nil)
			swept.Add(int64(n))
		}
		return nil
	}))
	stayed := int64(0)
	for j := range tokens {
		if _, err := s.authenticate(tokens[j]); err != nil && extended[j].Load() {
			t.Errorf("token %d was extended and is gone: %v", j, err)
		}
		if extended[j].Load() {
			stayed++
		}
	}
	left := s.swept(past, len(tokens), func(tx directory.Tx) removal { return tx.SweepTokens })
	if stayed+swept.Load()+int64(left) != int64(len(tokens)) {
		t.Errorf("%d tokens were extended, %d removed and %d left, of %d", stayed, swept.Load(), left, len(tokens))
	}
}
