package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var jobChecks = []check{
	{"A job's fields round trip", jobRoundTrip},
	{"ClaimJobs leases the jobs of a kind that are due and not leased, oldest first", jobsDue},
	{"JobsDue reports whether ClaimJobs would find a job", jobsToClaim},
	{"A lease that has run out goes to another and the first has lost it", jobLost},
	{"CloseJob ends a job and a repeat of the insert is refused", jobClose},
	{"RetryJob puts a job back until then", jobRetry},
	{"Erasing a user ends the jobs about it and no others", jobsOfUser},
	{"Job reads one job with its payload in every state", jobStates},
	{"CloseJob keeps the payload of a job that is not done", jobFailed},
	{"Jobs lists the jobs that are selected and the newest first", jobsListed},
	{"RetryJob without a cause counts the attempts from 0", jobCycle},
	{"ReopenJob makes a job of a state due with its attempts counted from 0", jobReopened},
	{"EndJob closes a job that waits and is not leased", jobEnded},
	{"A lease and a pause that are too long count for nothing", jobClock},
}

// kind is a kind of job of the sample's own: claims reach across tenants.
func (s *sample) kind() directory.JobKind {
	return directory.JobKind(fmt.Sprint("kind of tenant ", s.tenant))
}

func (s *sample) job(name string, due time.Duration) directory.Job {
	return directory.Job{Tenant: s.tenant, ID: name + " " + uuid.NewString(), Kind: s.kind(), User: 1, RunAt: noon.Add(due),
		Payload: []byte("sealed " + name), CreatedAt: noon.Add(-time.Hour)}
}

func (s *sample) addJobs(jobs ...directory.Job) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, j := range jobs {
			if err := tx.InsertJob(s.ctx, j); err != nil {
				return err
			}
		}
		return nil
	})
}

// claimAt claims for a minute from noon + at.
func (s *sample) claimAt(owner string, at time.Duration, limit int) []directory.Job {
	s.t.Helper()
	jobs, err := s.tryClaim(owner, at, limit)
	if err != nil {
		s.t.Fatalf("ClaimJobs: %v", err)
	}
	return jobs
}

func (s *sample) tryClaim(owner string, at time.Duration, limit int) (jobs []directory.Job, err error) {
	now := noon.Add(at)
	err = s.try(func(tx directory.Tx) (err error) {
		jobs, err = tx.ClaimJobs(s.ctx, s.kind(), owner, now, now.Add(time.Minute), limit)
		return err
	})
	return jobs, err
}

func idsOf(jobs []directory.Job) (ids []string) {
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

// claimed is a job as ClaimJobs gives it out.
func claimed(j directory.Job, owner string, at time.Duration) directory.Job {
	j.LeaseOwner, j.LeaseUntil = owner, noon.Add(at+time.Minute)
	j.Attempts++
	j.State = directory.JobRunning
	return j
}

func jobRoundTrip(t *testing.T, s *sample) {
	j := s.job("one", 0)
	bare := directory.Job{Tenant: s.tenant, ID: "bare", Kind: s.kind(), RunAt: noon, CreatedAt: noon}
	s.addJobs(j)
	got := s.claimAt("me", 0, 5)
	wantSame(t, "claimed", got, []directory.Job{claimed(j, "me", 0)})
	s.wantHeld("RetryJob", true, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, got[0], noon, "no route") })
	got = s.claimAt("me", time.Second, 5)
	want := claimed(claimed(j, "me", 0), "me", time.Second)
	want.LastError = "no route"
	wantSame(t, "claimed again", got, []directory.Job{want})
	s.wantHeld("CloseJob", true, func(tx directory.Tx) (bool, error) {
		return tx.CloseJob(s.ctx, got[0], directory.JobFailed, "no such address", noon.Add(time.Minute))
	})
	want.State, want.LastError, want.ClosedAt = directory.JobFailed, "no such address", noon.Add(time.Minute)
	want.LeaseOwner, want.LeaseUntil = "", time.Time{}
	closed := s.storedJob(j.ID, noon)
	wantSame(t, "closed", closed, want)
	closed.LeaseOwner, closed.LeaseUntil = "me", noon // what only an open job has
	wantNoZero(t, closed)
	s.addJobs(bare)
	wantSame(t, "a job without payload and user", s.claimAt("me", 0, 5), []directory.Job{claimed(bare, "me", 0)})
}

func jobsDue(t *testing.T, s *sample) {
	a, b, c := s.job("b", -time.Hour), s.job("a", 0), s.job("c", 0)
	later := s.job("later", time.Microsecond)
	foreign := s.job("foreign", -time.Hour)
	foreign.Kind += " other"
	s.addJobs(c, later, a, foreign, b)
	wantSame(t, "the first two", idsOf(s.claimAt("me", 0, 2)), []string{a.ID, b.ID})
	wantSame(t, "none", s.claimAt("me", 0, 0), nil)
	wantSame(t, "the rest", idsOf(s.claimAt("another", 0, 10)), []string{c.ID})
	wantSame(t, "all are leased", s.claimAt("third", 0, 10), nil)
	wantSame(t, "when its time comes", idsOf(s.claimAt("third", time.Microsecond, 10)), []string{later.ID})
}

