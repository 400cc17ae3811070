package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// addSteerRules are the rows of the policy matrix about jobs.
func addSteerRules(rules map[string]methodRule) {
	const whole = directory.ReasonScopeMissing
	waiting := func(call func(w *world, c *directory.Call, id string) error) func(w *world) func(c *directory.Call) error {
		return func(w *world) func(c *directory.Call) error {
			id := w.expiring(time.Hour).ID
			return func(c *directory.Call) error { return call(w, c, id) }
		}
	}
	rules["Jobs"] = methodRule{readerRank, directory.ScopeTenant, false, false, whole, noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.Jobs(w.ctx, c, directory.JobQuery{Limit: 10}))
	})}
	rules["Job"] = methodRule{readerRank, directory.ScopeTenant, false, false, whole, waiting(func(w *world, c *directory.Call, id string) error {
		return second(w.svc.Job(w.ctx, c, id))
	})}
	rules["RedoJob"] = methodRule{adminRank, directory.ScopeTenant, false, false, whole, waiting(func(w *world, c *directory.Call, id string) error {
		return second(w.svc.RedoJob(w.ctx, c, id))
	})}
	rules["CancelJob"] = methodRule{adminRank, directory.ScopeTenant, false, false, whole, waiting(func(w *world, c *directory.Call, id string) error {
		return second(w.svc.CancelJob(w.ctx, c, id))
	})}
	system := func(run func(w *world, c *directory.Call) error) methodRule {
		return methodRule{ownerRank, directory.ScopeTenant, false, true, "", noPreparation(run)}
	}
	rules["EnsureJobs"] = system(func(w *world, c *directory.Call) error { return w.svc.EnsureJobs(w.ctx, c) })
	rules["Expire"] = system(func(w *world, c *directory.Call) error {
		return w.svc.Expire(w.ctx, c, directory.Job{Tenant: w.tenant.No, Kind: directory.JobExpiry, User: 987_654})
	})
	rules["Recycle"] = system(func(w *world, c *directory.Call) error {
		return w.notAgain(w.svc.Recycle(w.ctx, c, directory.Job{Tenant: w.tenant.No, Kind: directory.JobRecycle}))
	})
	rules["Trim"] = system(func(w *world, c *directory.Call) error {
		return w.notAgain(w.svc.Trim(w.ctx, c, directory.Job{Tenant: w.tenant.No, Kind: directory.JobRetention}))
	})
}

// again is what a job that has been done and comes again answers.
type again interface {
	error
	Again() time.Time
}

// notAgain is the error of a job that was not done.
func (f *fixture) notAgain(err error) error {
	f.t.Helper()
	if _, ok := errors.AsType[again](err); ok {
		return nil
	}
	if err == nil {
		return errors.New("a job that never ends says that it has ended")
	}
	return err
}

// withExpiry sets when a new user expires.
func withExpiry(at time.Time) func(*directory.NewUser) {
	return func(in *directory.NewUser) { in.Fields.ExpiresAt = directory.Some(at) }
}

// expiring makes a user who expires after a time, and returns the job of it.
func (f *fixture) expiring(after time.Duration) directory.Job {
	f.t.Helper()
	u := f.someone(withExpiry(f.clock.now().Add(after)))
	return f.onlyJob(u.Number)
}

// jobsOf are the jobs about a user, the newest first.
func (f *fixture) jobsOf(number int64) []directory.Job {
	f.t.Helper()
	return must(f.svc.Jobs(f.ctx, f.sys(), directory.JobQuery{User: directory.ByNumber(number), Limit: directory.MaxLimit}))(f.t).Jobs
}

func (f *fixture) onlyJob(number int64) directory.Job {
	f.t.Helper()
	jobs := f.jobsOf(number)
	if len(jobs) != 1 {
		f.t.Fatalf("%d jobs about user %d, want one: %+v", len(jobs), number, jobs)
	}
	return jobs[0]
}

