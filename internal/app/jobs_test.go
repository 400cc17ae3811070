package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// running is a program that serves on a new database, with one tenant.
func running(t *testing.T) (a *App, tenant directory.Tenant) {
	t.Helper()
	cfg := config.Default()
	cfg.Addr, cfg.Database = "127.0.0.1:0", "sqlite:"+filepath.Join(t.TempDir(), "usher.db")
	a, err := New(t.Context(), cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	tenant, err = a.service.CreateTenant(t.Context(), directory.System(0, "test"), directory.Tenant{Name: "kentel"}, directory.Company{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, a.Close()); err != nil {
			t.Error(err)
		}
	})
	return a, tenant
}

// awaitEvent waits for the first event of a type.
func awaitEvent(t *testing.T, a *App, tenant directory.Tenant, kind directory.EventType) directory.Event {
	t.Helper()
	q := directory.EventQuery{Types: []directory.EventType{kind}, Limit: 1, Wait: directory.MaxFeedWait}
	for range 4 {
		page, err := a.service.ListEvents(t.Context(), directory.System(tenant.No, "test"), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Events) > 0 {
			return page.Events[0]
		}
	}
	t.Fatalf("no %s", kind)
	return directory.Event{}
}

// A user whose time comes while the server runs is inactive about a second later,
// although nothing else happens.
func TestAUserExpiresByItself(t *testing.T) {
	a, tenant := running(t)
	expires := time.Now().Add(1500 * time.Millisecond).UTC().Truncate(time.Microsecond)
	in := directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some("john"), ExpiresAt: directory.Some(expires)}}
	u, err := a.service.CreateUser(t.Context(), directory.System(tenant.No, "test"), in)
	if err != nil {
		t.Fatal(err)
	}
	e := awaitEvent(t, a, tenant, directory.EventUserDeactivated)
	if e.User != u.Number || e.Actor != "system:expiry" {
		t.Errorf("the event is of user %d by %s", e.User, e.Actor)
	}
	// The server looks every second; a machine with much to do gets some more.
	if late := e.Time.Sub(expires); late < 0 || late > 10*time.Second {
		t.Errorf("it came %s after the date", late)
	}
	answer := httptest.NewRecorder()
	a.metricsHandler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, kind := range directory.JobKinds() {
		if !strings.Contains(answer.Body.String(), `usher_jobs_total{kind="`+string(kind)+`",outcome="done"}`) {
			t.Errorf("no metric of %s", kind)
		}
	}
}

// A date that has passed is obeyed at once: the change wakes the runner.
func TestAPastDateIsObeyedAtOnce(t *testing.T) {
	a, tenant := running(t)
	in := directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some("john"), ExpiresAt: directory.Some(time.Now().Add(-time.Hour))}}
	if _, err := a.service.CreateUser(t.Context(), directory.System(tenant.No, "test"), in); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, a, tenant, directory.EventUserDeactivated)
}

// The recycle bin is emptied by the server when an administrator asks for it now.
func TestTheRecycleBinIsEmptiedOnDemand(t *testing.T) {
	a, tenant := running(t)
	call := func() *directory.Call { return directory.System(tenant.No, "test") }
	jobs, err := a.service.Jobs(t.Context(), call(), directory.JobQuery{Kind: directory.JobRecycle, Limit: 10})
	if err != nil || len(jobs.Jobs) != 1 {
		t.Fatalf("%+v, %v", jobs, err)
	}
	u, err := a.service.CreateUser(t.Context(), call(), directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some("john")}})
	if err != nil {
		t.Fatal(err)
	}
	ref := directory.ByNumber(u.Number)
	if _, err := a.service.DeleteUser(t.Context(), call(), ref); err != nil {
		t.Fatal(err)
	}
	err = a.store.Update(t.Context(), func(tx directory.Tx) error {
		before, err := tx.LockUser(t.Context(), tenant.No, u.Number)
		after := before
		after.DeletedAt = before.DeletedAt.AddDate(0, 0, -2)
		return errors.Join(err, tx.UpdateUser(t.Context(), before, after))
	})
	if err != nil {
		t.Fatal(err)
	}
	patch := directory.TenantPatch{Settings: func(now directory.Settings) (directory.Settings, error) {
		now.RecycleBinDays = 1
		return now, nil
	}}
	if _, err := a.service.EditTenant(t.Context(), call(), patch); err != nil {
		t.Fatal(err)
	}
	if _, err := a.service.RedoJob(t.Context(), call(), jobs.Jobs[0].ID); err != nil {
		t.Fatal(err)
	}
	if e := awaitEvent(t, a, tenant, directory.EventUserPurged); e.Actor != "system:recycle" {
		t.Errorf("it was purged by %s", e.Actor)
	}
}
