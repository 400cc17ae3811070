package directory_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// update changes a user as the operator, without options.
func (f *fixture) update(u directory.User, p directory.UserPatch) (directory.User, error) {
	return f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), p, directory.UpdateOptions{})
}

// lastEvent is the newest event of a user.
func (f *fixture) lastEvent(number int64) directory.Event {
	f.t.Helper()
	var last directory.Event
	for _, e := range must(f.svc.Events(f.ctx, f.sys(), 0, directory.MaxLimit))(f.t) {
		if e.User == number {
			last = e
		}
	}
	return last
}

// A state in a patch does what the verb does: seat, sessions and event follow.
func TestRulesPatchState(t *testing.T) {
	f := newFixture(t)
	f.setPool(1)
	u := f.someone(withLicence, withPassword)
	call := f.session(u)
	got := must(f.update(u, directory.UserPatch{State: directory.Some(directory.StateInactive), Title: directory.Some("Gone")}))(t)
	if got.State != directory.StateInactive || got.Seat != 0 || f.pool(licence).Used != 0 {
		t.Errorf("after: %s, seat %d, %d used", got.State, got.Seat, f.pool(licence).Used)
	}
	if e := f.lastEvent(u.Number); e.Type != directory.EventUserDeactivated {
		t.Errorf("the event is %s", e.Type)
	}
	_, err := f.svc.User(f.ctx, call(), directory.ByNumber(u.Number))
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)

	other := f.someone(withLicence)
	_, err = f.update(u, directory.UserPatch{State: directory.Some(directory.StateActive), Title: directory.Some("Back")})
	wantError(t, err, directory.CodeExhausted, directory.ReasonSeatExhausted)
	if now := f.stored(u.Number); now.Title != "Gone" {
		t.Errorf("a refused patch left the title %q", now.Title)
	}
	must(f.svc.Deactivate(f.ctx, f.sys(), directory.ByNumber(other.Number)))(t)
	got = must(f.update(u, directory.UserPatch{State: directory.Some(directory.StateActive)}))(t)
	if got.Seat == 0 || f.lastEvent(u.Number).Type != directory.EventUserActivated {
		t.Errorf("activated by a patch: seat %d, event %s", got.Seat, f.lastEvent(u.Number).Type)
	}
	_, err = f.update(u, directory.UserPatch{State: directory.Some(directory.StateDeleted)})
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
}

// A lock in a patch ends sessions; nobody locks itself out, by whatever use
// case.
func TestRulesPatchLock(t *testing.T) {
	f := newFixture(t)
	boss := f.ranked(adminRank)
	session := f.session(boss)
	lock := directory.UserPatch{Locked: directory.Some(true)}
	_, err := f.svc.UpdateUser(f.ctx, session(), directory.ByNumber(boss.Number), lock, directory.UpdateOptions{})
	wantError(t, err, directory.CodeConflict, directory.ReasonSelfLock)
	_, err = f.svc.Lock(f.ctx, session(), directory.ByNumber(boss.Number), 0)
	wantError(t, err, directory.CodeConflict, directory.ReasonSelfLock)

	got := must(f.update(boss, lock))(t)
	if !got.Locked || f.lastEvent(boss.Number).Type != directory.EventUserLocked {
		t.Errorf("locked %v, event %s", got.Locked, f.lastEvent(boss.Number).Type)
	}
	_, err = f.svc.User(f.ctx, session(), directory.ByNumber(boss.Number))
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	got = must(f.update(boss, directory.UserPatch{Locked: directory.Some(false)}))(t)
	if got.Locked || f.lastEvent(boss.Number).Type != directory.EventUserUnlocked {
		t.Errorf("locked %v, event %s", got.Locked, f.lastEvent(boss.Number).Type)
	}
}

