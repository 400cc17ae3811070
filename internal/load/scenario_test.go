package load

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// Every scenario does through every door that has it what it says, and no
// server says anything but that it was done.
func TestEveryScenarioThroughEveryDoor(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			server := seededServer(t, engine)
			for _, door := range Doors() {
				client, err := NewClient(t.Context(), door, siteOf(server))
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range Scenarios() {
					if slices.Contains(s.Doors, door) {
						t.Run(s.Name+" through "+door, func(t *testing.T) { trial(t, server, &s, client) })
					}
				}
			}
		})
	}
}

// trial sends some requests of a scenario and looks at what they did.
func trial(t *testing.T, server *testkit.Server, s *Scenario, client *Client) {
	const conns = 2
	plan, err := s.NewPlan(client, Seeded(seededUsers), "bench", conns)
	if err != nil {
		t.Fatal(err)
	}
	w := wireTo(t, server)
	before, requests := census(t, server), 9
	if s.Name == "login" || s.Name == "create-password" {
		requests = 2 // each hashes
	}
	for n := range requests {
		send(t.Context(), t, w, plan.Next(nil, n%conns, n/conns))
		if plan.Answered != nil {
			plan.Answered(n%conns, 200)
		}
	}
	after := census(t, server)
	switch s.Name {
	case "create", "create-password":
		if after.users != before.users+requests {
			t.Errorf("%d requests made %d users", requests, after.users-before.users)
		}
	case "state": // an odd number leaves one inactive
		if after.inactive != before.inactive+1 {
			t.Errorf("%d users are inactive, %d were", after.inactive, before.inactive)
		}
	case "mixed":
	default:
		if after != before {
			t.Errorf("the directory has %+v, and had %+v", after, before)
		}
	}
	for _, r := range plan.Undo() {
		send(t.Context(), t, w, r.Request.Append(nil, "bench"))
	}
	if left := census(t, server); left.inactive != before.inactive {
		t.Errorf("%d users are left inactive, %d were", left.inactive, before.inactive)
	}
}

// people counts users.
type people struct{ users, inactive int }

func census(t *testing.T, server *testkit.Server) (p people) {
	t.Helper()
	for _, q := range []struct {
		count  *int
		states directory.StateSet
	}{{&p.users, directory.StatesOf(directory.StateActive, directory.StateInactive)}, {&p.inactive, directory.StatesOf(directory.StateInactive)}} {
		page, err := server.Service.Users(t.Context(), call(t, server), directory.UserQuery{States: q.states, Limit: 1, WantTotal: true})
		if err != nil {
			t.Fatal(err)
		}
		*q.count = int(page.Total)
	}
	return p
}

// Requests find whom they are about: an answer without anybody would be as good
// a status.
func TestAnswersAreAboutThePerson(t *testing.T) {
	server := seededServer(t, "sqlite")
	somebody, other := PersonAt(7), PersonAt(8)
	for _, door := range Doors() {
		client, err := NewClient(t.Context(), door, siteOf(server))
		if err != nil {
			t.Fatal(err)
		}
		requests := map[string]Request{"read": client.Read(&somebody)}
		for by, request := range client.LookUp {
			requests["look-up by "+string(by)] = request(&somebody)
		}
		if client.Search != nil {
			requests["search"] = client.Search(&somebody)
		}
		for what, r := range requests {
			body := text(t.Context(), t, server, r)
			if !strings.Contains(body, somebody.Email) || strings.Contains(body, other.Email) {
				t.Errorf("%s, %s: %s", door, what, body)
			}
		}
		if client.List == nil {
			continue
		}
		first, second := text(t.Context(), t, server, client.List(0)), text(t.Context(), t, server, client.List(1))
		if n := strings.Count(first, "@mail.kentel.test"); n < pageSize {
			t.Errorf("%s: a page has %d users", door, n)
		}
		if first == second || len(second) < len(first)/2 {
			t.Errorf("%s: the second page is %s", door, second)
		}
	}
}

func text(ctx context.Context, t *testing.T, server *testkit.Server, r Request) string {
	t.Helper()
	_, body, err := siteOf(server).exchange(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// The table says which doors have a scenario: exactly those whose client can.
func TestTableIsWhatClientsCan(t *testing.T) {
	server := seededServer(t, "sqlite")
	for _, door := range Doors() {
		c, err := NewClient(t.Context(), door, siteOf(server))
		if err != nil {
			t.Fatal(err)
		}
		passwordless := c.Create != nil && !c.NoPasswordless
		can := map[string]bool{"read": c.Read != nil, "lookup": len(c.LookUp) > 0, "lookup-user-name": c.LookUp[ByUserName] != nil,
			"lookup-email": c.LookUp[ByEmail] != nil, "lookup-external-id": c.LookUp[ByExternalID] != nil, "list": c.List != nil,
			"search": c.Search != nil, "create": passwordless, "create-password": c.Create != nil, "state": c.Activate != nil && c.Deactivate != nil,
			"login": c.Login != nil, "mixed": c.List != nil && passwordless && c.Activate != nil}
		for _, s := range Scenarios() {
			if in := slices.Contains(s.Doors, door); in != can[s.Name] {
				t.Errorf("the table says of %s through %s %v, the client can: %v", s.Name, door, in, can[s.Name])
			}
		}
	}
}

func TestPairsThatDoNotExistAreNamed(t *testing.T) {
	for _, test := range []struct{ scenario, door, want string }{
		{"reed", "scim", `there is no scenario "reed"; the scenarios are read, lookup`},
		{"read", "skim", `there is no door "skim"; the doors are iqmetrix, encore`},
		{"search", "encore", `the door encore has no scenario "search"; the doors that have it are iqmetrix, edubrite, canonical`},
	} {
		if _, err := FindScenario(test.scenario, test.door); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s through %s: %v, want %s", test.scenario, test.door, err, test.want)
		}
	}
}

// A plan on more connections than there are users says so.
func TestTooFewUsers(t *testing.T) {
	s, err := FindScenario("state", "iqmetrix")
	if err != nil {
		t.Fatal(err)
	}
	client, err := newIQmetrix(t.Context(), &Site{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.NewPlan(client, Seeded(3), "bench", 64); err == nil || !strings.Contains(err.Error(), "too few users") {
		t.Errorf("64 connections for 3 users: %v", err)
	}
}

// The seeded people differ in what requests name.
func TestSeededPeopleDiffer(t *testing.T) {
	seen := map[string]int{}
	inactive, locked, licensed := 0, 0, 0
	for i := 1; i <= 5000; i++ {
		u := User(i)
		p := PersonAt(i)
		for _, text := range []string{p.ID, p.UserName, p.Email, p.ExternalID, fmt.Sprint("number ", p.Number)} {
			if other, taken := seen[text]; taken {
				t.Fatalf("%s is of %d and of %d", text, other, i)
			}
			seen[text] = i
		}
		for count, is := range map[*int]bool{&inactive: u.State == directory.StateInactive, &locked: u.Locked, &licensed: u.LicenceType != ""} {
			if is {
				*count++
			}
		}
	}
	if inactive != 200 || locked != 51 || licensed != 1666 {
		t.Errorf("%d are inactive, %d locked, %d licensed", inactive, locked, licensed)
	}
}
