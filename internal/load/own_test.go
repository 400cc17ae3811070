package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// before is a proxy before a server, which answers itself when refuse does.
func before(t *testing.T, server *testkit.Server, refuse func(w http.ResponseWriter, r *http.Request) bool) *httptest.Server {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !refuse(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	return front
}

// reach reaches a server and gives the folder in which ids are kept.
func reach(t *testing.T, base string) (*Remote, string) {
	t.Helper()
	remote, err := Reach(t.Context(), base, Key, 250, false)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "bench")
	remote.KeepIn(dir)
	return remote, dir
}

// kept are the ids in the files of a folder.
func kept(t *testing.T, dir string) (ids []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") {
				ids = append(ids, strings.TrimSpace(line))
			}
		}
	}
	return ids
}

// A run that is stopped in the middle, before a server that refuses every other
// change and wants to be left alone, leaves nobody changed and nobody made.
func TestAStoppedRunLeavesEverybodyAsTheyWere(t *testing.T) {
	server := seededServer(t, "sqlite")
	ctx, stop := context.WithCancel(t.Context())
	var changes atomic.Int64
	var mu sync.Mutex
	var touched []string
	front := before(t, server, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			return false
		}
		n := changes.Add(1)
		if n > 30 {
			stop()
		}
		if n%2 == 0 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[n/2%2])
			return true
		}
		if r.URL.Path != canonicalUsers {
			mu.Lock()
			defer mu.Unlock()
			touched = append(touched, strings.Split(strings.TrimPrefix(r.URL.Path, canonicalUsers+"/"), "/")[0])
		}
		return false
	})
	remote, dir := reach(t, front.URL)
	was := census(t, server)
	c, err := remote.Contender(ctx, "state", "canonical", 3, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	ids := kept(t, dir)
	if len(ids) != 3 {
		t.Fatalf("before the first change the folder has %q", ids)
	}
	if err := Compete(ctx, nil, []*Contender{c}, Rounds{Rounds: 1, Slice: time.Minute}); !errors.Is(err, context.Canceled) {
		t.Errorf("the run ended with %v", err)
	}
	if now := census(t, server); now.inactive != was.inactive || now.users != was.users+3 {
		t.Errorf("after the run the directory has %+v, and had %+v", now, was)
	}
	if err := remote.Close(ctx); err != nil {
		t.Error(err)
	}
	if now := census(t, server); now != was {
		t.Errorf("the directory has %+v, and had %+v", now, was)
	}
	if left := kept(t, dir); len(left) > 0 {
		t.Errorf("the folder still has %q", left)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, id := range touched {
		if !strings.Contains(strings.Join(ids, " "), id) {
			t.Errorf("%s was changed, whom the run did not make", id)
		}
	}
}

// Who cannot be deleted is deactivated; who cannot be set back at all is named,
// past the first failure, and stays in the file.
func TestWhoCannotBeSetBackIsNamed(t *testing.T) {
	server := seededServer(t, "sqlite")
	var closing atomic.Bool
	var stuck atomic.Value
	stuck.Store("nobody")
	front := before(t, server, func(w http.ResponseWriter, r *http.Request) bool {
		refused := closing.Load() && (r.Method == http.MethodDelete || strings.Contains(r.URL.Path, stuck.Load().(string)))
		if refused {
			w.WriteHeader(http.StatusForbidden)
		}
		return refused
	})
	remote, dir := reach(t, front.URL)
	was := census(t, server)
	if _, err := remote.Contender(t.Context(), "mixed", "scim", 3, 0, true); err != nil {
		t.Fatal(err)
	}
	ids := kept(t, dir)
	stuck.Store(ids[0])
	closing.Store(true)
	err := remote.Close(t.Context())
	left, ok := errors.AsType[*Unrestored](err)
	if !ok || len(left.IDs) != 1 || left.IDs[0] != ids[0] || !strings.Contains(err.Error(), ids[0]) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v, want %s and the file", err, ids[0])
	}
	if now := census(t, server); now.inactive != was.inactive+2 || len(kept(t, dir)) != 3 {
		t.Errorf("the directory has %+v, and had %+v; the file has %q", now, was, kept(t, dir))
	}
}