// A password in a patch is a password set: policy, sessions, rights.
func TestRulesPatchPassword(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	session := f.session(u)
	change := directory.UserPatch{Password: directory.Some(otherPass), Title: directory.Some("New")}
	_, err := f.svc.UpdateUser(f.ctx, session(), directory.ByNumber(u.Number), directory.UserPatch{Password: change.Password}, directory.UpdateOptions{})
	if directory.CodeOf(err) != directory.CodeForbidden {
		t.Errorf("an ordinary user's patch of its own password: %v", err)
	}
	_, err = f.update(u, directory.UserPatch{Password: directory.Some("short")})
	wantError(t, err, directory.CodeInvalid, directory.ReasonPasswordTooShort)
	withoutPasswords := f.key(adminRank, func(in *directory.NewCredential) {
		in.Scopes = directory.AllScopes &^ directory.ScopePasswords
	})
	_, err = f.svc.UpdateUser(f.ctx, f.as(withoutPasswords), directory.ByNumber(u.Number), change, directory.UpdateOptions{})
	wantError(t, err, directory.CodeForbidden, directory.ReasonScopeMissing)

	must(f.update(u, change))(t)
	if _, err := f.grant(f.client(), u.UserName, otherPass); err != nil {
		t.Errorf("sign in with the new password: %v", err)
	}
	_, err = f.svc.User(f.ctx, session(), directory.ByNumber(u.Number))
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

// Extra fields change single members of the door's own object.
func TestRulesPatchExtraFields(t *testing.T) {
	f := newFixture(t)
	key := f.key(adminRank)
	u := f.someone()
	through := func(p directory.UserPatch) (directory.User, error) {
		return f.svc.UpdateUser(f.ctx, f.through(directory.DoorEncore, key), directory.ByNumber(u.Number), p, directory.UpdateOptions{})
	}
	must(through(directory.UserPatch{Extras: directory.Some(raw(`{"GPSEnabled":true,"RoleId":3}`))}))(t)
	got := must(through(directory.UserPatch{ExtraFields: map[string]json.RawMessage{"RoleId": raw("5"), "GPSEnabled": raw("null"), "EPTTNumber": raw(`"7"`)}}))(t)
	if diff := cmp.Diff(`{"EPTTNumber":"7","RoleId":5}`, string(got.Profile.Extras["encore"])); diff != "" {
		t.Errorf("extras (-want +got):\n%s", diff)
	}
	got = must(through(directory.UserPatch{ExtraFields: map[string]json.RawMessage{"EPTTNumber": nil, "RoleId": nil}}))(t)
	if _, there := got.Profile.Extras["encore"]; there {
		t.Errorf("no member is left, but %s", got.Profile.Extras["encore"])
	}
}

// Company and location by name, as Smartapp gives them; a location of another
// company is none.
func TestRulesPatchPlace(t *testing.T) {
	f := newFixture(t)
	east := f.company("East", f.root)
	for company, names := range map[int64][]string{east: {"Depot", "Office"}, f.root: {"Tower"}} {
		for _, name := range names {
			must(f.svc.CreateLocation(f.ctx, f.sys(), directory.Location{Company: company, Name: name}))(t)
		}
	}
	at := func(u directory.User) []int64 {
		_, list, err := f.svc.UserLocations(f.ctx, f.sys(), directory.ByNumber(u.Number))
		check(t, err)
		return list
	}
	u := f.someone(func(in *directory.NewUser) {
		in.Fields.CompanyName, in.Fields.LocationName = directory.Some(" eAst"), directory.Some("depot")
	})
	if u.Company != east || len(at(u)) != 1 {
		t.Fatalf("company %d, locations %v", u.Company, at(u))
	}
	depot := at(u)[0]
	_, err := f.update(u, directory.UserPatch{LocationName: directory.Some("Tower")})
	wantError(t, err, directory.CodeInvalid, directory.ReasonLocationNotFound)
	_, err = f.update(u, directory.UserPatch{CompanyName: directory.Some("West")})
	wantError(t, err, directory.CodeInvalid, directory.ReasonCompanyNotFound)
	got := must(f.update(u, directory.UserPatch{LocationName: directory.Some("Office")}))(t)
	if list := at(u); len(list) != 1 || list[0] == depot || got.Version != u.Version+1 {
		t.Errorf("locations %v, version %d", list, got.Version)
	}
	must(f.update(u, directory.UserPatch{LocationName: directory.Some("")}))(t)
	if list := at(u); len(list) != 0 {
		t.Errorf("locations %v", list)
	}
}

// A hold blocks what its kind says, by verb and by patch alike.
func TestRulesHoldsBlock(t *testing.T) {
	f := newFixture(t)
	verbs := map[directory.Verb]func(ref directory.UserRef) error{
		directory.VerbActivate:   func(ref directory.UserRef) error { _, err := f.svc.Activate(f.ctx, f.sys(), ref); return err },
		directory.VerbDeactivate: func(ref directory.UserRef) error { _, err := f.svc.Deactivate(f.ctx, f.sys(), ref); return err },
		directory.VerbDelete:     func(ref directory.UserRef) error { _, err := f.svc.DeleteUser(f.ctx, f.sys(), ref); return err },
		directory.VerbPurge:      func(ref directory.UserRef) error { return f.svc.PurgeUser(f.ctx, f.sys(), ref) },
	}
	blocked := map[directory.HoldKind][]directory.Verb{
		directory.HoldOpenOrders:      {directory.VerbDeactivate, directory.VerbDelete},
		directory.HoldAssignedVehicle: {directory.VerbDeactivate, directory.VerbDelete},
		directory.HoldVehicleRemoved:  {directory.VerbActivate},
		directory.HoldLegal:           {directory.VerbDelete, directory.VerbPurge},
	}
	for kind, want := range blocked {
		for verb, run := range verbs {
			t.Run(fmt.Sprintf("%s %s", kind, verb), func(t *testing.T) {
				f := f.sub(t)
				u := f.someone()
				ref := directory.ByNumber(u.Number)
				switch verb {
				case directory.VerbActivate:
					must(f.svc.Deactivate(f.ctx, f.sys(), ref))(t)
				case directory.VerbPurge:
					must(f.svc.DeleteUser(f.ctx, f.sys(), ref))(t)
				}
				hold := directory.Hold{User: u.Number, Kind: kind, Source: "dispatch", Ref: "42", CreatedAt: f.clock.now()}
				check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
					_, err := tx.InsertHold(f.ctx, f.tenant.No, hold)
					return err
				}))
				err := run(ref)
				if !slices.Contains(want, verb) {
					check(t, err)
					return
				}
				wantError(t, err, directory.CodeConflict, directory.ReasonUserHeld)
				check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
					_, err := tx.DeleteHold(f.ctx, f.tenant.No, hold)
					return err
				}))
				check(t, run(ref))
			})
		}
	}
}

