package crossdoor

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// replacement is one full replace of a door: the request, and what the fields
// of the core are after it that the door shows. Every other field must be as it
// was. anew stands for a value that must have changed.
type replacement struct {
	name string
	send func(w *world, k known) error
	want func(w *world, k known, before directory.User) map[string]any
}

// anew is a value that nobody can foretell.
type anew struct{}

// replacements are, for each door with a full replace, one with the least body
// that the vendor allows and one with every property.
var replacements = map[string][]replacement{
	"iqmetrix": {
		{"least", func(w *world, k known) error {
			c := newIQmetrix(w)
			return c.done(http.StatusOK, "PUT", c.path(k), map[string]any{"UserName": k.userName, "FirstName": "Min", "LastName": "Imal", "ParentEntityId": c.company})
		}, func(*world, known, directory.User) map[string]any {
			return map[string]any{"GivenName": "Min", "FamilyName": "Imal", "Email": "", "EmailClaimed": false, "Title": "", "ClientUserID": "",
				"Phones": nil, "Address": directory.Address{}, "Picture": nil, "Attributes": nil}
		}},
		{"most", func(w *world, k known) error {
			c := newIQmetrix(w)
			return c.done(http.StatusOK, "PUT", c.path(k), c.body(k, "Max", "Imal"))
		}, func(_ *world, k known, _ directory.User) map[string]any {
			return map[string]any{"GivenName": "Max", "FamilyName": "Imal", "Email": k.userName + ".iq@example.test", "EmailClaimed": true,
				"Title": "Manager", "ClientUserID": "IQ-" + k.userName,
				"Phones":  []directory.Phone{{Number: "3065550101", Extension: "21", Type: "Work"}, {Number: "3065550102", Extension: "22", Type: "Home"}},
				"Address": directory.Address{Set: true, Line1: "2 Side St", Line2: "Rear", City: "Regina", Region: "SK", Country: "CA", Zip: "S4P 0A1"},
				"Picture": map[string]any{"Id": "8"}, "Attributes": map[string]any{"shoe": "9"}}
		}},
	},
	"encore": {
		{"least", func(w *world, k known) error {
			c := newEncore(w)
			_, err := c.call(http.StatusOK, "PUT", c.path(k), map[string]any{"UserName": k.userName, "LicenseType": 1})
			return err
		}, func(w *world, k known, before directory.User) map[string]any {
			// Of phones and groups the door shows the first, and takes that away.
			return map[string]any{"GivenName": "", "FamilyName": "", "Email": "", "EmailClaimed": false, "EmployeeNumber": "", "WebMDN": "",
				"State": "inactive", "Seat": 0, "AuthEpoch": anew{}, "MobileOnly": false, "Extras.encore": nil, "Phones": before.Phones[1:],
				"Groups.group": anew{}}
		}},
		{"most", func(w *world, k known) error {
			c := newEncore(w)
			_, err := c.call(http.StatusOK, "PUT", c.path(k), c.body(k, "Max", "Imal"))
			return err
		}, func(_ *world, k known, before directory.User) map[string]any {
			phones := append([]directory.Phone{}, before.Phones...)
			if len(phones) == 0 {
				phones = make([]directory.Phone, 1)
			}
			phones[0].Number, phones[0].Extension = "8135550101", ""
			return map[string]any{"GivenName": "Max", "FamilyName": "Imal", "Email": k.userName + ".en@example.test", "EmailClaimed": true,
				"EmployeeNumber": "EN-" + k.userName, "WebMDN": "M" + k.userName, "State": "active", "Seat": anew{}, "AuthEpoch": anew{}, "MobileOnly": true,
				"Extras.encore": map[string]any{"EPTTEnabled": true, "EPTTNumber": "5550009", "EPTTToken": "token-9", "GPSEnabled": true, "RoleId": 5},
				"Phones":        phones, "Groups.group": anew{}}
		}},
	},
	"servicemobility": {
		{"least", func(w *world, k known) error {
			c := w.mobility()
			return c.done("PUT", c.path(k.userName), map[string]any{})
		}, func(*world, known, directory.User) map[string]any {
			return map[string]any{"GivenName": "", "FamilyName": "", "Email": "", "EmailClaimed": false, "Locked": false, "LockReason": 0, "AuthEpoch": anew{},
				"Phones": nil, "StorageLocation": "", "Language": "", "Extras.servicemobility": nil, "Groups.service_team": nil}
		}},
		{"most", func(w *world, k known) error {
			c := w.mobility()
			return c.done("PUT", c.path(k.userName), c.body(k, "Max", "Imal"))
		}, func(_ *world, k known, _ directory.User) map[string]any {
			return map[string]any{"GivenName": "Max", "FamilyName": "Imal", "Email": k.userName + ".sm@example.test", "EmailClaimed": true,
				"Phones": []directory.Phone{{Number: "6045550101", Type: "Work"}}, "StorageLocation": "SHED-" + k.userName, "Language": "de",
				"Extras.servicemobility": map[string]any{"AuthenticationID": "sso-" + k.userName, "DGroupID": "D2", "FaceTime": "ft-9", "SMS": "6045550102",
					"Status": "Off duty", "EnableMobileDiagnostics": true, "IsMobileWorker": true, "Extensions": map[string]any{"van": "9"}},
				"Groups.service_team": [][2]string{{otherTeam, ""}}}
		}},
	},
	"canonical": canonicalReplacements,
	"scim":      scimReplacements,
}

