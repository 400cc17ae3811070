package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit/site"
)

// doors are those that the load comes through.
const doors = "canonical,iqmetrix,encore"

// The pool that writers fight for, and how many want a seat.
const (
	pool    = "regular"
	seats   = 12
	people  = 36
	writing = 6 // writers, each with people of its own
)

// account is what a writer knows of a user: the names that it may have, and the
// states. There are several while the outcome of a change is not known.
type account struct {
	id     string
	number int64
	names  []string
	active []bool
}

// load is writers and readers on the servers of a site.
type load struct {
	t       testing.TB
	client  *http.Client
	targets []*site.Server
	stop    context.CancelFunc
	running sync.WaitGroup

	accounts [writing][]*account
	acked    atomic.Int64
	refused  atomic.Int64 // with 4xx: known not to be done
	unknown  atomic.Int64 // with 5xx or no answer
	reads    atomic.Int64
	failures atomic.Int64 // reads that were not answered
	moved    chan struct{}

	mu    sync.Mutex
	wrong []string // answers that are never right
}

// furnish makes the people and the pool, before any server runs.
func furnish(s *site.Site) (accounts [writing][]*account) {
	s.T.Helper()
	s.Setup(func(ctx context.Context, service *directory.Service) error {
		call := func() *directory.Call { return directory.System(s.Tenant.No, "test") }
		if _, err := service.SetPool(ctx, call(), pool, seats); err != nil {
			return err
		}
		for i := range people {
			u, err := service.CreateUser(ctx, call(), directory.NewUser{State: directory.StateStaged, Fields: directory.UserPatch{
				UserName: directory.Some(fmt.Sprintf("person%d", i)), GivenName: directory.Some("Nobody"), FamilyName: directory.Some("Torture"),
				Email: directory.Some(fmt.Sprintf("person%d@example.com", i)), LicenceType: directory.Some(pool)}})
			if err != nil {
				return err
			}
			accounts[i%writing] = append(accounts[i%writing], &account{id: u.ID, number: u.Number, names: []string{"Nobody"}, active: []bool{false}})
		}
		return nil
	})
	return accounts
}

// begin starts the load.
func begin(t testing.TB, accounts [writing][]*account, targets ...*site.Server) *load {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &load{t: t, targets: targets, stop: stop, accounts: accounts, moved: make(chan struct{}, 1),
		client: &http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	for i := range writing {
		l.running.Go(func() { l.write(ctx, i) })
	}
	for range 2 {
		l.running.Go(func() { l.read(ctx) })
	}
	t.Cleanup(l.end)
	return l
}

// end stops the load, and tells what it saw that must not be.
func (l *load) end() {
	l.stop()
	l.running.Wait()
	l.client.CloseIdleConnections()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.wrong {
		l.t.Error(w)
	}
	l.wrong = nil
}

func (l *load) wronged(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrong) < 10 {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

// target is any of the servers.
func (l *load) target() *site.Server { return l.targets[rand.IntN(len(l.targets))] }

// send sends a request; the status is 0 when no whole answer came.
func (l *load) send(ctx context.Context, method, path string, body any) (status int, answer []byte) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			l.wronged("%v", err)
			return 0, nil
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, l.target().URL()+path, sent)
	if err != nil {
		l.wronged("%v", err)
		return 0, nil
	}
	r.Header.Set("Authorization", "Bearer "+site.Key)
	r.Header.Set("Ocp-Apim-Subscription-Key", site.Key)
	r.Header.Set("Content-Type", "application/json")
	a, err := l.client.Do(r)
	if err != nil {
		return 0, nil
	}
	defer a.Body.Close()
	if answer, err = io.ReadAll(a.Body); err != nil {
		return 0, nil
	}
	if a.StatusCode == http.StatusInternalServerError {
		l.wronged("%s %s: 500 %s", method, path, answer)
	}
	return a.StatusCode, answer
}

// deed is a change of a user through a door.
type deed struct {
	method, path string
	body         any
	name         string // the name that it gives, or
	activates    bool   // the state
}

