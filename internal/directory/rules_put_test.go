package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
)

// An ordinary user puts what it may change of its own record, and nobody else.
func TestRulesPutUserOfItself(t *testing.T) {
	f := newFixture(t)
	u, other := f.someone(withPassword), f.someone()
	me := f.session(u)
	put := func(name string, p directory.UserPatch) (directory.User, error) {
		got, made, err := f.svc.PutUser(f.ctx, me(), name, directory.NewUser{Fields: p}, directory.UpdateOptions{})
		if made {
			t.Errorf("%s was made", name)
		}
		return got, err
	}
	if got := must(put(u.UserName, directory.UserPatch{GivenName: directory.Some("Ada")}))(t); got.GivenName != "Ada" {
		t.Errorf("given name %q", got.GivenName)
	}
	_, err := put(u.UserName, directory.UserPatch{Title: directory.Some("Owner")})
	wantError(t, err, directory.CodeForbidden, directory.ReasonFieldRights)
	for _, name := range []string{other.UserName, "nobody.yet"} {
		_, err := put(name, directory.UserPatch{GivenName: directory.Some("Ada")})
		wantError(t, err, directory.CodeForbidden, directory.ReasonSelfOnly)
	}
}

// A door that shows no extensions does not lose them: each number that stays
// keeps its own.
func TestRulesPhonesWithoutExtensions(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	must(f.update(u, directory.UserPatch{Phones: directory.Some([]directory.Phone{{Number: "1", Extension: "a", Type: "Work"},
		{Number: "2", Extension: "b"}, {Number: "1", Extension: "c"}, {Number: "3", Extension: "d"}})}))(t)
	version := f.stored(u.Number).Version
	list := []directory.Phone{{Number: "1", Type: "Work"}, {Number: "2"}, {Number: "1"}, {Number: "3"}}
	same := must(f.update(u, directory.UserPatch{NoExtensions: true, Phones: directory.Some(list)}))(t)
	if same.Version != version || list[0].Extension != "" {
		t.Errorf("version %d, want %d; the caller's list is %v", same.Version, version, list)
	}
	got := must(f.update(u, directory.UserPatch{NoExtensions: true,
		Phones: directory.Some([]directory.Phone{{Number: "4"}, {Number: "2", Type: "Home"}, {Number: "1"}, {Number: "1"}, {Number: "1"}})}))(t)
	want := []directory.Phone{{Number: "4"}, {Number: "2", Extension: "b", Type: "Home"}, {Number: "1", Extension: "a"}, {Number: "1", Extension: "c"}, {Number: "1"}}
	if diff := cmp.Diff(want, got.Phones); diff != "" {
		t.Error(diff)
	}
	got = must(f.update(u, directory.UserPatch{Phones: directory.Some([]directory.Phone{{Number: "2"}})}))(t)
	if len(got.Phones) != 1 || got.Phones[0].Extension != "" {
		t.Errorf("a door that shows extensions takes one away: %v", got.Phones)
	}
}

// A door that shows staged users as inactive ones does not make them inactive.
func TestRulesStagedShownAsInactive(t *testing.T) {
	f := newFixture(t)
	u := f.someone(func(n *directory.NewUser) { n.State = directory.StateStaged })
	put := func(to directory.State, alike bool) directory.State {
		return must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{State: directory.Some(to)},
			directory.UpdateOptions{Rules: directory.DoorRules{HiddenStaged: alike}}))(t).State
	}
	for i, step := range []struct {
		to, want directory.State
		alike    bool
	}{
		{directory.StateInactive, directory.StateStaged, true},
		{directory.StateInactive, directory.StateInactive, false},
		{directory.StateActive, directory.StateActive, true},
		{directory.StateInactive, directory.StateInactive, true},
	} {
		if got := put(step.to, step.alike); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}

// Who names the entity means the caller's own tenant.
func TestRulesEntityOf(t *testing.T) {
	f := newFixture(t)
	got := must(f.svc.SetEntityOf(f.ctx, f.sys(), f.tenant.ID, `{"Name":"Acme"}`))(t)
	if got.Entity != `{"Name":"Acme"}` {
		t.Errorf("entity %q", got.Entity)
	}
	stranger := f.newTenant("stranger", directory.Settings{})
	dump := f.dump()
	for _, id := range []string{"", "00000000-0000-0000-0000-000000000000", stranger.ID} {
		_, err := f.svc.SetEntityOf(f.ctx, f.sys(), id, `{"Name":"Other"}`)
		wantError(t, err, directory.CodeNotFound, directory.ReasonTenantNotFound)
		f.wantUnchanged(dump, "the entity of another")
	}
}