// mobility is the world's own client of the servicemobility door.
func (w *world) mobility() *mobility {
	for _, d := range w.doors {
		if c, ok := d.verbs.(*mobility); ok {
			return c
		}
	}
	panic("there is no such door")
}

// TestFullReplace: a full replace through one door, beside all that another
// door can set.
func TestFullReplace(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		for _, name := range slices.Sorted(maps.Keys(replacements)) {
			for _, other := range w.doors {
				if other.name != name {
					t.Run(name+" beside "+other.name, func(t *testing.T) { w.replaceBeside(t, name, other) })
				}
			}
		}
	})
}

func (w *world) replaceBeside(t *testing.T, name string, other *door) {
	k := w.full(t)
	must(t, other.verbs.(filler).fill(k))
	w.snapshot(t, k.number).wantFull(t)
	for _, r := range replacements[name] {
		before, user := w.snapshot(t, k.number), w.user(t, k.number)
		if err := r.send(w, k); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		after := w.snapshot(t, k.number)
		want := r.want(w, k, user)
		for _, field := range after.changed(before) {
			if _, shown := want[field]; !shown {
				t.Errorf("%s: %s changed, which the door does not show:\n%s\n%s", r.name, field, before[field], after[field])
			}
		}
		expected := snapshot{}
		for field, value := range want {
			if _, any := value.(anew); any {
				continue
			}
			expected.add(field, value)
			if after[field] != expected[field] && !sameJSON(after[field], expected[field]) {
				t.Errorf("%s: %s is %s, want %s", r.name, field, after[field], expected[field])
			}
		}
	}
}

// number writes a number.
func number(n int64) string { return strconv.FormatInt(n, 10) }

// TestPartialUpdate: an update that names one field changes that and nothing
// else, of whomever another door has filled.
func TestPartialUpdate(t *testing.T) {
	updates := map[string]func(w *world, k known, given string) error{
		"encore": func(w *world, k known, given string) error {
			return newEncore(w).patch(k, map[string]any{"FirstName": given})
		},
		"edubrite": func(w *world, k known, given string) error {
			return w.edubrite().user("update", k, "firstName", given)
		},
		"smartapp": func(w *world, k known, given string) error {
			return newSmartapp(w).user("/user/update", k, "firstName", given)
		},
		"canonical": func(w *world, k known, given string) error {
			return newCanonical(w).patch(k, map[string]any{"given_name": given})
		},
		"scim": func(w *world, k known, given string) error {
			return newSCIM(w).patch(k, "name.givenName", given)
		},
	}
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		for _, other := range w.doors {
			k := w.full(t)
			must(t, other.verbs.(filler).fill(k))
			for name, update := range updates {
				before := w.snapshot(t, k.number)
				must(t, update(w, k, "Given by "+name+" after "+other.name))
				want := []string{"GivenName"}
				if name == "scim" && other.name == "scim" { // it keeps for which name the formatted one is good
					want = []string{"Extras.scim", "GivenName"}
				}
				if diff := cmp.Diff(want, w.snapshot(t, k.number).changed(before)); diff != "" {
					t.Errorf("%s beside %s (-want +have):\n%s", name, other.name, diff)
				}
			}
		}
	})
}