// deeds are the changes that a writer chooses from.
func deeds(a *account, name string) []deed {
	canonical, number := "/api/v1/users/"+a.id, fmt.Sprint(a.number)
	return []deed{
		{method: "PATCH", path: canonical, body: map[string]any{"given_name": name}, name: name},
		{method: "PATCH", path: "/users/v1/users/" + number, body: map[string]any{"FirstName": name}, name: name},
		{method: "POST", path: canonical + "/activate", activates: true},
		{method: "POST", path: "/v1/Users(" + number + ")/Enable", activates: true},
		{method: "PUT", path: "/users/v1/users/" + number + "/active", activates: true},
		{method: "POST", path: canonical + "/deactivate"},
		{method: "DELETE", path: "/v1/Users(" + number + ")"},
		{method: "DELETE", path: "/users/v1/users/" + number + "/active"},
	}
}

// write changes the people of one writer until the end.
func (l *load) write(ctx context.Context, who int) {
	for n := 0; ctx.Err() == nil; n++ {
		mine := l.accounts[who]
		if n%8 == 7 {
			l.create(who, fmt.Sprintf("new%d-%d", who, n))
			continue
		}
		a := mine[rand.IntN(len(mine))]
		name := fmt.Sprintf("Name%d-%d", who, n)
		list := deeds(a, name)
		l.do(a, list[rand.IntN(len(list))])
		if n%4 == 0 && len(a.names) == 1 && len(a.active) == 1 {
			l.lookAt(a)
		}
	}
}

// do makes a change and notes what is known of it. It is not cut short at the end of
// the test: the outcome would not be known.
func (l *load) do(a *account, d deed) {
	status, answer := l.send(context.Background(), d.method, d.path, d.body)
	switch {
	case status >= 200 && status < 300:
		if d.name != "" {
			a.names = []string{d.name}
		} else {
			a.active = []bool{d.activates}
		}
		l.ack()
	case status >= 400 && status < 500:
		l.refused.Add(1)
		if status != http.StatusTooManyRequests && d.name != "" {
			l.wronged("%s %s was refused: %d %s", d.method, d.path, status, answer)
		}
	default:
		l.unknown.Add(1)
		if d.name != "" {
			a.names = append(a.names, d.name)
		} else if !slices.Contains(a.active, d.activates) {
			a.active = append(a.active, d.activates)
		}
		l.pause()
	}
}

// create makes a user who holds no seat. One whose making is not known is forgotten.
func (l *load) create(who int, name string) {
	status, answer := l.send(context.Background(), http.MethodPost, "/api/v1/users", map[string]any{"user_name": name + fmt.Sprint(rand.Int64()), "given_name": name})
	var u struct {
		ID     string
		Number int64
	}
	switch {
	case status == http.StatusCreated && json.Unmarshal(answer, &u) == nil && u.ID != "":
		l.accounts[who] = append(l.accounts[who], &account{id: u.ID, number: u.Number, names: []string{name}, active: []bool{true}})
		l.ack()
	case status >= 400 && status < 500:
		l.wronged("a user was refused: %d %s", status, answer)
	default:
		l.unknown.Add(1)
		l.pause()
	}
}

func (l *load) ack() {
	l.acked.Add(1)
	select {
	case l.moved <- struct{}{}:
	default:
	}
}

// seen is what the canonical door shows of a user.
type seen struct {
	GivenName string `json:"given_name"`
	Status    string
}

// fits reports whether a user is as the account says it may be.
func (a *account) fits(s *seen) bool {
	return slices.Contains(a.names, s.GivenName) && slices.Contains(a.active, s.Status == "active")
}

// lookAt reads a user of whom all is known, through any server.
func (l *load) lookAt(a *account) {
	status, answer := l.send(context.Background(), http.MethodGet, "/api/v1/users/"+a.id, nil)
	var s seen
	switch {
	case status == http.StatusOK:
		if err := json.Unmarshal(answer, &s); err != nil || !a.fits(&s) {
			l.wronged("user %s is %+v, and was acknowledged to be %+v (%v)", a.id, s, *a, err)
		}
		l.reads.Add(1)
	case status >= 400 && status < 500:
		l.wronged("user %s: %d %s", a.id, status, answer)
	default:
		l.failures.Add(1)
	}
}