// claimKind leases the jobs of a kind that are due.
func (f *fixture) claimKind(kind directory.JobKind) []directory.Job {
	f.t.Helper()
	return must(f.svc.ClaimJobs(f.ctx, f.sys(), kind, "one", 10, time.Minute))(f.t)
}

// Lists are pages in falling order of time, by kind, state and user, without
// payloads.
func TestRulesJobsListed(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	var want []string
	for range 5 {
		f.clock.advance(time.Second)
		check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	}
	f.expiring(time.Hour)
	mails := f.claim("one", 3)
	check(t, f.svc.FinishJob(f.ctx, f.sys(), mails[0]))
	check(t, f.svc.AbandonJob(f.ctx, f.sys(), mails[1], "no such address"))
	for _, state := range []directory.JobState{directory.JobDone, directory.JobFailed, directory.JobRunning} {
		page := must(f.svc.Jobs(f.ctx, f.sys(), directory.JobQuery{State: state, Limit: 10}))(t)
		if len(page.Jobs) != 1 || page.Jobs[0].State != state || page.Next != "" {
			t.Errorf("%s: %+v", state, page)
		}
		want = append(want, page.Jobs[0].ID)
	}
	if diff := cmp.Diff([]string{mails[0].ID, mails[1].ID, mails[2].ID}, want); diff != "" {
		t.Error(diff)
	}
	var all []directory.Job
	key := f.key(readerRank)
	for cursor := ""; ; {
		page := must(f.svc.Jobs(f.ctx, f.as(key), directory.JobQuery{Kind: directory.JobMail, User: directory.ByID(u.ID), Limit: 2, Cursor: cursor}))(t)
		all = append(all, page.Jobs...)
		if cursor = page.Next; cursor == "" {
			break
		}
		_, err := f.svc.Jobs(f.ctx, f.as(key), directory.JobQuery{Kind: directory.JobExpiry, User: directory.ByID(u.ID), Limit: 2, Cursor: cursor})
		wantError(t, err, directory.CodeInvalid, directory.ReasonCursorInvalid)
	}
	if len(all) != 5 || !slices.IsSortedFunc(all, func(a, b directory.Job) int { return b.CreatedAt.Compare(a.CreatedAt) }) {
		t.Errorf("%d messages in another order: %+v", len(all), all)
	}
	for _, j := range all {
		if j.Payload != nil || j.User != u.Number {
			t.Errorf("a job is shown as %+v", j)
		}
	}
	for _, q := range []directory.JobQuery{{Kind: "other", Limit: 1}, {State: "other", Limit: 1}, {}, {Limit: directory.MaxLimit + 1}} {
		if _, err := f.svc.Jobs(f.ctx, f.sys(), q); directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%+v: error %v", q, err)
		}
	}
	_, err := f.svc.Jobs(f.ctx, f.sys(), directory.JobQuery{User: directory.ByNumber(987_654), Limit: 1})
	wantError(t, err, directory.CodeNotFound, directory.ReasonUserNotFound)
}

