package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// close ends a job that was claimed.
func (s *sample) close(j directory.Job, state directory.JobState, at time.Duration) {
	s.t.Helper()
	s.wantHeld("CloseJob", true, func(tx directory.Tx) (bool, error) { return tx.CloseJob(s.ctx, j, state, "because", noon.Add(at)) })
}

func jobStates(t *testing.T, s *sample) {
	j := s.job("one", 0)
	s.addJobs(j)
	other := newSample(t, s.store)
	for of, id := range map[*sample]string{s: "none", other: j.ID} {
		_, err := tryLook(of, func(ctx context.Context, r directory.Reader) (directory.Job, error) {
			return r.Job(ctx, of.tenant, id, noon)
		})
		if !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("a job that is not there: %v", err)
		}
	}
	want := j
	want.State = directory.JobWaiting
	wantSame(t, "waiting", s.storedJob(j.ID, noon), want)
	held := s.claimAt("me", 0, 1)[0]
	wantSame(t, "running", s.storedJob(j.ID, noon.Add(time.Minute-time.Microsecond)), held)
	want = held
	want.State = directory.JobWaiting
	wantSame(t, "once the lease has run out", s.storedJob(j.ID, noon.Add(time.Minute)), want)
	s.close(held, directory.JobDone, time.Second)
	want.State, want.LastError, want.ClosedAt, want.Payload, want.LeaseOwner, want.LeaseUntil =
		directory.JobDone, "because", noon.Add(time.Second), nil, "", time.Time{}
	wantSame(t, "done", s.storedJob(j.ID, noon), want)
}

func jobFailed(t *testing.T, s *sample) {
	for _, state := range []directory.JobState{directory.JobFailed, directory.JobCancelled} {
		j := s.job(string(state), 0)
		s.addJobs(j)
		s.close(s.claimAt("me", 0, 1)[0], state, 0)
		if got := s.storedJob(j.ID, noon); got.State != state || string(got.Payload) != string(j.Payload) {
			t.Errorf("%s: %+v", state, got)
		}
		wantSame(t, "what can be claimed", s.claimAt("me", 9*time.Hour, 5), nil)
	}
}

// jobsListed compares lists of every selection with a list that was sorted and
// filtered here, page by page.
func jobsListed(t *testing.T, s *sample) {
	var all []directory.Job
	for i := range 24 {
		j := s.job(fmt.Sprint(i), 0)
		j.CreatedAt = noon.Add(time.Duration(i/3) * time.Second) // three at a time
		if i%4 == 0 {
			j.Kind += " other"
		}
		j.User = int64(i % 3)
		all = append(all, j)
	}
	s.addJobs(all...)
	for i, held := range s.claimAt("me", 0, 12) {
		switch i % 4 {
		case 0:
			s.close(held, directory.JobDone, 0)
		case 1:
			s.close(held, directory.JobFailed, 0)
		case 2:
			s.close(held, directory.JobCancelled, 0)
		}
	}
	now := noon.Add(time.Second) // the rest runs
	for i := range all {
		all[i] = s.storedJob(all[i].ID, now)
		all[i].Payload = nil
	}
	other := newSample(t, s.store)
	other.addJobs(other.job("foreign", 0))
	slices.SortFunc(all, func(a, b directory.Job) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID)) })
	for _, kind := range []directory.JobKind{"", s.kind(), s.kind() + " other", "none"} {
		for _, state := range []directory.JobState{"", directory.JobWaiting, directory.JobRunning, directory.JobDone, directory.JobFailed, directory.JobCancelled} {
			for user := range int64(4) {
				q := directory.JobSelection{Kind: kind, State: state, User: user, Now: now, Limit: 5}
				var want []directory.Job
				for _, j := range all {
					if (kind == "" || j.Kind == kind) && (state == "" || j.State == state) && (user == 0 || j.User == user) {
						want = append(want, j)
					}
				}
				wantSame(t, fmt.Sprintf("%q %q %d", kind, state, user), s.pagesOfJobs(q), want)
			}
		}
	}
	wantSame(t, "none", look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Job, error) {
		return r.Jobs(ctx, s.tenant, directory.JobSelection{Now: now})
	}), nil)
}

// pagesOfJobs reads a selection to its end.
func (s *sample) pagesOfJobs(q directory.JobSelection) (all []directory.Job) {
	s.t.Helper()
	for {
		page := look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.Job, error) {
			return r.Jobs(ctx, s.tenant, q)
		})
		if len(page) > q.Limit {
			s.t.Fatalf("%d jobs on a page of %d", len(page), q.Limit)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		q.BeforeTime, q.BeforeID = page[len(page)-1].CreatedAt, page[len(page)-1].ID
	}
}

// jobCycle: of a job that comes again the owner's earlier lease is not the
// present one, although owner and count are the same.
func jobCycle(t *testing.T, s *sample) {
	s.addJobs(s.job("one", 0))
	first := s.claimAt("me", 0, 1)[0]
	s.wantHeld("RetryJob", true, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, first, noon.Add(time.Hour), "") })
	if got := s.storedJob(first.ID, noon); got.Attempts != 0 || got.LastError != "" || got.State != directory.JobWaiting {
		t.Errorf("it waits as %+v", got)
	}
	second := s.claimAt("me", time.Hour, 1)[0]
	if second.Attempts != 1 {
		t.Errorf("it is claimed as %+v", second)
	}
	s.wantHeld("CloseJob of the first", false, func(tx directory.Tx) (bool, error) { return tx.CloseJob(s.ctx, first, directory.JobDone, "", noon) })
	s.close(second, directory.JobDone, 0)
}

