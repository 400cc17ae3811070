package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// Scenario is what a load does through a door.
type Scenario struct {
	Name   string
	About  string
	Writes bool
	Conns  int      // connections unless somebody says otherwise
	Doors  []string // that have the operation
	plan   func(*planner) (*Plan, error)
}

// walked is how many pages a list is walked from its beginning, again and again;
// prepared how many requests are written beforehand, so that the generator has
// nothing to do but send them.
const (
	walked   = 30
	prepared = 100_000
)

var (
	withLookUp = []string{"canonical", "scim"}
	withLogin  = []string{"iqmetrix", "servicemobility", "canonical"}
	withList   = []string{"iqmetrix", "encore", "smartapp", "edubrite", "canonical", "scim"}
	withCreate = []string{"iqmetrix", "smartapp", "edubrite", "servicemobility", "canonical", "scim"}
)

// scenarios is the table of what can be measured through which door.
var scenarios = []Scenario{
	{"read", "one user by id", false, 32, doorNames, (*planner).read},
	{"lookup", "one user by user name, e-mail address and external id, by turns, as far as the door finds users by them", false, 32,
		[]string{"smartapp", "canonical", "scim"}, lookUpBy(ByUserName, ByEmail, ByExternalID)},
	{"lookup-user-name", "one user by user name", false, 32, []string{"smartapp", "canonical", "scim"}, lookUpBy(ByUserName)},
	{"lookup-email", "one user by e-mail address", false, 32, []string{"smartapp", "canonical", "scim"}, lookUpBy(ByEmail)},
	{"lookup-external-id", "one user by external id", false, 32, withLookUp, lookUpBy(ByExternalID)},
	{"list", "a page of 30 users, of the first 30 pages, with the exact total except from encore", false, 32, withList, (*planner).list},
	{"search", "two words, a given and a family name, the first page", false, 16, []string{"iqmetrix", "edubrite", "canonical"}, (*planner).search},
	{"create", "a new user without a password", true, 64, withCreate, creates("")},
	{"create-password", "a new user with a password, which is hashed", true, 16, doorNames, creates(AdminSecret)},
	{"state", "activate and deactivate different users, by turns", true, 64, doorNames, (*planner).state},
	{"login", "sign in with a password, each from another address", true, 16, withLogin, (*planner).login},
	{"mixed", "80 % read, 10 % list and search, 7 % state, 3 % create", true, 32, []string{"iqmetrix", "smartapp", "edubrite", "canonical", "scim"}, (*planner).mixed},
}

// Scenarios is the table of scenarios and doors.
func Scenarios() []Scenario { return slices.Clone(scenarios) }

// changes says that the scenario changes users who are there.
func (s *Scenario) changes() bool { return s.Name == "state" || s.Name == "mixed" }

// ScenarioNames are the names of the scenarios.
func ScenarioNames() (names []string) {
	for i := range scenarios {
		names = append(names, scenarios[i].Name)
	}
	return names
}

// FindScenario finds a scenario that a door has.
func FindScenario(name, door string) (*Scenario, error) {
	at := slices.IndexFunc(scenarios, func(s Scenario) bool { return s.Name == name })
	if at < 0 {
		return nil, fmt.Errorf("there is no scenario %q; the scenarios are %s", name, strings.Join(ScenarioNames(), ", "))
	}
	s := scenarios[at]
	switch {
	case !slices.Contains(doorNames, door):
		return nil, fmt.Errorf("there is no door %q; the doors are %s", door, strings.Join(doorNames, ", "))
	case !slices.Contains(s.Doors, door):
		return nil, fmt.Errorf("the door %s has no scenario %q; the doors that have it are %s", door, name, strings.Join(s.Doors, ", "))
	}
	return &s, nil
}

// Plan makes the requests of a scenario. It goes on where the load before it
// ended, so that slices of one plan follow each other.
type Plan struct {
	// Next appends the next request of a connection.
	Next func(buf []byte, conn, n int) []byte
	// Answered, unless nil, has to hear the status of the answer to what Next made
	// last for a connection, 0 for none.
	Answered func(conn, status int)
	// undo are the requests that leave things as they were found, once no load runs.
	undo func() []Reversal
}