// read lists, searches and looks at the pool until the end.
func (l *load) read(ctx context.Context) {
	for ctx.Err() == nil {
		status, answer := l.send(ctx, http.MethodGet, "/api/v1/licence_pools/"+pool, nil)
		var p struct{ Used, Total int64 }
		if status == http.StatusOK && (json.Unmarshal(answer, &p) != nil || p.Used > p.Total || p.Total != seats) {
			l.wronged("the pool is %s", answer)
		}
		listed, _ := l.send(ctx, http.MethodGet, "/api/v1/users?limit=20&q=tort", nil)
		if status == http.StatusOK && listed == http.StatusOK {
			l.reads.Add(2)
		} else if ctx.Err() == nil {
			l.failures.Add(1)
			l.pause()
		}
	}
}

// pause is a client that was refused, and does not ask again at once.
func (l *load) pause() {
	wait := time.NewTimer(20 * time.Millisecond)
	<-wait.C
}

// patience bounds every wait for something to happen.
const patience = 2 * time.Minute

// await returns when a condition holds; what fails by its deadline is said.
func (l *load) await(what string, holds func() bool) {
	l.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-l.moved:
		case <-again.C:
		case <-late.C:
			l.t.Fatalf("%s did not come: %s", what, l)
		}
	}
}

// more waits for so many more changes to be acknowledged.
func (l *load) more(n int64) {
	l.t.Helper()
	from := l.acked.Load()
	l.await(fmt.Sprintf("%d more changes", n), func() bool { return l.acked.Load() >= from+n })
}

// String is what the load came to.
func (l *load) String() string {
	return fmt.Sprintf("%d changes acknowledged, %d refused, %d of unknown outcome; %d reads, %d not answered",
		l.acked.Load(), l.refused.Load(), l.unknown.Load(), l.reads.Load(), l.failures.Load())
}

var errNoFinding = errors.New("the findings cannot be read")

// judge ends the load and compares what is there with what was acknowledged.
func (l *load) judge(s *site.Site) {
	l.t.Helper()
	l.more(writing) // service has returned by itself
	l.end()
	l.t.Logf("%s", l)
	for who := range l.accounts {
		for _, a := range l.accounts[who] {
			var now seen
			if _, err := l.target().Call(l.t.Context(), http.MethodGet, "/users/"+a.id, nil, &now); err != nil {
				l.t.Errorf("user %s, which was acknowledged: %v", a.id, err)
			} else if !a.fits(&now) {
				l.t.Errorf("user %s is %+v, and may be %+v", a.id, now, *a)
			}
		}
	}
	var p struct{ Used, Total int64 }
	if _, err := l.target().Call(l.t.Context(), http.MethodGet, "/licence_pools/"+pool, nil, &p); err != nil || p.Used > seats || p.Total != seats {
		l.t.Errorf("the pool is %+v, %v", p, err)
	}
	if err := examined(s); err != nil {
		l.t.Error(err)
	}
}

// examined lets the program examine the directory, beside its servers: the history
// verifies, and nothing contradicts anything.
func examined(s *site.Site) error {
	out, failed := s.Run("doctor", "--deep", "--json")
	var report struct {
		Checks []struct{ Check, Level, Seen string }
	}
	at := strings.IndexByte(out, '{')
	if at < 0 || json.NewDecoder(strings.NewReader(out[at:])).Decode(&report) != nil {
		return fmt.Errorf("%w: %v %s", errNoFinding, failed, out)
	}
	parts := 0
	var found []error
	for _, c := range report.Checks {
		judged := strings.HasPrefix(c.Check, "deep: ") || c.Check == "history" || c.Check == "counters" || c.Check == "licence pools"
		if judged && c.Level == "ok" {
			parts++
		} else if judged && c.Level == "fail" || c.Check == "licence pools" {
			found = append(found, fmt.Errorf("%s: %s", c.Check, c.Seen))
		}
	}
	if parts < 13 {
		found = append(found, fmt.Errorf("only %d parts of the directory were examined: %s", parts, out))
	}
	return errors.Join(found...)
}