// edubrite is the world's own client of the edubrite door.
func (w *world) edubrite() *edubrite {
	for _, d := range w.doors {
		if c, ok := d.verbs.(*edubrite); ok {
			return c
		}
	}
	panic("there is no such door")
}

// TestRoundTrip: what a door shows of a user, sent back as it is, changes
// nothing: no field, no version, no event.
func TestRoundTrip(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		iq, en, sm, ca, sc := newIQmetrix(w), newEncore(w), w.mobility(), newCanonical(w), newSCIM(w)
		trips := map[string]func(k known) error{
			"iqmetrix":        func(k known) error { return trip(w.wire, "/v1"+iq.path(k), iq.header) },
			"encore":          func(k known) error { return trip(w.wire, "/users/v1/users"+en.path(k), en.header) },
			"servicemobility": func(k known) error { return trip(w.wire, sm.path(k.userName), sm.header) },
			"smartapp":        newSmartapp(w).echo,
			"edubrite":        w.edubrite().echo,
			"canonical":       func(k known) error { return trip(w.wire, "/api/v1"+ca.path(k), ca.header) },
			"scim":            func(k known) error { return trip(w.wire, "/scim/v2"+sc.path(k), sc.header) },
		}
		check := func(t *testing.T, k known) {
			for _, name := range slices.Sorted(maps.Keys(trips)) {
				before, event := w.snapshot(t, k.number), w.lastEvent(t, k.number)
				// Whoever provisions is refused administrators, whatever it sends.
				spared := name == "scim" && w.user(t, k.number).Rank >= directory.RankAdministrator
				if err := trips[name](k); (err != nil) != spared {
					t.Errorf("%s: %v", name, err)
				}
				if diff := cmp.Diff(before, w.snapshot(t, k.number)); diff != "" {
					t.Errorf("%s changed (-before +after):\n%s", name, diff)
				}
				if e := w.lastEvent(t, k.number); e.Seq != event.Seq {
					t.Errorf("%s left the event %s: %s", name, e.Type, e.Payload)
				}
			}
		}
		for name, odd := range w.odd(t) {
			t.Run(name, func(t *testing.T) { check(t, odd) })
		}
		for _, maker := range w.doors {
			t.Run("made by "+maker.name, func(t *testing.T) { check(t, w.create(t, maker, w.newcomer())) })
			t.Run("filled by "+maker.name, func(t *testing.T) {
				k := w.full(t)
				must(t, maker.verbs.(filler).fill(k))
				check(t, k)
			})
		}
	})
}

// echo sends back what the door shows. A door that wants an address in every
// update that names one gets none of a user who has none.
func (c *smartapp) echo(k known) error {
	a, err := c.call("GET", "/user/get/uniqueid", url.Values{"UniqueID": {k.id}}, nil)
	if err != nil {
		return err
	}
	o, err := a.object()
	if err != nil {
		return err
	}
	if o["email"] == "" {
		delete(o, "email")
	}
	_, err = c.call("POST", "/user/update", url.Values{"UniqueID": {k.id}}, o)
	return err
}

// echo sends back what the door shows.
func (c *edubrite) echo(k known) error {
	shown, err := c.call("userService", "get", "userName", k.userName)
	if err != nil {
		return err
	}
	u := shown.User
	params := []string{"firstName", u.Given, "lastName", u.Family, "email", u.Email, "siteRole", u.SiteRole}
	for _, p := range u.Properties {
		params = append(params, "customUpdPropMap['"+p.Name+"']", p.Value)
	}
	return c.user("update", k, params...)
}