// What failed or was cancelled can be done all the same as long as what it needs
// is there, and what waits can be done at once.
func TestRulesRedoJob(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	id := f.onlyJob(u.Number).ID
	redo := func() (directory.Job, error) { return f.svc.RedoJob(f.ctx, f.sys(), id) }
	held := f.claim("one", 1)[0]
	_, err := redo()
	wantError(t, err, directory.CodeConflict, directory.ReasonJobRunning)
	check(t, f.svc.AbandonJob(f.ctx, f.sys(), held, "no such address"))
	mark := f.mark()
	call := f.sys()
	got := must(f.svc.RedoJob(f.ctx, call, id))(t)
	if got.State != directory.JobWaiting || got.Attempts != 0 || got.LastError != "no such address" || got.Payload != nil || !got.ClosedAt.IsZero() || !call.Changed {
		t.Errorf("it waits as %+v", got)
	}
	f.wantEvents(mark, directory.EventJobReopened)
	if e := f.events(mark)[0]; e.Subject != "job:"+id || e.User != u.Number || e.UserID != u.ID {
		t.Errorf("the event is about %q and user %d", e.Subject, e.User)
	}
	held = f.claim("one", 1)[0]
	check(t, f.svc.RetryJob(f.ctx, f.sys(), held, f.clock.now().Add(time.Hour), "busy"))
	must(redo())(t)
	held = f.claim("one", 1)[0]
	check(t, f.svc.FinishJob(f.ctx, f.sys(), held))
	_, err = redo()
	wantError(t, err, directory.CodeConflict, directory.ReasonJobClosed)
	_, err = f.svc.RedoJob(f.ctx, f.in(f.newTenant("umbrella", directory.Settings{})).sys(), id)
	wantError(t, err, directory.CodeNotFound, directory.ReasonJobNotFound)

	check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	late := f.claim("one", 1)[0]
	check(t, f.svc.AbandonJob(f.ctx, f.sys(), late, "x"))
	f.clock.advance(directory.PayloadsKept + time.Microsecond)
	must(f.svc.Sweep(f.ctx, directory.System(0, "sweep")))(t)
	_, err = f.svc.RedoJob(f.ctx, f.sys(), late.ID)
	wantError(t, err, directory.CodeConflict, directory.ReasonJobClosed)
}

// A job for a date is not done before it, however often somebody asks: it would
// end with nothing done, and the date would pass unnoticed.
func TestRulesRedoJobKeepsItsDate(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withExpiry(f.clock.now().Add(time.Hour)))
	j := f.onlyJob(u.Number)
	again := func(before directory.JobState) {
		t.Helper()
		got := must(f.svc.RedoJob(f.ctx, f.sys(), j.ID))(t)
		if got.State != directory.JobWaiting || !got.RunAt.Equal(u.ExpiresAt) {
			t.Errorf("one that was %s is %s and due at %s, want %s", before, got.State, got.RunAt, u.ExpiresAt)
		}
		if due := f.claimKind(directory.JobExpiry); len(due) != 0 {
			t.Errorf("%d jobs are due before the date", len(due))
		}
	}
	again(directory.JobWaiting)
	must(f.svc.CancelJob(f.ctx, f.sys(), j.ID))(t)
	again(directory.JobCancelled)
	f.clock.advance(time.Hour)
	due := f.claimKind(directory.JobExpiry)
	if len(due) != 1 {
		t.Fatalf("%d jobs are due at the date", len(due))
	}
	check(t, f.svc.RetryJob(f.ctx, f.sys(), due[0], f.clock.now().Add(time.Minute), "held"))
	if got := must(f.svc.RedoJob(f.ctx, f.sys(), j.ID))(t); !got.RunAt.Equal(f.clock.now()) {
		t.Errorf("one that was tried is due at %s", got.RunAt)
	}
	check(t, f.svc.Expire(f.ctx, f.sys(), f.claimKind(directory.JobExpiry)[0]))
	if now := must(f.svc.User(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t); now.State != directory.StateInactive {
		t.Errorf("the user is %s", now.State)
	}
}

// A year of five digits is no date of RFC 3339: what holds one could not be shown
// to anybody any more.
func TestRulesDatesHaveYearsOfFourDigits(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	west, east := time.FixedZone("west", -14*60*60), time.FixedZone("east", 14*60*60)
	for _, at := range []time.Time{time.Date(9999, 12, 31, 23, 0, 0, 0, west), time.Date(1, 1, 1, 1, 0, 0, 0, east), time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		for _, patch := range []directory.UserPatch{{ValidFrom: directory.Some(at)}, {ExpiresAt: directory.Some(at)}} {
			_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), patch, directory.UpdateOptions{})
			wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
		}
		_, _, err := f.svc.CreateKey(f.ctx, f.sys(), directory.NewCredential{Name: "far", Rank: readerRank, ExpiresAt: at})
		wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
	}
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	if got := must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{ExpiresAt: directory.Some(last)}, directory.UpdateOptions{}))(t); !got.ExpiresAt.Equal(last) {
		t.Errorf("the user expires at %s", got.ExpiresAt)
	}
}