func jobsToClaim(t *testing.T, s *sample) {
	wantDue := func(at time.Duration, want bool) {
		t.Helper()
		if got := look(t, s, func(ctx context.Context, r directory.Reader) (bool, error) {
			return r.JobsDue(ctx, s.kind(), noon.Add(at))
		}); got != want {
			t.Errorf("JobsDue %v after noon: %t, want %t", at, got, want)
		}
	}
	wantDue(0, false)
	foreign, j := s.job("foreign", 0), s.job("one", 0)
	foreign.Kind += " other"
	s.addJobs(foreign, j)
	wantDue(-time.Microsecond, false)
	wantDue(0, true)
	s.claimAt("me", 0, 1)
	wantDue(time.Minute-time.Microsecond, false) // leased
	wantDue(time.Minute, true)
	again := s.claimAt("me", time.Minute, 1)[0]
	s.wantHeld("RetryJob", true, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, again, noon.Add(time.Hour), "") })
	wantDue(time.Hour-time.Microsecond, false)
	wantDue(time.Hour, true)
	last := s.claimAt("me", time.Hour, 1)[0]
	s.wantHeld("CloseJob", true, func(tx directory.Tx) (bool, error) { return tx.CloseJob(s.ctx, last, directory.JobDone, "done", noon) })
	wantDue(9*time.Hour, false)
}

// wantHeld compares what the owner of a lease is told.
func (s *sample) wantHeld(what string, want bool, end func(tx directory.Tx) (bool, error)) {
	s.t.Helper()
	s.wantChanged(what, want, end)
}

func jobLost(t *testing.T, s *sample) {
	j := s.job("one", 0)
	s.addJobs(j)
	first := s.claimAt("first", 0, 1)[0]
	if got := s.claimAt("second", time.Minute-time.Microsecond, 1); len(got) != 0 {
		t.Fatalf("claimed %+v while the lease ran", got)
	}
	second := s.claimAt("second", time.Minute, 1)
	if len(second) != 1 || second[0].Attempts != 2 {
		t.Fatalf("the second claim got %+v", second)
	}
	again := s.claimAt("second", 2*time.Minute, 1)[0]
	for what, lost := range map[string]directory.Job{"the first owner": first, "an earlier lease of the same owner": second[0]} {
		s.wantHeld("CloseJob of "+what, false, func(tx directory.Tx) (bool, error) { return tx.CloseJob(s.ctx, lost, directory.JobDone, "done", noon) })
		s.wantHeld("RetryJob of "+what, false, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, lost, noon, "failed") })
	}
	s.wantHeld("CloseJob", true, func(tx directory.Tx) (bool, error) { return tx.CloseJob(s.ctx, again, directory.JobDone, "done", noon) })
}

// storedJob reads a job as of a time.
func (s *sample) storedJob(id string, now time.Time) directory.Job {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.Job, error) {
		return r.Job(ctx, s.tenant, id, now)
	})
}

func jobClose(t *testing.T, s *sample) {
	gone, kept := s.job("gone", 0), s.job("kept", 0)
	s.addJobs(gone, kept)
	leased := s.claimAt("me", 0, 5)
	s.wantHeld("CloseJob", true, func(tx directory.Tx) (bool, error) {
		return tx.CloseJob(s.ctx, leased[0], directory.JobDone, "done", noon)
	})
	s.wantHeld("CloseJob again", false, func(tx directory.Tx) (bool, error) {
		return tx.CloseJob(s.ctx, leased[0], directory.JobDone, "done", noon)
	})
	s.wantHeld("RetryJob of a closed job", false, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, leased[0], noon, "") })
	wantSame(t, "what can be claimed later", idsOf(s.claimAt("me", time.Hour, 5)), []string{kept.ID})
	for what, j := range map[string]directory.Job{"a closed job": gone, "an open job": kept} {
		err := s.try(func(tx directory.Tx) error { return tx.InsertJob(s.ctx, j) })
		wantConflict(t, "a repeat of "+what, err)
	}
}

func jobRetry(t *testing.T, s *sample) {
	j := s.job("one", 0)
	s.addJobs(j)
	leased := s.claimAt("me", 0, 1)[0]
	then := 30 * time.Second // inside of the lease, which ends with this
	s.wantHeld("RetryJob", true, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, leased, noon.Add(then), "no route") })
	s.wantHeld("RetryJob again", false, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, leased, noon, "") })
	wantSame(t, "before then", s.claimAt("another", then-time.Microsecond, 1), nil)
	want := claimed(claimed(j, "me", 0), "another", then)
	want.RunAt, want.LastError = noon.Add(then), "no route"
	wantSame(t, "then", s.claimAt("another", then, 1), []directory.Job{want})
}

func jobsOfUser(t *testing.T, s *sample) {
	s.addPlain(2)
	open, leased, others, nobodys := s.job("open", 0), s.job("leased", -time.Hour), s.job("others", 0), s.job("nobody's", 0)
	others.User, nobodys.User = 2, 0
	s.addJobs(open, leased, others, nobodys)
	held := s.claimAt("me", -time.Hour, 5)
	wantSame(t, "leased", idsOf(held), []string{leased.ID})
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 1)) })
	s.wantHeld("CloseJob about an erased user", false, func(tx directory.Tx) (bool, error) {
		return tx.CloseJob(s.ctx, held[0], directory.JobDone, "sent", noon)
	})
	for _, j := range []directory.Job{open, leased} {
		got := s.storedJob(j.ID, noon)
		if got.State != directory.JobCancelled || got.User != 0 || len(got.Payload) > 0 {
			t.Errorf("a job about an erased user is %+v", got)
		}
	}
	left := idsOf(s.claimAt("me", time.Hour, 5))
	want := []string{others.ID, nobodys.ID}
	slices.Sort(left)
	slices.Sort(want)
	wantSame(t, "what is left to do", left, want)
}
