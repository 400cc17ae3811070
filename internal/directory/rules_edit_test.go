package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// addEditRules are the rows of the policy matrix about patches of the tenant and of
// lock reasons, and the feed of events.
func addEditRules(rules map[string]methodRule) {
	reason := func(call func(w *world, c *directory.Call, number int64) error) methodRule {
		return methodRule{adminRank, directory.ScopeCompanies, false, false, directory.ReasonLockReasonNotFound, func(w *world) func(c *directory.Call) error {
			number := w.lockReason(w.outside).Number
			return func(c *directory.Call) error { return call(w, c, number) }
		}}
	}
	rules["EditLockReason"] = reason(func(w *world, c *directory.Call, number int64) error {
		return second(w.svc.EditLockReason(w.ctx, c, number, directory.LockReasonPatch{Name: directory.Some(w.unique("reason"))}))
	})
	rules["EraseLockReason"] = reason(func(w *world, c *directory.Call, number int64) error {
		return w.svc.EraseLockReason(w.ctx, c, number)
	})
	rules["EditTenant"] = methodRule{adminRank, directory.ScopeTenant, false, false, wholeTenant, noPreparation(func(w *world, c *directory.Call) error {
		// The host stays: people of other rows sign in by it.
		return second(w.svc.EditTenant(w.ctx, c, directory.TenantPatch{Settings: func(now directory.Settings) (directory.Settings, error) {
			now.IQmetrixPictureNull = !now.IQmetrixPictureNull
			return now, nil
		}}))
	})}
	rules["ListEvents"] = methodRule{readerRank, directory.ScopeEvents, false, false, wholeTenant, noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.ListEvents(w.ctx, c, directory.EventQuery{Limit: 10}))
	})}
}

// A patch of a lock reason leaves what it does not name, and writes nothing where
// nothing differs.
func TestRulesEditLockReason(t *testing.T) {
	f := newFixture(t)
	held := f.lockReason(f.root)
	other := f.lockReason(f.root)
	call := f.sys()
	call.If.Match = []int64{held.Version}
	got := must(f.svc.EditLockReason(f.ctx, call, held.Number, directory.LockReasonPatch{Description: directory.Some("Ask the desk.")}))(t)
	want := held
	want.Description, want.Version = "Ask the desk.", held.Version+1
	if diff := cmp.Diff(want, got); diff != "" || !call.Changed {
		t.Errorf("changed %t (-want +got):\n%s", call.Changed, diff)
	}
	same := f.sys()
	if got := must(f.svc.EditLockReason(f.ctx, same, held.Number, directory.LockReasonPatch{Name: directory.Some(held.Name)}))(t); got != want || same.Changed {
		t.Errorf("nothing to change: %v, changed %t", got, same.Changed)
	}
	stale := f.sys()
	stale.If.Match = []int64{held.Version}
	wantError(t, second(f.svc.EditLockReason(f.ctx, stale, held.Number, directory.LockReasonPatch{})), directory.CodeStale, directory.ReasonVersionMismatch)
	taken := directory.LockReasonPatch{Name: directory.Some(other.Name)}
	wantError(t, second(f.svc.EditLockReason(f.ctx, f.sys(), held.Number, taken)), directory.CodeConflict, directory.ReasonLockReasonTaken)
	none := directory.LockReasonPatch{Description: directory.Some("")}
	wantError(t, second(f.svc.EditLockReason(f.ctx, f.sys(), held.Number, none)), directory.CodeInvalid, directory.ReasonFieldRequired)

	stale.If.Match = []int64{held.Version}
	wantError(t, f.svc.EraseLockReason(f.ctx, stale, held.Number), directory.CodeStale, directory.ReasonVersionMismatch)
	check(t, f.svc.EraseLockReason(f.ctx, f.sys(), held.Number))
	for _, number := range []int64{held.Number, 0, -1, directory.MaxNumber + 1} {
		wantError(t, f.svc.EraseLockReason(f.ctx, f.sys(), number), directory.CodeNotFound, directory.ReasonLockReasonNotFound)
	}
}