func jobReopened(t *testing.T, s *sample) {
	reopen := func(want bool, id string, at time.Duration, states ...directory.JobState) {
		t.Helper()
		s.wantHeld(fmt.Sprint("ReopenJob ", states), want, func(tx directory.Tx) (bool, error) {
			return tx.ReopenJob(s.ctx, s.tenant, id, noon.Add(at), states...)
		})
	}
	all := []directory.JobState{directory.JobWaiting, directory.JobRunning, directory.JobDone, directory.JobFailed, directory.JobCancelled}
	reopen(false, "none", 0, all...)
	j := s.job("one", time.Hour)
	s.addJobs(j)
	reopen(false, j.ID, 0, all[1:]...)
	reopen(false, j.ID, 0)
	reopen(true, j.ID, 0, directory.JobWaiting)
	held := s.claimAt("me", 0, 1)[0]
	reopen(false, j.ID, time.Minute-time.Microsecond, directory.JobWaiting, directory.JobFailed, directory.JobDone)
	s.wantHeld("RetryJob", true, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, held, noon.Add(time.Hour), "no route") })
	reopen(true, j.ID, 0, directory.JobWaiting, directory.JobFailed)
	want := j
	want.RunAt, want.State, want.LastError = noon, directory.JobWaiting, "no route"
	wantSame(t, "a job that waited", s.storedJob(j.ID, noon), want)
	for _, state := range []directory.JobState{directory.JobFailed, directory.JobCancelled} {
		s.close(s.claimAt("me", 0, 1)[0], state, 0)
		reopen(false, j.ID, 0, slices.DeleteFunc(slices.Clone(all), func(other directory.JobState) bool { return other == state })...)
		reopen(true, j.ID, 0, state)
		want.LastError = "because"
		wantSame(t, string(state), s.storedJob(j.ID, noon), want)
	}
	s.claimAt("me", 0, 1)
	reopen(true, j.ID, time.Second, directory.JobRunning)
	wantSame(t, "its lease is over", s.claimAt("another", time.Second, 1)[0].Attempts, 1)
}

func jobEnded(t *testing.T, s *sample) {
	end := func(want bool, id string, at time.Duration) {
		t.Helper()
		s.wantHeld("EndJob", want, func(tx directory.Tx) (bool, error) {
			return tx.EndJob(s.ctx, s.tenant, id, directory.JobCancelled, noon.Add(at))
		})
	}
	end(false, "none", 0)
	j := s.job("one", 0)
	s.addJobs(j)
	held := s.claimAt("me", 0, 1)[0]
	end(false, j.ID, time.Minute-time.Microsecond)
	end(true, j.ID, time.Minute)
	end(false, j.ID, time.Minute)
	s.wantHeld("CloseJob", false, func(tx directory.Tx) (bool, error) { return tx.CloseJob(s.ctx, held, directory.JobDone, "", noon) })
	got := s.storedJob(j.ID, noon)
	if got.State != directory.JobCancelled || !got.ClosedAt.Equal(noon.Add(time.Minute)) || string(got.Payload) != string(j.Payload) {
		t.Errorf("it is %+v", got)
	}
	wantSame(t, "what can be claimed", s.claimAt("me", 9*time.Hour, 5), nil)
}

// jobClock: a clock was a year ahead, and is right again.
func jobClock(t *testing.T, s *sample) {
	const year = 365 * 24 * time.Hour
	leased, tried, planned := s.job("leased", -time.Hour), s.job("tried", 0), s.job("planned", year+time.Hour)
	s.addJobs(leased, tried, planned)
	for _, held := range s.claimAt("me", year, 5) {
		if held.ID == tried.ID {
			s.wantHeld("RetryJob", true, func(tx directory.Tx) (bool, error) { return tx.RetryJob(s.ctx, held, noon.Add(year), "no route") })
		}
	}
	if got := s.storedJob(leased.ID, noon); got.State != directory.JobWaiting {
		t.Errorf("a job with a lease of a year is %s", got.State)
	}
	due := look(t, s, func(ctx context.Context, r directory.Reader) (bool, error) { return r.JobsDue(ctx, s.kind(), noon) })
	wantSame(t, "JobsDue", due, true)
	wantSame(t, "at most one", idsOf(s.claimAt("another", 0, 1)), []string{leased.ID})
	due = look(t, s, func(ctx context.Context, r directory.Reader) (bool, error) { return r.JobsDue(ctx, s.kind(), noon) })
	wantSame(t, "JobsDue of a pause", due, true)
	wantSame(t, "the rest", idsOf(s.claimAt("another", 0, 5)), []string{tried.ID})
	wantSame(t, "all are leased", s.claimAt("another", time.Second, 5), nil)
	due = look(t, s, func(ctx context.Context, r directory.Reader) (bool, error) {
		return r.JobsDue(ctx, s.kind(), noon.Add(time.Second))
	})
	wantSame(t, "JobsDue when all are leased", due, false)
}

func usersDeleted(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.addUser(9, func(u *directory.User) { u.State, u.DeletedAt = directory.StateDeleted, noon })
	var want []int64
	for n := int64(1); n <= 12; n++ {
		s.addUser(n, func(u *directory.User) {
			if n%4 != 0 {
				u.State, u.DeletedAt = directory.StateDeleted, noon.Add(-time.Duration(n/3)*time.Hour)
			}
		})
	}
	want = []int64{9, 10, 11, 6, 7, 3, 5} // before noon, the longest deleted first
	var got []int64
	at, after := time.Time{}, int64(0)
	for {
		page := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.User, error) {
			return r.DeletedUsers(ctx, s.tenant, noon, at, after, 2)
		})
		for _, u := range page {
			got = append(got, u.Number)
			at, after = u.DeletedAt, u.Number
		}
		if len(page) < 2 {
			break
		}
	}
	wantSame(t, "deleted users", got, want)
}
