package crossdoor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// standing is what the core knows after a step of the story, without what
// differs from one telling to the next.
type standing struct {
	State                       directory.State
	Locked, MustChange, Claimed bool
	Given, Family, Email        string
	Groups                      []string // by name: a vendor's kind of group is its own
	Seats                       int64    // taken from the pool
	Event                       directory.EventType
	Rose                        bool // the version, since the step before
}

// standing reads it, given the version of the step before.
func (w *world) standing(t testing.TB, number, before int64) standing {
	t.Helper()
	u := w.user(t, number)
	s := standing{State: u.State, Locked: u.Locked, MustChange: u.MustChangePassword, Claimed: u.EmailClaimed, Given: u.GivenName, Family: u.FamilyName,
		Email: u.Email, Seats: w.used(t), Event: w.lastEvent(t, number).Type, Rose: u.Version > before}
	if u.State != directory.StateDeleted {
		for _, m := range w.detail(t, number).Groups {
			s.Groups = append(s.Groups, m.Group.Name)
		}
	}
	return s
}

// TestOneStoryThroughEachDoor: the same story leaves the same state in the core
// after every step, whichever door tells it.
func TestOneStoryThroughEachDoor(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		for _, d := range newWorld(t, s).doors {
			t.Run(d.name, func(t *testing.T) {
				w := newWorld(t, s)
				w.tell(t, w.door(t, d.name))
			})
		}
	})
}

// tell tells the story through a door, each step against what must be so.
func (w *world) tell(t *testing.T, d *door) {
	p := w.newcomer()
	k := w.create(t, d, p)
	want := standing{State: directory.StateActive, Claimed: true, Given: p.given, Family: p.family, Email: p.email, Seats: 1, Rose: true}
	version := int64(0)
	check := func(step string) {
		t.Helper()
		have := w.standing(t, k.number, version)
		version = w.user(t, k.number).Version
		if step == "create" { // the licence that a door has no word for is another event
			have.Event = ""
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("after %s (-want +have):\n%s", step, diff)
		}
	}
	check("create")
	if s := look(t, d, k); s.gone || s.given != p.given {
		t.Errorf("the door shows %+v", s)
	}

	must(t, d.change(k, "Joanna", "new."+p.email))
	want.Given, want.Email, want.Event = "Joanna", "new."+p.email, directory.EventUserUpdated
	check("change")
	done := map[string]bool{}
	step := func(v verb, event directory.EventType) {
		t.Helper()
		done[v.name] = w.do(t, d, v, k)
		want.Event = event
		check(v.name)
	}
	want.State, want.Seats = directory.StateInactive, 0
	step(deactivating, directory.EventUserDeactivated)
	want.State, want.Seats = directory.StateActive, 1
	step(activating, directory.EventUserActivated)
	want.Locked = true
	step(locking, directory.EventUserLocked)
	want.Locked = false
	step(unlocking, directory.EventUserUnlocked)
	step(renewing, directory.EventPasswordSet)
	if _, err := w.wire.signIn(p.userName, newSecret); err != nil {
		t.Errorf("the new password: %v", err)
	}
	want.Groups = []string{crew}
	step(joining, directory.EventGroupsChanged)
	want.State, want.Seats, want.Groups, want.Claimed = directory.StateDeleted, 0, nil, true
	step(removing, directory.EventUserDeleted)
	if s := look(t, d, k); !s.gone {
		t.Errorf("the door shows a deleted user: %+v", s)
	}
	if diff := cmp.Diff(words[d.name], done); diff != "" {
		t.Errorf("what the door has words for (-want +have):\n%s", diff)
	}
}

// words say what each door does by itself; the rest is done through the core.
var words = map[string]map[string]bool{
	"iqmetrix": {"deactivate": true, "activate": true, "lock": true, "unlock": true, "set the password": true,
		"put in a group": false, "delete": false},
	"encore": {"deactivate": true, "activate": true, "lock": false, "unlock": false, "set the password": true,
		"put in a group": true, "delete": false},
	"edubrite": {"deactivate": true, "activate": true, "lock": false, "unlock": false, "set the password": false,
		"put in a group": true, "delete": false},
	"servicemobility": {"deactivate": true, "activate": true, "lock": true, "unlock": true, "set the password": true,
		"put in a group": true, "delete": true},
	"smartapp": {"deactivate": true, "activate": true, "lock": false, "unlock": false, "set the password": false,
		"put in a group": true, "delete": false},
	"canonical": {"deactivate": true, "activate": true, "lock": true, "unlock": true, "set the password": true,
		"put in a group": true, "delete": true},
	"scim": {"deactivate": true, "activate": true, "lock": false, "unlock": false, "set the password": true,
		"put in a group": true, "delete": true},
}