// A patch of the tenant leaves what it does not name; settings are made from
// those that there are, and Demo is nobody's to set.
func TestRulesEditTenant(t *testing.T) {
	f := newFixture(t)
	limit := func(n int) func(directory.Settings) (directory.Settings, error) {
		return func(now directory.Settings) (directory.Settings, error) {
			now.MaxFailedLogins, now.Demo = n, true
			return now, nil
		}
	}
	before := f.tenant
	call := f.sys()
	call.If.Match = []int64{before.Version}
	got := must(f.svc.EditTenant(f.ctx, call, directory.TenantPatch{Hosts: directory.Some([]string{"ACME.example.com"}), Settings: limit(7)}))(t)
	want := before
	want.Hosts, want.Settings.MaxFailedLogins, want.Version = []string{"acme.example.com"}, 7, before.Version+1
	if diff := cmp.Diff(want, got); diff != "" || !call.Changed {
		t.Errorf("changed %t (-want +got):\n%s", call.Changed, diff)
	}
	same := f.sys()
	if got := must(f.svc.EditTenant(f.ctx, same, directory.TenantPatch{Settings: limit(7)}))(t); got.Version != want.Version || same.Changed {
		t.Errorf("nothing to change: version %d, changed %t", got.Version, same.Changed)
	}
	failed := errors.New("no settings")
	for reason, p := range map[directory.Reason]directory.TenantPatch{
		directory.ReasonFieldValue:      {Settings: limit(1000)},
		directory.ReasonFieldFormat:     {Hosts: directory.Some([]string{"no host"})},
		directory.ReasonCompanyNotFound: {DefaultCompany: directory.Some[int64](999)},
	} {
		if _, err := f.svc.EditTenant(f.ctx, f.sys(), p); !directory.IsReason(err, reason) {
			t.Errorf("%v, want %s", err, reason)
		}
	}
	bad := directory.TenantPatch{Settings: func(now directory.Settings) (directory.Settings, error) { return now, failed }}
	if _, err := f.svc.EditTenant(f.ctx, f.sys(), bad); !errors.Is(err, failed) {
		t.Errorf("%v, want what the settings failed with", err)
	}
	key := f.key(adminRank)
	for what, p := range map[string]directory.TenantPatch{"disabled": {Disabled: directory.Some(true)},
		"its own door": {Doors: directory.Some(directory.AllDoors &^ directory.DoorSet(f.as(key).Door))}} {
		if _, err := f.svc.EditTenant(f.ctx, f.as(key), p); directory.CodeOf(err) != directory.CodeConflict || !directory.IsReason(err, directory.ReasonSelfLock) {
			t.Errorf("%s: %v", what, err)
		}
	}
	stale := f.sys()
	stale.If.Match = []int64{before.Version}
	wantError(t, second(f.svc.EditTenant(f.ctx, stale, directory.TenantPatch{})), directory.CodeStale, directory.ReasonVersionMismatch)
}

// The feed tells every event once, in order, and goes on with what happens later.
func TestRulesListEvents(t *testing.T) {
	f := newFixture(t)
	f.someones(3)
	all := must(f.svc.Events(f.ctx, f.sys(), 0, directory.MaxLimit))(t)
	var seen []string
	cursor := ""
	for {
		page := must(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Cursor: cursor, Limit: 2}))(t)
		for _, e := range page.Events {
			seen = append(seen, e.ID)
		}
		if cursor = page.Next; !page.More {
			break
		}
	}
	ids := func(list []directory.Event) (ids []string) {
		for _, e := range list {
			ids = append(ids, e.ID)
		}
		return ids
	}
	if diff := cmp.Diff(ids(all), seen); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	f.someone()
	later := must(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Cursor: cursor, Limit: 100}))(t)
	rest := must(f.svc.Events(f.ctx, f.sys(), all[len(all)-1].Position, directory.MaxLimit))(t)
	if diff := cmp.Diff(ids(rest), ids(later.Events)); diff != "" || later.More || len(rest) == 0 {
		t.Errorf("more %t (-want +got):\n%s", later.More, diff)
	}
	wantError(t, second(f.svc.ListEvents(f.ctx, f.as(f.key(readerRank)), directory.EventQuery{Cursor: cursor, Limit: 2})), directory.CodeInvalid, directory.ReasonCursorInvalid)
	wantError(t, second(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{})), directory.CodeInvalid, directory.ReasonFieldValue)
}

// A person has no external id to give to a group either.
func TestRulesGroupExternalIDOfPersons(t *testing.T) {
	f := newFixture(t)
	admin := f.someone(withPassword)
	_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(admin.Number), f.role(adminRank).Number, 0)
	check(t, err)
	me := f.session(admin)
	group := directory.Group{Kind: directory.GroupPlain, Name: "Crew"}
	wantError(t, second(f.svc.MakeGroup(f.ctx, me(), directory.NewGroup{Group: group, ExternalID: "x"})), directory.CodeInvalid, directory.ReasonFieldRights)
	made := must(f.svc.MakeGroup(f.ctx, me(), directory.NewGroup{Group: group}))(t)
	edit := func(id string) directory.GroupEdit {
		return directory.GroupEdit{GroupPatch: directory.GroupPatch{ExternalID: directory.Some(id)}}
	}
	ref := directory.GroupRef{ID: made.Group.ID}
	wantError(t, second(f.svc.EditGroup(f.ctx, me(), ref, edit("x"))), directory.CodeInvalid, directory.ReasonFieldRights)
	if got := must(f.svc.EditGroup(f.ctx, me(), ref, edit("")))(t); got.Group.Version != made.Group.Version {
		t.Errorf("nothing to change: %+v", got)
	}
}

// Scopes and doors have names, which are read back.
func TestRulesScopeNames(t *testing.T) {
	if names := directory.AllScopes.Names(); len(names) != 7 || slices.Contains(names, "") {
		t.Errorf("scopes %q", names)
	}
	for _, name := range directory.AllScopes.Names() {
		set, err := directory.ParseScopes([]string{name})
		if err != nil || !slices.Equal(set.Names(), []string{name}) {
			t.Errorf("%s is %v, %v", name, set.Names(), err)
		}
	}
	_, err := directory.ParseScopes([]string{"users_read", "everything"})
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
	if got := directory.AllDoors.Names(); strings.Join(got, ",") != directory.AllDoors.String() || len(directory.DoorSet(0).Names()) != 0 {
		t.Errorf("doors %q", got)
	}
}
