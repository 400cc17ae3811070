package crossdoor

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// refused checks that a verb is refused by every door that has a word for it,
// and that the user stays as it was.
func (w *world) refused(t *testing.T, why string, v verb, k known) {
	t.Helper()
	for _, d := range w.doors {
		if !words[d.name][v.name] {
			continue
		}
		before := w.snapshot(t, k.number)
		if err := v.through(d, k); err == nil {
			t.Errorf("%s: %s in spite of %s", d.name, v.name, why)
		}
		if changed := w.snapshot(t, k.number).changed(before); len(changed) > 0 {
			t.Errorf("%s: %s in spite of %s changed %v", d.name, v.name, why, changed)
		}
	}
}

// TestRulesHoldAtEveryDoor: what the core forbids no door allows.
func TestRulesHoldAtEveryDoor(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		licensed := directory.UserPatch{LicenceType: directory.Some(w.seats)}

		owner := w.made(t, directory.NewUser{Fields: licensed})
		must(t, w.service.SetOwner(t.Context(), w.system(), directory.ByNumber(owner.number)))
		w.refused(t, "being the account owner", deactivating, owner)
		w.refused(t, "being the account owner", removing, owner)
		w.refused(t, "a rank above the caller's", renewing, owner)
		w.refused(t, "a rank above the caller's", locking, owner)

		busy := w.made(t, directory.NewUser{Fields: licensed})
		hold := directory.Hold{Kind: directory.HoldOpenOrders, Source: "orders", Ref: "7"}
		must(t, w.service.PlaceHold(t.Context(), w.system(), directory.ByNumber(busy.number), hold))
		w.refused(t, "open orders", deactivating, busy)
		w.refused(t, "open orders", removing, busy)
		must(t, w.service.ReleaseHold(t.Context(), w.system(), directory.ByNumber(busy.number), hold))
		for _, d := range w.doors {
			w.do(t, d, deactivating, busy)
			w.do(t, d, activating, busy)
		}

		parked := w.made(t, directory.NewUser{State: directory.StateInactive, Fields: licensed})
		hold.Kind = directory.HoldVehicleRemoved
		must(t, w.service.PlaceHold(t.Context(), w.system(), directory.ByNumber(parked.number), hold))
		w.refused(t, "a removed vehicle", activating, parked)
	})
}

// TestLastSeat: a pool is one for all doors. The last seat that one door took is
// missing at every other, and is there once any door has freed it.
func TestLastSeat(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		_, err := w.service.SetPool(t.Context(), w.system(), w.seats, 1)
		must(t, err)
		in := directory.NewUser{State: directory.StateInactive, Fields: directory.UserPatch{LicenceType: directory.Some(w.seats)}}
		first, second := w.made(t, in), w.made(t, in)
		for i, taker := range w.doors {
			freer := w.doors[(i+1)%len(w.doors)]
			w.do(t, taker, activating, first)
			if used := w.used(t); used != 1 {
				t.Errorf("%s: %d seats are taken", taker.name, used)
			}
			w.refused(t, "no free seat", activating, second)
			w.do(t, freer, deactivating, first)
			w.do(t, freer, activating, second)
			w.refused(t, "no free seat", activating, first)
			w.do(t, taker, deactivating, second)
			if used := w.used(t); used != 0 {
				t.Errorf("%s: %d seats are still taken", freer.name, used)
			}
		}
	})
}

// TestRename: a new user name is the user's only one, at every door at once, and
// the old one is nobody's.
func TestRename(t *testing.T) {
	renames := map[string]func(w *world, k known, name string) error{
		"iqmetrix": func(w *world, k known, name string) error {
			return newIQmetrix(w).replace(k, func(o map[string]any) { o["UserName"] = name })
		},
		"encore": func(w *world, k known, name string) error {
			return newEncore(w).patch(k, map[string]any{"UserName": name})
		},
		"edubrite": func(w *world, k known, name string) error {
			_, err := w.edubrite().call("userService", "renameUser", "id", k.id, "userName", name)
			return err
		},
		"canonical": func(w *world, k known, name string) error { return newCanonical(w).rename(k, name) },
		"scim":      func(w *world, k known, name string) error { return newSCIM(w).rename(k, name) },
	}
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		for name, rename := range renames {
			p := w.newcomer()
			k := w.create(t, w.door(t, "encore"), p)
			old := k
			k.userName = "renamed." + p.userName
			must(t, rename(w, k, k.userName))
			for _, d := range w.doors {
				if sight := look(t, d, k); sight.gone || *sight.name != k.userName {
					t.Errorf("%s renamed: %s shows %+v", name, d.name, sight)
				}
			}
			for _, d := range []string{"edubrite", "servicemobility"} {
				if sight := look(t, w.door(t, d), old); !sight.gone {
					t.Errorf("%s renamed: %s still knows the old name", name, d)
				}
			}
			if _, err := w.wire.signIn(k.userName, firstSecret); err != nil {
				t.Errorf("%s renamed: the new name: %v", name, err)
			}
			if _, err := w.wire.signIn(old.userName, firstSecret); err == nil {
				t.Errorf("%s renamed: the old name signs in", name)
			}
			if heir := w.create(t, w.door(t, "servicemobility"), person{userName: old.userName, given: "A", family: "B", email: "heir." + p.email}); heir.number == k.number {
				t.Errorf("%s renamed: the old name leads to the user", name)
			}
		}
	})
}

// TestOneSetOfGroups: encore, smartapp, edubrite, canonical and scim have the same
// groups, and see each other's members at once; a service team of the same name is
// another.
func TestOneSetOfGroups(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		en, sa, ed, sm := newEncore(w), newSmartapp(w), w.edubrite(), w.mobility()
		shown := func(k known) []string {
			var doors []string
			note := func(door string, in bool) {
				if in {
					doors = append(doors, door)
				}
			}
			a, err := en.call(http.StatusOK, "GET", en.path(k), nil)
			must(t, err)
			note("encore", strings.Contains(a.body, `"GroupName":"`+crew+`"`))
			a, err = sa.call("GET", "/user/get/uniqueid", url.Values{"UniqueID": {k.id}}, nil)
			must(t, err)
			note("smartapp", strings.Contains(a.body, `"groups":["`+crew+`"]`))
			list, err := ed.call("userService", "list", "groupId", w.group.ID, "pageSize", "100")
			must(t, err)
			note("edubrite", slices.ContainsFunc(list.Users, func(u edubriteUser) bool { return u.ID == k.id }))
			a, err = sm.call(http.StatusOK, "GET", sm.path(k.userName), nil)
			must(t, err)
			note("servicemobility", strings.Contains(a.body, `"ServiceTeamID":"`+crew+`"`))
			in, err := newCanonical(w).inCrew(k)
			must(t, err)
			note("canonical", in)
			in, err = newSCIM(w).inCrew(k)
			must(t, err)
			note("scim", in)
			return doors
		}
		plain := []string{"encore", "smartapp", "edubrite", "canonical", "scim"}
		for name, want := range map[string][]string{"encore": plain, "smartapp": plain, "edubrite": plain, "canonical": plain, "scim": plain,
			"servicemobility": {"servicemobility"}} {
			k := w.create(t, w.door(t, "iqmetrix"), w.newcomer())
			if have := shown(k); len(have) > 0 {
				t.Errorf("a new user is in the group at %v", have)
			}
			must(t, w.door(t, name).putInGroup(k))
			if have := shown(k); !slices.Equal(have, want) {
				t.Errorf("put in by %s, the user is in the group at %v, want %v", name, have, want)
			}
		}
	})
}