// Undo are the requests that leave the users in the state in which they were
// found. Users who were created stay.
func (p *Plan) Undo() []Reversal {
	if p.undo == nil {
		return nil
	}
	return p.undo()
}

// NewPlan plans a scenario of a door's client on a number of connections.
func (s *Scenario) NewPlan(c *Client, people People, host string, conns int) (*Plan, error) {
	p, err := s.plan(&planner{client: c, people: people, host: host, conns: conns})
	if err != nil {
		return nil, fmt.Errorf("scenario %s through %s: %w", s.Name, c.Door, err)
	}
	return p, nil
}

// planner is what plans are made of.
type planner struct {
	client *Client
	people People
	host   string
	conns  int
}

var errNobody = errors.New("the directory has too few users for it")

func anybody(*Person) bool    { return true }
func isActive(p *Person) bool { return p.Active }

// write writes the requests for at most most people.
func (p *planner) write(most int, meets func(*Person) bool, request func(*Person) Request) ([][]byte, error) {
	people := p.people.spread(most, meets)
	if len(people) == 0 {
		return nil, errNobody
	}
	list := make([][]byte, len(people))
	for i := range people {
		r := request(&people[i])
		list[i] = r.Append(nil, p.host)
	}
	return list, nil
}

// anyOf sends requests in no order.
func anyOf(list [][]byte) *Plan {
	return &Plan{Next: func(buf []byte, _, _ int) []byte { return append(buf, list[rand.IntN(len(list))]...) }}
}

func (p *planner) read() (*Plan, error) {
	list, err := p.write(prepared, anybody, p.client.Read)
	if err != nil {
		return nil, err
	}
	return anyOf(list), nil
}

// lookUpBy looks people up by what the door has of a list.
func lookUpBy(by ...By) func(*planner) (*Plan, error) {
	return func(p *planner) (*Plan, error) {
		var list [][]byte
		for _, b := range by {
			request, ok := p.client.LookUp[b]
			if !ok {
				continue
			}
			meets := func(person *Person) bool { return b != ByExternalID || person.ExternalID != "" }
			some, err := p.write(prepared/len(by), meets, request)
			if err != nil {
				return nil, err
			}
			list = append(list, some...)
		}
		return anyOf(list), nil
	}
}

func (p *planner) list() (*Plan, error) {
	pages := min(walked, (p.people.Count+pageSize-1)/pageSize)
	if p.client.pages > 0 {
		pages = min(walked, p.client.pages)
	}
	if pages == 0 {
		return nil, errNobody
	}
	list := make([][]byte, pages)
	for n := range list {
		r := p.client.List(n)
		list[n] = r.Append(nil, p.host)
	}
	return &Plan{Next: func(buf []byte, conn, n int) []byte { return append(buf, list[(conn+n)%pages]...) }}, nil
}

func (p *planner) search() (*Plan, error) {
	list, err := p.write(20_000, anybody, p.client.Search)
	if err != nil {
		return nil, err
	}
	return anyOf(list), nil
}

func (p *planner) login() (*Plan, error) {
	list, err := p.write(20_000, isActive, func(person *Person) Request {
		r := p.client.Login(person)
		// Attempts are limited by address, and the server believes this header of us.
		r.Header += line("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", rand.IntN(256), rand.IntN(256), 1+rand.IntN(254)))
		return r
	})
	if err != nil {
		return nil, err
	}
	// In order, from one place for each connection: attempts are limited by account
	// too.
	var next atomic.Int64
	return &Plan{Next: func(buf []byte, _, _ int) []byte { return append(buf, list[int(next.Add(1)-1)%len(list)]...) }}, nil
}

// creates makes new people with a password, or without.
func creates(password string) func(*planner) (*Plan, error) {
	return func(p *planner) (*Plan, error) {
		prefix := fmt.Sprintf("n%08x", rand.Uint32())
		var serial atomic.Int64
		return &Plan{Next: func(buf []byte, _, _ int) []byte {
			n := serial.Add(1)
			person := newcomer(prefix, n)
			r := p.client.Create(&person, password)
			return r.Append(buf, p.host)
		}}, nil
	}
}

// newcomer is the n-th new person of a plan.
func newcomer(prefix string, n int64) Person {
	login := fmt.Sprintf("%sx%d", prefix, n)
	return Person{UserName: login, Email: login + "@mail.kentel.test", GivenName: GivenNames[rand.IntN(len(GivenNames))],
		FamilyName: FamilyNames[rand.IntN(len(FamilyNames))], Phone: fmt.Sprintf("613555%04d", n%10000)}
}

