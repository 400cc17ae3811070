package directory_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// claim leases the messages that are due.
func (f *fixture) claim(owner string, limit int) []directory.Job {
	f.t.Helper()
	return must(f.svc.ClaimJobs(f.ctx, f.sys(), directory.JobMail, owner, limit, time.Minute))(f.t)
}

// A message is kept sealed, done by who has it, and gone once that is noted.
func TestRulesJobLife(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	for range 2 {
		check(t, f.svc.GeneratePassword(f.ctx, f.sys(), directory.ByNumber(u.Number)))
		f.clock.advance(time.Second)
	}
	jobs := f.claim("one", 10)
	if len(jobs) != 2 || jobs[0].Attempts != 1 || jobs[0].User != u.Number || jobs[0].Tenant != f.tenant.No || !jobs[0].CreatedAt.Before(jobs[1].CreatedAt) {
		t.Fatalf("claimed %+v", jobs)
	}
	if more := f.claim("two", 10); len(more) != 0 {
		t.Errorf("a second process has %d of them too", len(more))
	}
	m := must(f.svc.OpenMail(f.ctx, f.sys(), jobs[0]))(t)
	f.secret(m.Password)
	if text := f.dump("jobs")["jobs"]; strings.Contains(text, m.Password) || strings.Contains(text, u.Email) {
		t.Error("the message is not sealed")
	}
	swapped := jobs[0]
	swapped.Payload = jobs[1].Payload
	if _, err := f.svc.OpenMail(f.ctx, f.sys(), swapped); directory.CodeOf(err) != directory.CodeInternal {
		t.Errorf("another job's message: %v", err)
	}
	check(t, f.svc.FinishJob(f.ctx, f.sys(), jobs[0]))
	for _, err := range []error{f.svc.FinishJob(f.ctx, f.sys(), jobs[0]), f.svc.AbandonJob(f.ctx, f.sys(), jobs[0], "x"),
		f.svc.RetryJob(f.ctx, f.sys(), jobs[0], f.clock.now(), "x")} {
		wantError(t, err, directory.CodeConflict, directory.ReasonJobLost)
	}
	check(t, f.svc.RetryJob(f.ctx, f.sys(), jobs[1], f.clock.now().Add(time.Hour), "busy\x00 \xff"))
	if more := f.claim("one", 10); len(more) != 0 {
		t.Error("it is due before its time")
	}
	f.clock.advance(time.Hour)
	again := f.claim("two", 10)
	if len(again) != 1 || again[0].ID != jobs[1].ID || again[0].Attempts != 2 {
		t.Fatalf("claimed again: %+v", again)
	}
	check(t, f.svc.AbandonJob(f.ctx, f.sys(), again[0], strings.Repeat("no such address ", 100)))
	for i, want := range []directory.Job{{State: directory.JobDone}, {State: directory.JobFailed, LastError: strings.Repeat("no such address ", 32)[:500]}} {
		got := must(f.svc.Job(f.ctx, f.sys(), jobs[i].ID))(t)
		if got.State != want.State || got.LastError != want.LastError || got.ClosedAt.IsZero() || got.Payload != nil {
			t.Errorf("job %d is %+v", i, got)
		}
	}
	if text := f.dump("jobs")["jobs"]; strings.Count(text, "payload= ") != 1+2 { // and of the two that the tenant always has
		t.Errorf("a job that is done keeps its payload, or one that failed does not:\n%s", text)
	}
}

// A lease that ran out is another process's to take.
func TestRulesJobLease(t *testing.T) {
	f := newFixture(t)
	check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(f.someone().Number)))
	slow := f.claim("slow", 1)
	f.clock.advance(time.Minute)
	quick := f.claim("quick", 1)
	if len(slow) != 1 || len(quick) != 1 || quick[0].ID != slow[0].ID {
		t.Fatalf("claimed %d and %d", len(slow), len(quick))
	}
	wantError(t, f.svc.FinishJob(f.ctx, f.sys(), slow[0]), directory.CodeConflict, directory.ReasonJobLost)
	check(t, f.svc.FinishJob(f.ctx, f.sys(), quick[0]))
}

// Of many processes that claim at once, none gets what another has.
func TestRulesJobRace(t *testing.T) {
	f := newFixture(t)
	for range 6 {
		check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(f.someone().Number)))
	}
	claimed := make([][]directory.Job, 6)
	ways := make([]func() error, len(claimed))
	for i := range ways {
		ways[i] = func() (err error) {
			claimed[i], err = f.svc.ClaimJobs(f.ctx, f.sys(), directory.JobMail, "process-"+itoa(int64(i)), 2, time.Minute)
			return err
		}
	}
	race(ways)
	seen := map[string]bool{}
	for _, jobs := range claimed {
		for _, job := range jobs {
			if seen[job.ID] {
				t.Errorf("job %s is claimed twice", job.ID)
			}
			seen[job.ID] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d of 6 jobs are claimed", len(seen))
	}
}

// Servers look for work every second: as long as there is none they write
// nothing.
func TestRulesJobLook(t *testing.T) {
	f := newFixture(t)
	watched := &writes{Store: f.store}
	svc := directory.New(watched, directory.Options{Now: f.clock.now, Sealer: testSealer(t)})
	look := func(wantJobs, wantWrites int) {
		t.Helper()
		jobs := must(svc.ClaimJobs(f.ctx, f.sys(), directory.JobMail, "one", 5, time.Minute))(t)
		if len(jobs) != wantJobs || watched.n.Swap(0) != int64(wantWrites) {
			t.Errorf("%d jobs, or another number of writes than %d", len(jobs), wantWrites)
		}
	}
	look(0, 0)
	check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(f.someone().Number)))
	look(1, 1)
	look(0, 0)
	f.clock.advance(time.Minute)
	look(1, 1)
}

// writes counts the transactions of a store, and calls after at the end of each.
type writes struct {
	directory.Store
	n     atomic.Int64
	after func()
}

func (w *writes) Update(ctx context.Context, fn func(directory.Tx) error) error {
	w.n.Add(1)
	if w.after != nil {
		defer w.after()
	}
	return w.Store.Update(ctx, fn)
}

// A message that was sealed with a lost key never opens, and says so; one of
// which only this server has no key may.
func TestRulesJobSealedWithALostKey(t *testing.T) {
	f := newFixture(t)
	check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(f.someone().Number)))
	job := f.claim("one", 1)[0]
	permanent := func(sealer *directory.Sealer, payload []byte) bool {
		svc := directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: sealer})
		j := job
		j.Payload = payload
		_, err := svc.OpenMail(f.ctx, f.sys(), j)
		if err == nil {
			t.Fatal("the message was opened")
		}
		p, ok := errors.AsType[interface {
			error
			Permanent() bool
		}](err)
		return ok && p.Permanent()
	}
	for what, c := range map[string]struct {
		sealer  *directory.Sealer
		payload []byte
		want    bool
	}{
		"another key":   {must(directory.NewSealer(bytes.Repeat([]byte{2}, directory.SecretKeyBytes)))(t), job.Payload, true},
		"damaged":       {testSealer(t), job.Payload[:len(job.Payload)-1], true},
		"no message":    {testSealer(t), nil, true},
		"no key as yet": {nil, job.Payload, false},
	} {
		if got := permanent(c.sealer, c.payload); got != c.want {
			t.Errorf("%s: for good %t, want %t", what, got, c.want)
		}
	}
}