// Of a directory that the run seeded itself the people are activated again, past
// those for whom that is refused, who are named.
func TestUndoGoesOnPastErrors(t *testing.T) {
	server := seededServer(t, "sqlite")
	var stuck atomic.Value
	stuck.Store("")
	front := before(t, server, func(w http.ResponseWriter, r *http.Request) bool {
		id, activates := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, canonicalUsers+"/"), "/activate")
		refused := activates && stuck.CompareAndSwap("", id) || activates && stuck.Load() == id
		if refused {
			w.WriteHeader(http.StatusConflict)
		}
		return refused
	})
	site := &Site{URL: front.URL, Key: Key, Company: Company}
	client, err := NewClient(t.Context(), "iqmetrix", site)
	if err != nil {
		t.Fatal(err)
	}
	s, err := FindScenario("state", "iqmetrix")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.NewPlan(client, Seeded(seededUsers), "bench", 4)
	if err != nil {
		t.Fatal(err)
	}
	was, w := census(t, server), wireTo(t, server)
	for conn := range 4 {
		send(t.Context(), t, w, plan.Next(nil, conn, 0))
		plan.Answered(conn, []int{200, 0, 503, 200}[conn]) // two were done, and nobody said so
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	c := &Contender{plan: plan, site: site}
	left, ok := errors.AsType[*Unrestored](c.undo(stopped))
	if !ok || len(left.IDs) != 1 || left.IDs[0] != stuck.Load() {
		t.Errorf("%v, want %v", left, stuck.Load())
	}
	if now := census(t, server); now.inactive != was.inactive+1 {
		t.Errorf("%d users are inactive, %d were", now.inactive, was.inactive)
	}
	u, err := server.Service.User(t.Context(), call(t, server), directory.ByID(left.IDs[0]))
	if err != nil || u.State != directory.StateInactive {
		t.Errorf("who is named is %s: %v", u.State, err)
	}
	if again := plan.Undo(); len(again) != 1 || again[0].ID != left.IDs[0] {
		t.Errorf("left to undo: %v", again)
	}
}

// A refused request is sent again, and takes no step.
func TestOnlyDoneRequestsTakeAStep(t *testing.T) {
	turn := turns{unsettled: map[int]bool{}}
	for i, step := range []struct {
		status, at int
		inactive   bool
	}{{429, 0, false}, {204, 0, true}, {429, 0, true}, {409, 0, true}, {200, 1, false}, {0, 1, false}, {503, 1, false}, {429, 1, false}, {409, 1, true}, {200, 2, false}} {
		turn.answered(step.status)
		if turn.at != step.at || turn.inactive != step.inactive {
			t.Errorf("answer %d, %d: at %d, inactive %v", i, step.status, turn.at, turn.inactive)
		}
	}
	if turn.doubt || len(turn.unsettled) != 1 || !turn.unsettled[1] {
		t.Errorf("in doubt: %v", turn.unsettled)
	}
}

// A server that leads elsewhere does not get the key sent there; one that never
// ends, in pages or in one answer, is left.
func TestAHostileServer(t *testing.T) {
	var visits atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer elsewhere.Close()
	var pages atomic.Int64
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for chunk := []byte(strings.Repeat(" ", 1<<20)); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	for what, test := range map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"leads elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "307"},
		"empty pages": {func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"items": []any{}, "next_cursor": fmt.Sprint(pages.Add(1))})
		}, "does not end"},
		"one endless answer": {endless, "larger than"},
	} {
		server := httptest.NewServer(test.serve)
		_, err := Reach(t.Context(), server.URL, Key, 20_000, false)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", what, err, test.want)
		}
		server.Close()
	}
	if n := visits.Load(); n > 0 {
		t.Errorf("the other server was asked %d times", n)
	}
	server := httptest.NewServer(http.HandlerFunc(endless))
	defer server.Close()
	w := &wire{addr: strings.TrimPrefix(server.URL, "http://")}
	defer w.close()
	if _, err := w.exchange(t.Context(), getRoot(nil, 0, 0)); !errors.Is(err, errLarge) {
		t.Errorf("the generator read %v", err)
	}
}
