package torture

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/site"
)

// clocked is a directory in this process whose clock can be set, with writers.
type clocked struct {
	*directory.Service
	t      *testing.T
	tenant directory.TenantNo
	ahead  atomic.Int64
	done   atomic.Int64
	moved  chan struct{}
}

const (
	clockPassword = directory.Secret("Granite-Window-7-Lamp")
	day           = 24 * time.Hour
)

// Clocks that jump, forward and back, by hours and by days, under load: changes go on,
// whoever signed in is out when its time is over by the clock there is, and a sign-in
// of a day that has not come is not good for ever.
func TestClockJumps(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			s := site.New(t, site.Options{Engine: engine})
			db, err := store.Open(t.Context(), s.Database, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			c := &clocked{t: t, tenant: s.Tenant.No, moved: make(chan struct{}, 1)}
			c.Service = directory.New(db, directory.Options{Now: func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) },
				HashCost: directory.HashCost{MemoryKiB: 64, Iterations: 1, Parallelism: 1}})
			c.suffer()
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			if err := examined(s); err != nil {
				t.Error(err)
			}
		})
	}
}

// call is a call of the system.
func (c *clocked) call() *directory.Call { return directory.System(c.tenant, "test") }

// suffer lets the clock jump while changes are made.
func (c *clocked) suffer() {
	c.t.Helper()
	u, err := c.CreateUser(c.t.Context(), c.call(), directory.NewUser{Password: string(clockPassword), Fields: directory.UserPatch{UserName: directory.Some("clock")}})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(c.t.Context())
	var writers sync.WaitGroup
	for who := range 4 {
		writers.Go(func() { c.write(ctx, who) })
	}
	first := c.signIn()
	c.admits(first, true, "a sign-in of now")
	last := first
	rounds(1, func() {
		for _, jump := range []time.Duration{3 * time.Hour, -5 * time.Hour, 40 * day, -40 * day, 2 * time.Minute} {
			c.ahead.Add(int64(jump))
			c.more(20)
			last = c.signIn()
			c.admits(last, true, fmt.Sprintf("a sign-in after a jump of %s", jump))
			if jump == 40*day {
				c.admits(first, false, "a sign-in of 40 days ago")
			}
		}
		c.ahead.Store(0)
	})
	c.ahead.Store(int64(200 * day))
	c.admits(last, false, "a sign-in of 200 days ago")
	c.more(20)
	c.ahead.Store(0)
	stop()
	writers.Wait()
	if _, err := c.Deactivate(c.t.Context(), c.call(), directory.ByNumber(u.Number)); err != nil {
		c.t.Error(err)
	}
}

// signIn is the token of a new session.
func (c *clocked) signIn() directory.Secret {
	c.t.Helper()
	opened, err := c.OpenUserSession(c.t.Context(), &directory.Call{Door: directory.DoorCanonical, Addr: "198.51.100.7"}, "clock", clockPassword, "")
	if err != nil {
		c.t.Fatal(err)
	}
	return directory.Secret(opened.Token)
}

// admits requires that a session is good, or is not.
func (c *clocked) admits(token directory.Secret, want bool, what string) {
	c.t.Helper()
	err := c.Admit(c.t.Context(), &directory.Call{Door: directory.DoorCanonical, Secret: token})
	if (err == nil) != want || err != nil && directory.CodeOf(err) != directory.CodeUnauthenticated {
		c.t.Errorf("%s: %v", what, err)
	}
}

// write makes users, and lets them go, until the end.
func (c *clocked) write(ctx context.Context, who int) {
	for n := 0; ctx.Err() == nil; n++ {
		u, err := c.CreateUser(context.Background(), c.call(), directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some(fmt.Sprintf("w%d-%d", who, n)),
			ExpiresAt: directory.Some(time.Now().Add(time.Duration(n%7-3) * day))}})
		if err == nil && n%2 == 0 {
			_, err = c.Deactivate(context.Background(), c.call(), directory.ByNumber(u.Number))
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			c.t.Error(err)
			return
		}
		c.done.Add(1)
		select {
		case c.moved <- struct{}{}:
		default:
		}
	}
}

// more waits for so many more changes.
func (c *clocked) more(n int64) {
	c.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for from := c.done.Load(); c.done.Load() < from+n; {
		select {
		case <-c.moved:
		case <-late.C:
			c.t.Fatal("no more changes are made")
		}
	}
}
