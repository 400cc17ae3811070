package directory_test

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// messages are the messages that wait to be sent, opened.
func (f *fixture) messages() []directory.Mail {
	f.t.Helper()
	jobs := must(f.svc.ClaimJobs(f.ctx, directory.System(0, "jobs"), directory.JobMail, f.unique("worker"), 100, time.Minute))(f.t)
	var list []directory.Mail
	for _, job := range jobs {
		m := must(f.svc.OpenMail(f.ctx, directory.System(0, "jobs"), job))(f.t)
		if m.Password != "" {
			f.secret(m.Password)
		}
		list = append(list, m)
	}
	return list
}

// A door's notice carries the password that the call set or made; the tenant's
// own carries none. Without an address there is none, and the user is made.
func TestRulesNoticeOnCreation(t *testing.T) {
	f := newFixture(t)
	f.someone(withPassword)
	if got := f.messages(); len(got) != 0 {
		t.Fatalf("a creation without a notice asked for %v", got)
	}
	notify := func(in *directory.NewUser) { in.Notify = true }
	u := f.someone(withPassword, notify)
	got := f.messages()
	if len(got) != 1 || got[0].To != u.Email || got[0].Password != password || got[0].UserName != u.UserName || got[0].Kind != directory.MailWelcome {
		t.Errorf("the door's notice: %+v", got)
	}
	made := f.someone(notify, func(in *directory.NewUser) { in.GeneratePassword = true })
	got = f.messages()
	if len(got) != 1 || got[0].Password == "" || !made.MustChangePassword {
		t.Fatalf("the notice of a generated password: %d messages, must change %v", len(got), made.MustChangePassword)
	}
	_, err := f.grant(f.client(), made.UserName, got[0].Password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginTemporary)
	f.someone(withPassword, notify, func(in *directory.NewUser) { in.Fields.Email = directory.Some("") })
	if got := f.messages(); len(got) != 0 {
		t.Errorf("a user without an address was written to: %v", got)
	}
	f.settings(func(t *directory.Tenant) { t.Settings.NotifyOnCreate = true })
	u = f.someone(withPassword)
	if got := f.messages(); len(got) != 1 || got[0].To != u.Email || got[0].Password != "" {
		t.Errorf("the tenant's notice: %d messages", len(got))
	}
}

// The server hears of messages that wait, after the change and only then.
func TestRulesMessagesWakeTheServer(t *testing.T) {
	f := newFixture(t)
	heard := 0
	f.svc = directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t), JobAdded: func() { heard++ },
		HashCost: directory.HashCost{MemoryKiB: 8, Iterations: 1, Parallelism: 1}})
	u := f.someone()
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.NewPassword{Password: password}))
	if heard != 0 {
		t.Errorf("%d calls without a message", heard)
	}
	f.someone(func(in *directory.NewUser) { in.Notify = true })
	check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	check(t, f.svc.GeneratePassword(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	if heard != 3 {
		t.Errorf("%d calls for three messages", heard)
	}
	if _, err := f.svc.CreateUser(f.ctx, f.sys(), directory.NewUser{Notify: true, Fields: directory.UserPatch{
		UserName: directory.Some(u.UserName), Email: directory.Some("x@example.com")}}); err == nil || heard != 3 {
		t.Errorf("a refused creation: %v, %d calls", err, heard)
	}
}
