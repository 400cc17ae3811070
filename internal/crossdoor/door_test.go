package crossdoor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// person is what a story needs to know of somebody.
type person struct {
	userName, given, family, email, password string
}

// known is what the core calls a user. Each door uses the one of these that it
// has a word for.
type known struct {
	number   int64
	id       string
	userName string
}

// sight is what a door shows of a user. A door shows nothing of what it has no
// word for, which is nil.
type sight struct {
	gone    bool // the door's answer for a user who does not exist
	active  *bool
	locked  *bool
	given   string
	email   string
	name    *string
	licence *bool
}

// verbs are what a client of a door can do. errNoWord says that the door cannot;
// any other error holds the door's answer.
type verbs interface {
	create(p person) error
	find(k known) (sight, error)
	change(k known, given, email string) error
	deactivate(k known) error
	activate(k known) error
	lock(k known) error
	unlock(k known) error
	setPassword(k known, password string) error
	putInGroup(k known) error
	remove(k known) error
}

// door is a client of one door.
type door struct {
	name string
	verbs
}

// errNoWord is the answer of a client whose door has no word for a verb.
var errNoWord = errors.New("the door has no word for it")

// create makes a person through a door and gives it, through the core, the
// licence that most doors have no word for.
func (w *world) create(t testing.TB, d *door, p person) known {
	t.Helper()
	if err := d.create(p); err != nil {
		t.Fatalf("%s: create: %v", d.name, err)
	}
	u, err := w.service.User(context.Background(), w.system(), directory.ByUserName(p.userName))
	must(t, err)
	if u.LicenceType == "" {
		_, err := w.service.UpdateUser(context.Background(), w.system(), directory.ByNumber(u.Number),
			directory.UserPatch{LicenceType: directory.Some(w.seats)}, directory.UpdateOptions{})
		must(t, err)
	}
	return known{u.Number, u.ID, u.UserName}
}

// verb is one of the changes of a life, through a door and through the core.
type verb struct {
	name    string
	through func(d verbs, k known) error
	core    func(w *world, k known) error
}

// stateVerbs are the changes that tests walk through.
var (
	deactivating = verb{"deactivate", func(d verbs, k known) error { return d.deactivate(k) }, func(w *world, k known) error {
		_, err := w.service.Deactivate(context.Background(), w.system(), directory.ByNumber(k.number))
		return err
	}}
	activating = verb{"activate", func(d verbs, k known) error { return d.activate(k) }, func(w *world, k known) error {
		_, err := w.service.Activate(context.Background(), w.system(), directory.ByNumber(k.number))
		return err
	}}
	locking = verb{"lock", func(d verbs, k known) error { return d.lock(k) }, func(w *world, k known) error {
		_, err := w.service.Lock(context.Background(), w.system(), directory.ByNumber(k.number), 0)
		return err
	}}
	unlocking = verb{"unlock", func(d verbs, k known) error { return d.unlock(k) }, func(w *world, k known) error {
		_, err := w.service.Unlock(context.Background(), w.system(), directory.ByNumber(k.number))
		return err
	}}
	renewing = verb{"set the password", func(d verbs, k known) error { return d.setPassword(k, newSecret) }, func(w *world, k known) error {
		return w.service.SetPassword(context.Background(), w.system(), directory.ByNumber(k.number), directory.NewPassword{Password: newSecret})
	}}
	joining = verb{"put in a group", func(d verbs, k known) error { return d.putInGroup(k) }, func(w *world, k known) error {
		_, err := w.service.ChangeGroups(context.Background(), w.system(), directory.ByNumber(k.number), 0,
			directory.GroupChange{Kind: directory.GroupPlain, Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{Kind: directory.GroupPlain, Name: crew}}})
		return err
	}}
	removing = verb{"delete", func(d verbs, k known) error { return d.remove(k) }, func(w *world, k known) error {
		_, err := w.service.DeleteUser(context.Background(), w.system(), directory.ByNumber(k.number))
		return err
	}}
)

// do does a verb through a door, or through the core where the door has no word
// for it, and says whether the door did it.
func (w *world) do(t testing.TB, d *door, v verb, k known) (byDoor bool) {
	t.Helper()
	err := v.through(d, k)
	byDoor = !errors.Is(err, errNoWord)
	if !byDoor {
		err = v.core(w, k)
	}
	if err != nil {
		t.Fatalf("%s: %s: %v", d.name, v.name, err)
	}
	return byDoor
}

// look is what a door shows of a user.
func look(t testing.TB, d *door, k known) sight {
	t.Helper()
	s, err := d.find(k)
	if err != nil {
		t.Fatalf("%s: find %s: %v", d.name, k.userName, err)
	}
	return s
}

// wire sends requests to one server for one tenant.
type wire struct {
	url, host, addr string
	fresh           bool // a connection for each request
}

// request is what a client sends.
type request struct {
	method, path, body string
	header             map[string]string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes one request.
func (w wire) send(r request) (answer, error) {
	req, err := http.NewRequest(r.method, w.url+r.path, strings.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	req.Host = w.host
	req.Header.Set("X-Forwarded-For", w.addr)
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	client := http.DefaultClient
	if w.fresh {
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

// want sends a request that must be answered with a status.
func (w wire) want(status int, r request) (answer, error) {
	a, err := w.send(r)
	if err == nil && a.status != status {
		err = fmt.Errorf("%s %s %s: %d %s, want %d", r.method, r.path, r.body, a.status, a.body, status)
	}
	return a, err
}

// caller sends JSON with one credential to the paths below a prefix.
type caller struct {
	wire   wire
	prefix string
	header map[string]string
}

// ask is a request; one without a body has nil.
func (c caller) ask(method, path string, body any) request {
	r := request{method: method, path: c.prefix + path, header: c.header}
	if body != nil {
		r.body = toJSON(body)
	}
	return r
}

// call sends a request that must be answered with a status.
func (c caller) call(status int, method, path string, body any) (answer, error) {
	return c.wire.want(status, c.ask(method, path, body))
}

// done is call without the answer.
func (c caller) done(status int, method, path string, body any) error {
	_, err := c.call(status, method, path, body)
	return err
}

// show reads an object; nil without an error where the answer is that it is gone,
// which a door says with a status and perhaps with words.
func (c caller) show(path string, gone int, words string) (map[string]any, error) {
	a, err := c.wire.send(c.ask("GET", path, nil))
	switch {
	case err != nil || a.status == gone && a.has(words):
		return nil, err
	case a.status != http.StatusOK:
		return nil, fmt.Errorf("GET %s: %d %s", path, a.status, a.body)
	}
	return a.object()
}

// object reads a JSON object.
func (a answer) object() (map[string]any, error) {
	var o map[string]any
	err := json.Unmarshal([]byte(a.body), &o)
	return o, err
}

// has reports whether an answer has a text in it.
func (a answer) has(part string) bool { return strings.Contains(a.body, part) }

// toJSON writes a body.
func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the tests' own values
	}
	return string(b)
}

// text is a member of an object that is a text, "" for null.
func text(o map[string]any, name string) string {
	s, _ := o[name].(string)
	return s
}

// flag is a member of an object that is a flag.
func flag(o map[string]any, name string) *bool {
	b, ok := o[name].(bool)
	if !ok {
		return nil
	}
	return &b
}

// escape escapes one segment of a path.
func escape(segment string) string { return url.PathEscape(segment) }

func ptr[T any](v T) *T { return &v }