// odd are users with what not every door has a word for.
func (w *world) odd(t *testing.T) map[string]known {
	t.Helper()
	shared := w.newcomer().email
	users := map[string]known{}
	for name, in := range map[string]directory.NewUser{
		"an administrator":               {Fields: directory.UserPatch{Administrator: directory.Some(true), LicenceType: directory.Some(w.seats)}},
		"a staged user":                  {State: directory.StateStaged, Fields: directory.UserPatch{LicenceType: directory.Some(w.seats)}},
		"an inactive user":               {State: directory.StateInactive, Fields: directory.UserPatch{LicenceType: directory.Some(w.seats)}},
		"a licence that encore hides":    {Fields: directory.UserPatch{LicenceType: directory.Some("transaction_based")}},
		"no licence":                     {},
		"the holder of a shared address": {ClaimEmail: true, Fields: directory.UserPatch{Email: directory.Some(shared)}},
	} {
		users[name] = w.made(t, in)
	}
	users["an address that another holds"] = w.made(t, directory.NewUser{Fields: directory.UserPatch{Email: directory.Some(shared)}})
	if w.user(t, users["an address that another holds"].number).EmailClaimed {
		t.Fatal("two users hold one address")
	}
	return users
}

// made makes a user in the core, with the names that every door wants.
func (w *world) made(t *testing.T, in directory.NewUser) known {
	t.Helper()
	p := w.newcomer()
	in.Fields.UserName, in.Fields.GivenName, in.Fields.FamilyName = directory.Some(p.userName), directory.Some(p.given), directory.Some(p.family)
	u, err := w.service.CreateUser(t.Context(), w.system(), in)
	must(t, err)
	return known{u.Number, u.ID, u.UserName}
}

// trip reads an object and sends back the very bytes.
func trip(at wire, path string, header map[string]string) error {
	a, err := at.want(http.StatusOK, request{method: "GET", path: path, header: header})
	if err != nil {
		return err
	}
	_, err = at.want(http.StatusOK, request{method: "PUT", path: path, header: header, body: a.body})
	if err != nil {
		return fmt.Errorf("sending back %s: %w", a.body, err)
	}
	return nil
}

// TestSharedAddress: an address that a user has and another holds stands in
// nobody's way: every door takes back what it showed. A third one's address is
// refused at the doors that claim addresses, and kept by the others.
func TestSharedAddress(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		odd := w.odd(t)
		k := odd["an address that another holds"]
		email := w.user(t, k.number).Email
		third := w.newcomer().email
		w.made(t, directory.NewUser{ClaimEmail: true, Fields: directory.UserPatch{Email: directory.Some(third)}})
		for _, d := range w.doors {
			if claims[d.name] {
				if err := d.change(k, "Refused by "+d.name, third); err == nil {
					t.Errorf("%s gave somebody an address that a third holds", d.name)
				}
			}
			err := d.change(k, "Given by "+d.name, email)
			u := w.user(t, k.number)
			if err != nil || u.GivenName != "Given by "+d.name || u.Email != email || u.EmailClaimed {
				t.Errorf("%s: %v: %q %q, claimed %t", d.name, err, u.GivenName, u.Email, u.EmailClaimed)
			}
		}
		w.do(t, w.doors[0], removing, odd["the holder of a shared address"])
		for _, d := range w.doors {
			must(t, d.change(k, "Heir by "+d.name, email))
			if u := w.user(t, k.number); !u.EmailClaimed || u.GivenName != "Heir by "+d.name {
				t.Errorf("%s: %q, claimed %t", d.name, u.GivenName, u.EmailClaimed)
			}
		}
	})
}

// claims are the doors that give nobody an address that another holds
// (docs/mapping.md, Sign-in addresses).
var claims = map[string]bool{"iqmetrix": true, "smartapp": true, "canonical": true}