// A door that wants every violation gets the fields', its own, what is taken,
// what is held and whether a seat is free, at once, and nothing changes.
func TestRulesEveryViolationAtOnce(t *testing.T) {
	f := newFixture(t)
	f.setPool(1)
	holder := f.someone(withLicence)
	u := f.someone(withLicence, withState(directory.StateInactive))
	p := directory.UserPatch{
		GivenName: directory.Some("a\x00b"), State: directory.Some(directory.StateActive), Password: directory.Some("short"),
		EmployeeNumber: directory.Some(holder.EmployeeNumber), CompanyName: directory.Some("Nowhere"),
		Groups: []directory.GroupChange{{Kind: directory.GroupPlain, Mode: directory.GroupsReplaceFirst, Groups: []directory.GroupRef{{Kind: directory.GroupPlain, Name: "no such"}}}},
	}
	rules := directory.DoorRules{All: true, Faults: []directory.FieldError{{Field: "phones", Reason: directory.ReasonFieldLength, Message: "too long"}}}
	_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), p, directory.UpdateOptions{Rules: rules})
	got := fieldReasons(err)
	slices.Sort(got)
	want := []string{"company company.not_found", "employee_number user.employee_number_taken", "given_name field.format",
		"groups group.not_found", "licence_type seat.exhausted", "password password.too_short", "phones field.length"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("violations of an update (-want +got):\n%s", diff)
	}
	if now := f.stored(u.Number); now.Version != u.Version {
		t.Error("a refused update changed the user")
	}
	in := newUser(holder.UserName)
	in.Password, in.Rules, in.Fields.LicenceType = "short", rules, directory.Some(licence)
	in.ClaimEmail = false
	_, err = f.svc.CreateUser(f.ctx, f.sys(), in)
	got = fieldReasons(err)
	slices.Sort(got)
	want = []string{"employee_number user.employee_number_taken", "licence_type seat.exhausted", "open_id user.open_id_taken",
		"password password.too_short", "phones field.length", "user_name user.user_name_taken", "web_mdn user.web_mdn_taken"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("violations of a creation (-want +got):\n%s", diff)
	}
	// Without All the first group stands alone.
	_, err = f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{GivenName: p.GivenName, EmployeeNumber: p.EmployeeNumber}, directory.UpdateOptions{})
	if diff := cmp.Diff([]string{"given_name field.format"}, fieldReasons(err)); diff != "" {
		t.Errorf("violations without All (-want +got):\n%s", diff)
	}
}

