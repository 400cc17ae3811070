package processes_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usher-id/usher/internal/testkit/site"
)

// change is what a writer asked for: the given name that it wanted a user to get.
type change struct {
	user string // UUID
	name string
}

// writers change users through any of the servers, and remember what was
// acknowledged and what may or may not have been done.
type writers struct {
	site    *site.Site
	users   []string // UUIDs
	budget  atomic.Int64
	mu      sync.Mutex
	sure    map[change]bool
	unsure  map[change]bool
	ordered map[string][]string // of a user, the acknowledged names in order
}

// newWriters makes users to change.
func newWriters(s *site.Site, users int) *writers {
	s.T.Helper()
	w := &writers{site: s, sure: map[change]bool{}, unsure: map[change]bool{}, ordered: map[string][]string{}}
	for i := range users {
		var made struct{ ID string }
		body := map[string]any{"user_name": fmt.Sprintf("writer%d@kentel.test", i)}
		if status, err := s.Servers[0].Call(s.T.Context(), http.MethodPost, "/users", body, &made); err != nil {
			s.T.Fatal(status, err)
		}
		w.users = append(w.users, made.ID)
	}
	return w
}

// run makes so many changes by so many writers, each of whom has users of its
// own, so that the order of what it asks of one is known.
func (w *writers) run(changes, count int) {
	w.budget.Store(int64(changes))
	var wg sync.WaitGroup
	for n := range count {
		wg.Go(func() { w.write(n, count) })
	}
	wg.Wait()
}

func (w *writers) write(n, count int) {
	for i := 0; w.budget.Add(-1) >= 0; i++ {
		user := w.users[(n+i*count)%len(w.users)]
		c := change{user: user, name: fmt.Sprintf("w%d-%d", n, i)}
		v := w.site.Servers[(n+i)%len(w.site.Servers)]
		<-v.Answers() // or the changes would be used up while it is away
		status, err := v.Call(context.Background(), http.MethodPatch, "/users/"+user, map[string]any{"given_name": c.name}, nil)
		w.mu.Lock()
		switch {
		case err == nil:
			w.sure[c] = true
			w.ordered[user] = append(w.ordered[user], c.name)
		case status == 0 || status >= 500:
			// Nobody knows whether it was done; it is not asked for again.
			w.unsure[c] = true
		default:
			w.site.T.Errorf("a change was refused: %v", err)
		}
		w.mu.Unlock()
	}
}

// compare holds a followed feed against what the writers did: every acknowledged
// change is there once, nothing is there that nobody asked for, and the changes
// of a user are in the order in which they were made.
func (w *writers) compare(t testing.TB, who string, feed []feedEvent) {
	t.Helper()
	seen, order := map[change]int{}, map[string][]string{}
	for i, e := range feed {
		if e.Position != int64(i+1) {
			t.Fatalf("%s: event %d has position %d", who, i+1, e.Position)
		}
		if e.Type != "user.updated" {
			continue
		}
		c := change{user: e.UserID, name: e.name()}
		seen[c]++
		order[c.user] = append(order[c.user], c.name)
		if !w.sure[c] && !w.unsure[c] {
			t.Errorf("%s: nobody asked for %v", who, c)
		}
	}
	for c, times := range seen {
		if times != 1 {
			t.Errorf("%s: %v was seen %d times", who, c, times)
		}
	}
	for c := range w.sure {
		if seen[c] == 0 {
			t.Errorf("%s: %v was acknowledged and is not in the feed", who, c)
		}
	}
	for user, names := range w.ordered {
		got := slices.DeleteFunc(order[user], func(name string) bool { return !w.sure[change{user, name}] })
		if !slices.Equal(got, names) {
			t.Errorf("%s: the changes of %s are %v, made as %v", who, user, got, names)
		}
	}
}
