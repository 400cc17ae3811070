package crossdoor

import (
	"testing"

	"github.com/usher-id/usher/internal/testkit"
)

// TestEveryPairOfDoors: a user made through one door is found, changed,
// deactivated and activated again through every other, and each step is shown
// by all doors with their next answer, in the words of docs/mapping.md, States.
func TestEveryPairOfDoors(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		for _, maker := range w.doors {
			for _, other := range w.doors {
				if maker == other {
					continue
				}
				t.Run(maker.name+" then "+other.name, func(t *testing.T) { w.pair(t, maker, other) })
			}
		}
	})
}

// pair walks a user made by one door through the life that another gives it.
func (w *world) pair(t *testing.T, maker, other *door) {
	p := w.newcomer()
	k := w.create(t, maker, p)
	given, email, active, locked := p.given, p.email, true, false
	everywhere := func(step string) {
		t.Helper()
		for _, d := range w.doors {
			s := look(t, d, k)
			switch {
			case s.gone:
				t.Errorf("after %s, %s shows nothing", step, d.name)
			case s.given != given || s.email != email || *s.active != active || s.locked != nil && *s.locked != locked ||
				s.name != nil && *s.name != p.userName || s.licence != nil && !*s.licence:
				t.Errorf("after %s, %s shows %s", step, d.name, toJSON(map[string]any{"given": s.given, "email": s.email, "active": s.active,
					"locked": s.locked, "name": s.name, "licence": s.licence}))
			}
		}
	}
	everywhere("create")

	given, email = "Joanna", "new."+p.email
	must(t, other.change(k, given, email))
	everywhere("change")
	active = false
	w.do(t, other, deactivating, k)
	everywhere("deactivate")
	active = true
	w.do(t, other, activating, k)
	everywhere("activate")
	locked = true
	w.do(t, other, locking, k)
	everywhere("lock")
	locked = false
	w.do(t, other, unlocking, k)
	everywhere("unlock")

	w.do(t, other, removing, k)
	for _, d := range w.doors {
		if s := look(t, d, k); !s.gone {
			t.Errorf("after delete, %s shows %+v", d.name, s)
		}
	}
	// The names are free again: a new person of the same names is another user.
	if again := w.create(t, maker, p); again.number == k.number || again.id == k.id {
		t.Errorf("%s made the deleted user again: %+v", maker.name, again)
	}
}