// ownUsers is how many users of its own a connection activates and deactivates.
const ownUsers = 250

// turns is how far a connection is with its users.
type turns struct {
	at        int          // which user's turn it is
	inactive  bool         // the server said that the user was deactivated
	doubt     bool         // whether the last request about the user was done, nobody said
	unsettled map[int]bool // users who went by in doubt
}

// answered takes the step if the request was done. One that got no answer, or a
// server's own error, may have been done: it is sent again, and refused then
// where a door takes a repetition for an error.
func (t *turns) answered(status int) {
	switch repeated := t.doubt && status >= 400 && status < 500 && status != http.StatusTooManyRequests; {
	case status >= 200 && status < 300, repeated:
		if repeated {
			t.unsettled[t.at] = true
		}
		t.doubt, t.inactive = false, !t.inactive
		if !t.inactive {
			t.at++
		}
	case status == 0 || status >= 500:
		t.doubt = true
	}
}

// state gives every connection active users of its own, deactivates each and
// activates it again.
func (p *planner) state() (*Plan, error) {
	if changed := p.people.Changed; changed != nil {
		p = &planner{client: p.client, people: *changed, host: p.host, conns: p.conns}
	}
	off, err := p.write(p.conns*ownUsers, isActive, p.client.Deactivate)
	if err != nil {
		return nil, err
	}
	on, err := p.write(p.conns*ownUsers, isActive, p.client.Activate)
	if err != nil {
		return nil, err
	}
	each := len(off) / p.conns
	if each == 0 {
		return nil, fmt.Errorf("%w: it needs an active one for each of %d connections", errNobody, p.conns)
	}
	people := p.people.spread(p.conns*ownUsers, isActive)
	all := make([]turns, p.conns) // where a slice ends the next one goes on
	for conn := range all {
		all[conn].unsettled = map[int]bool{}
	}
	next := func(buf []byte, conn, _ int) []byte {
		t := &all[conn]
		user := conn*each + t.at%each
		if t.inactive {
			return append(buf, on[user]...)
		}
		return append(buf, off[user]...)
	}
	undo := func() (list []Reversal) {
		for conn := range all {
			list = append(list, all[conn].undo(func(at int) *Person { return &people[conn*each+at%each] }, p.client.restore)...)
		}
		return list
	}
	return &Plan{Next: next, Answered: func(conn, status int) { all[conn].answered(status) }, undo: undo}, nil
}

// undo activates whoever is inactive, or may be.
func (t *turns) undo(person func(at int) *Person, restore func(*Person) Request) (list []Reversal) {
	if t.inactive || t.doubt {
		list = append(list, Reversal{ID: person(t.at).ID, Request: restore(person(t.at)), Done: func() {
			if t.inactive {
				t.at++
			}
			t.inactive, t.doubt = false, false
		}})
	}
	for at := range t.unsettled {
		list = append(list, Reversal{ID: person(at).ID, Request: restore(person(at)), Done: func() { delete(t.unsettled, at) }})
	}
	return list
}

// mixed is what a directory with people at work sees.
func (p *planner) mixed() (*Plan, error) {
	parts := []struct {
		percent int
		plan    func(*planner) (*Plan, error)
	}{{80, (*planner).read}, {5, (*planner).list}, {5, (*planner).search}, {7, (*planner).state}, {3, creates("")}}
	if p.client.Search == nil {
		parts[2].plan = (*planner).list
	}
	var plans [100]*Plan
	var state *Plan
	at := 0
	for i, part := range parts {
		plan, err := part.plan(p)
		if err != nil {
			return nil, err
		}
		if i == 3 {
			state = plan
		}
		for range part.percent {
			plans[at] = plan
			at++
		}
	}
	last := make([]*Plan, p.conns) // of a connection: what its answer is to
	return &Plan{undo: state.Undo, Next: func(buf []byte, conn, n int) []byte {
		last[conn] = plans[rand.IntN(100)]
		return last[conn].Next(buf, conn, n)
	}, Answered: func(conn, status int) {
		if last[conn] == state {
			state.Answered(conn, status)
		}
	}}, nil
}