// What doors demand of licences, mobile-only users and the owner.
func TestRulesDoorDemands(t *testing.T) {
	f := newFixture(t)
	demand := directory.DoorRules{RequireLicence: true, Licences: []string{licence, directory.LicenceWebOnly}, RefuseOwner: true}
	put := func(u directory.User, p directory.UserPatch) error {
		_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), p, directory.UpdateOptions{Rules: demand})
		return err
	}
	none := directory.UserPatch{LicenceType: directory.Some("")}
	in := newUser(f.unique("user"))
	in.Rules, in.Fields.LicenceType = demand, directory.Some("")
	_, err := f.svc.CreateUser(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeInvalid, directory.ReasonLicenceRequired)

	seen := f.someone(withLicence)
	wantError(t, put(seen, none), directory.CodeInvalid, directory.ReasonLicenceRequired)
	hidden := f.someone(func(in *directory.NewUser) { in.Fields.LicenceType = directory.Some("hidden") })
	check(t, put(hidden, none))
	if got := f.stored(hidden.Number).LicenceType; got != "hidden" {
		t.Errorf("an update that sends none left %q", got)
	}
	check(t, put(f.someone(), none))

	web := f.someone(func(in *directory.NewUser) { in.Fields.LicenceType = directory.Some(directory.LicenceWebOnly) })
	mobile := directory.UserPatch{MobileOnly: directory.Some(true)}
	_, err = f.update(web, mobile)
	wantError(t, err, directory.CodeInvalid, directory.ReasonLicenceMobile)
	owner := f.ranked(ownerRank)
	_, err = f.update(owner, mobile)
	wantError(t, err, directory.CodeInvalid, directory.ReasonOwnerMobile)
	wantError(t, put(owner, directory.UserPatch{Title: directory.Some("Dr")}), directory.CodeInvalid, directory.ReasonOwnerProtected)
	_, err = f.update(owner, directory.UserPatch{State: directory.Some(directory.StateInactive)})
	wantError(t, err, directory.CodeForbidden, directory.ReasonOwnerProtected)
}

// A drawn user name is free, whoever holds the ones before.
func TestRulesDrawnUserName(t *testing.T) {
	f := newFixture(t)
	drawn := func(base string) string {
		return must(f.svc.CreateUser(f.ctx, f.sys(), directory.NewUser{NameBase: base}))(t).UserName
	}
	if got := []string{drawn("ccarr"), drawn("ccarr")}; !slices.Equal(got, []string{"ccarr1", "ccarr2"}) {
		t.Errorf("the first two names are %v", got)
	}
	f.user("CCarr3")
	seen := map[string]bool{}
	for range 40 {
		name := drawn("ccarr")
		if seen[name] {
			t.Errorf("%s was drawn twice", name)
		}
		seen[name] = true
	}
	if got := drawn("bell\x07"); got != "user1" {
		t.Errorf("a base that cannot be a name gives %q", got)
	}
}