func TestRulesCancelJob(t *testing.T) {
	f := newFixture(t)
	j := f.expiring(time.Hour)
	mark := f.mark()
	got := must(f.svc.CancelJob(f.ctx, f.sys(), j.ID))(t)
	if got.State != directory.JobCancelled || !got.ClosedAt.Equal(f.clock.now()) {
		t.Errorf("it is %+v", got)
	}
	f.wantEvents(mark, directory.EventJobCancelled)
	_, err := f.svc.CancelJob(f.ctx, f.sys(), j.ID)
	wantError(t, err, directory.CodeConflict, directory.ReasonJobClosed)
	f.clock.advance(2 * time.Hour)
	if jobs := f.claimKind(directory.JobExpiry); len(jobs) != 0 {
		t.Errorf("a cancelled job is claimed: %+v", jobs)
	}
	must(f.svc.RedoJob(f.ctx, f.sys(), j.ID))(t)
	f.claimKind(directory.JobExpiry)
	_, err = f.svc.CancelJob(f.ctx, f.sys(), j.ID)
	wantError(t, err, directory.CodeConflict, directory.ReasonJobRunning)
	for _, kind := range []directory.JobKind{directory.JobRecycle, directory.JobRetention} {
		page := must(f.svc.Jobs(f.ctx, f.sys(), directory.JobQuery{Kind: kind, Limit: 10}))(t)
		if len(page.Jobs) != 1 {
			t.Fatalf("the tenant has %d jobs %s", len(page.Jobs), kind)
		}
		_, err := f.svc.CancelJob(f.ctx, f.sys(), page.Jobs[0].ID)
		if page.Jobs[0].State == directory.JobWaiting {
			wantError(t, err, directory.CodeConflict, directory.ReasonJobPermanent)
		}
		if now := must(f.svc.RedoJob(f.ctx, f.sys(), page.Jobs[0].ID))(t); !now.RunAt.Equal(f.clock.now()) {
			t.Errorf("%s is due at %s", kind, now.RunAt)
		}
	}
}

// A tenant has the jobs that never end from the start, spread over an hour; one
// that is missing, or put back too far by a wrong clock, is mended.
func TestRulesEnsureJobs(t *testing.T) {
	f := newFixture(t)
	var at []time.Time
	for i := range 8 {
		in := f.in(f.newTenant(fmt.Sprint("t", i), directory.Settings{}))
		for _, j := range must(in.svc.Jobs(f.ctx, in.sys(), directory.JobQuery{Limit: 10}))(t).Jobs {
			if j.RunAt.Before(start) || !j.RunAt.Before(start.Add(time.Hour)) {
				t.Errorf("%s is due at %s", j.Kind, j.RunAt)
			}
			at = append(at, j.RunAt)
		}
	}
	if slices.SortFunc(at, time.Time.Compare); len(at) != 16 || at[15].Sub(at[0]) < 10*time.Minute {
		t.Errorf("the jobs are due at %v", at)
	}
	dump := f.dump()
	check(t, f.svc.EnsureJobs(f.ctx, directory.System(0, "jobs")))
	f.wantUnchanged(dump, "nothing to mend")
	f.clock.advance(2 * time.Hour)
	for _, j := range f.claimKind(directory.JobRecycle) {
		check(t, f.svc.RetryJob(f.ctx, f.sys(), j, f.clock.now().AddDate(9, 0, 0), ""))
	}
	check(t, f.svc.EnsureJobs(f.ctx, directory.System(0, "jobs")))
	if jobs := f.claimKind(directory.JobRecycle); len(jobs) != 9 {
		t.Errorf("%d of 9 jobs are due again", len(jobs))
	}
	ways := make([]func() error, 4)
	for i := range ways {
		ways[i] = func() error { return f.svc.EnsureJobs(f.ctx, directory.System(0, "jobs")) }
	}
	if won, refused := race(ways); won != len(ways) {
		t.Errorf("%d succeeded: %v", won, refused)
	}
}
