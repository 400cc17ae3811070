package client_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// broken starts a server and a client that reaches it by a way with faults.
func broken(t *testing.T, options ...client.Option) (direct *client.Client, by func(...fault) (*client.Client, *way, *pauses)) {
	t.Helper()
	server := testkit.Start(t, testkit.Options{})
	_, key := server.Tenant(t, "office", directory.RankAdministrator)
	return newClient(t, server.URL, key), func(faults ...fault) (*client.Client, *way, *pauses) {
		t.Helper()
		w, p := newWay(t, server.URL, faults...), &pauses{}
		return newClient(t, w.URL, key, append([]client.Option{fresh(), p.option()}, options...)...), w, p
	}
}

func named(name string) client.NewUser {
	return client.NewUser{UserFields: client.UserFields{UserName: name}}
}

// The answer to a creation is lost, or an earlier attempt is still being worked on:
// the same key makes that there is one user, whom the caller gets.
func TestCreationIsRepeatedAndHappensOnce(t *testing.T) {
	direct, by := broken(t)
	c, w, _ := by(lose, cut, work)
	u, err := c.Users.Create(t.Context(), named("ada"))
	if err != nil {
		t.Fatal(err)
	}
	if u.UserName != "ada" || u.ETag != `"1"` || !u.Replayed {
		t.Errorf("created %+v, want ada as an earlier attempt made her", u)
	}
	keys := map[string]bool{}
	for _, r := range w.requests() {
		keys[r.Header.Get("Idempotency-Key")] = true
	}
	if len(w.requests()) != 4 || len(keys) != 1 || keys[""] {
		t.Errorf("%d attempts with the keys %v, want 4 with one", len(w.requests()), keys)
	}
	count := 0
	for _, err := range direct.Users.All(t.Context(), client.UserQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != 1 {
		t.Errorf("there are %d users, want 1", count)
	}
	again, err := c.Users.Create(t.Context(), named("bo"), client.IdempotencyKey("import-7"))
	if err != nil || again.Replayed {
		t.Fatalf("a creation with a key of its own: %+v, %v", again, err)
	}
	if u, err := direct.Users.Create(t.Context(), named("bo"), client.IdempotencyKey("import-7")); err != nil || !u.Replayed || u.ID != again.ID {
		t.Errorf("the same from another program: %+v, %v; want the user that is there", u, err)
	}
	if _, err := direct.Users.Create(t.Context(), named("cy"), client.IdempotencyKey("import-7")); !client.IsReason(err, "idempotency.reused") {
		t.Errorf("another body with the key: %v", err)
	}
}

// Reads and writes of a whole are repeated; pauses grow, and are not shorter than
// the server asks for.
func TestRepetition(t *testing.T) {
	direct, by := broken(t)
	ada := must(direct.Users.Create(t.Context(), named("ada")))(t)
	c, w, p := by(busy, drop, most)
	u, err := c.Users.Get(t.Context(), ada.ID)
	if err != nil || u.ETag != ada.ETag || len(w.requests()) != 4 {
		t.Errorf("read in %d attempts: %v, %v", len(w.requests()), u, err)
	}
	want := []time.Duration{187500 * time.Microsecond, 375 * time.Millisecond, 7*time.Second + 125*time.Millisecond}
	if !slices.Equal(p.list, want) {
		t.Errorf("pauses of %v, want %v", p.list, want)
	}
	c, w, _ = by(cut, lose)
	if u, err := c.Users.Replace(t.Context(), ada.ID, client.UserReplacement{UserFields: client.UserFields{UserName: "ada", Title: "Director"}}); err != nil ||
		u.Title != "Director" || u.ETag != `"2"` || len(w.requests()) != 3 {
		t.Errorf("replaced in %d attempts: %+v, %v", len(w.requests()), u, err)
	}
	c, w, _ = by(lose)
	err = c.Users.Delete(t.Context(), ada.ID)
	if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Reason != "user.deleted" || refused.Attempts != 2 || len(w.requests()) != 2 {
		t.Errorf("a deletion whose answer is lost: %v, want not found at attempt 2", err)
	}
}

// What nobody could tell from a second change is sent once.
func TestWhatIsNotRepeated(t *testing.T) {
	direct, by := broken(t)
	ada := must(direct.Users.Create(t.Context(), named("ada")))(t)
	for name, call := range map[string]func(*client.Client) error{
		"a merge patch": func(c *client.Client) error {
			_, err := c.Users.Update(t.Context(), ada.ID, client.UserPatch{Title: client.Set("Director")})
			return err
		},
		"an action": func(c *client.Client) error {
			_, err := c.Users.Deactivate(t.Context(), ada.ID)
			return err
		},
		"a replacement with a condition": func(c *client.Client) error {
			_, err := c.Users.Replace(t.Context(), ada.ID, client.UserReplacement{UserFields: ada.Fields()}, client.IfMatch(ada.ETag))
			return err
		},
		"a deletion with a condition": func(c *client.Client) error {
			return c.Users.Delete(t.Context(), ada.ID, client.IfMatch(ada.ETag))
		},
	} {
		for _, f := range []fault{drop, busy, most} {
			c, w, p := by(f)
			if err := call(c); err == nil || len(w.requests()) != 1 || len(p.list) != 0 {
				t.Errorf("%s with %s: %v after %d attempts, want an error after one", name, f, err, len(w.requests()))
			}
		}
	}
	if u := must(direct.Users.Get(t.Context(), ada.ID))(t); u.Version != 1 {
		t.Errorf("ada has version %d, want 1", u.Version)
	}
}

// Repetition ends: after so many attempts, where the server asks for too long a
// pause, and where the caller's time would be over before.
func TestRepetitionEnds(t *testing.T) {
	_, by := broken(t, client.WithMaxWait(6*time.Second))
	get := func(ctx context.Context, c *client.Client) *client.Error {
		t.Helper()
		_, err := c.Users.List(ctx, client.UserQuery{})
		refused, ok := errors.AsType[*client.Error](err)
		if !ok {
			t.Fatalf("%v, want an error of the server", err)
		}
		return refused
	}
	c, w, p := by(busy, busy, busy, busy, busy)
	if e := get(t.Context(), c); e.Status != http.StatusServiceUnavailable || e.Attempts != 4 || len(w.requests()) != 4 || len(p.list) != 3 {
		t.Errorf("%+v after %d attempts, want 503 after 4", e, len(w.requests()))
	}
	c, w, _ = by(most)
	if e := get(t.Context(), c); e.RetryAfter != 7*time.Second || len(w.requests()) != 1 {
		t.Errorf("%+v after %d attempts, want 429 after one", e, len(w.requests()))
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
	defer cancel()
	c, w, _ = by(busy)
	if _, err := c.Users.List(ctx, client.UserQuery{}); err != nil || len(w.requests()) != 2 {
		t.Errorf("with time enough: %v after %d attempts, want success after 2", err, len(w.requests()))
	}
	server := newWay(t, w.URL, most)
	hurried := newClient(t, server.URL, "key", fresh(), client.WithMaxWait(time.Hour*2))
	ctx, cancel = context.WithDeadline(t.Context(), time.Now().Add(6*time.Second))
	defer cancel()
	if e := get(ctx, hurried); e.Status != http.StatusTooManyRequests || len(server.requests()) != 1 {
		t.Errorf("with less time than the pause: %v after %d attempts, want 429 at once", e, len(server.requests()))
	}
}

// A call whose context ends returns, and is not repeated; during a pause too.
func TestContextEndsACall(t *testing.T) {
	arrived := make(chan struct{})
	w := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := newClient(t, w, "key").Users.List(ctx, client.UserQuery{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	w = newServer(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "50")
		rw.WriteHeader(http.StatusServiceUnavailable)
		cancel()
	})
	_, err := newClient(t, w, "key").Users.List(ctx, client.UserQuery{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
}