// Without a free seat a creation is refused, or makes an inactive user where
// the door wants that.
func TestRulesCreateWithoutSeat(t *testing.T) {
	f := newFixture(t)
	f.setPool(0)
	wanted := func(s *directory.Settings) bool { return s != nil && !s.SmartappInactiveWithoutSeat }
	in := newUser("full")
	in.Fields.LicenceType, in.InactiveWithoutSeat = directory.Some(licence), wanted
	_, err := f.svc.CreateUser(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeExhausted, directory.ReasonSeatNotEntitled)
	f.setPool(1)
	first := must(f.svc.CreateUser(f.ctx, f.sys(), in))(t)
	in = newUser("fuller")
	in.Fields.LicenceType, in.InactiveWithoutSeat = directory.Some(licence), wanted
	second := must(f.svc.CreateUser(f.ctx, f.sys(), in))(t)
	if first.State != directory.StateActive || second.State != directory.StateInactive || second.Seat != 0 || f.pool(licence).Used != 1 {
		t.Errorf("first %s, second %s with seat %d, %d used", first.State, second.State, second.Seat, f.pool(licence).Used)
	}
}

// PutUser makes, replaces what the patch sets, and tells names apart by case.
func TestRulesPutUser(t *testing.T) {
	f := newFixture(t)
	put := func(name string, p directory.UserPatch) (directory.User, bool, error) {
		return f.svc.PutUser(f.ctx, f.sys(), name, directory.NewUser{Fields: p, Password: password}, directory.UpdateOptions{})
	}
	made, fresh, err := put("Tech.Jones", directory.UserPatch{GivenName: directory.Some("Tom"), Password: directory.Some(otherPass)})
	check(t, err)
	if !fresh || made.GivenName != "Tom" {
		t.Errorf("made %v, %q", fresh, made.GivenName)
	}
	if _, err := f.grant(f.client(), "tech.jones", password); err != nil {
		t.Errorf("the creation's password does not sign in: %v", err)
	}
	must(f.update(made, directory.UserPatch{Title: directory.Some("Dr")}))(t)
	got, fresh, err := put("Tech.Jones", directory.UserPatch{GivenName: directory.Some("Tim")})
	check(t, err)
	if fresh || got.Number != made.Number || got.GivenName != "Tim" || got.Title != "Dr" {
		t.Errorf("replaced: made %v, number %d, %q, %q", fresh, got.Number, got.GivenName, got.Title)
	}
	_, _, err = put("tech.jones", directory.UserPatch{})
	wantError(t, err, directory.CodeConflict, directory.ReasonUserNameTaken)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByExactUserName("Tech.Jones")))(t)
	again, fresh, err := put("tech.jones", directory.UserPatch{})
	check(t, err)
	if !fresh || again.Number == made.Number {
		t.Errorf("after the deletion: made %v, number %d", fresh, again.Number)
	}
}

// Call.Changed says whether anything was written.
func TestRulesChanged(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	for i, want := range []bool{true, false} {
		call := f.sys()
		must(f.svc.Deactivate(f.ctx, call, directory.ByNumber(u.Number)))(t)
		if call.Changed != want {
			t.Errorf("deactivation %d: changed %v", i+1, call.Changed)
		}
	}
	call := f.sys()
	if _, err := f.svc.UpdateUser(f.ctx, call, directory.ByNumber(u.Number), directory.UserPatch{Title: directory.Some("\x00")}, directory.UpdateOptions{}); err == nil || call.Changed {
		t.Errorf("a refused update: %v, changed %v", err, call.Changed)
	}
}
