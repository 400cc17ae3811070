package directory_test

import (
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// A condition that is not met keeps from every write about a user, also from
// those that raise no version, and from revoking what has no version at all.
func TestRulesConditionsOfWhatRaisesNoVersion(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	f.session(u)
	session := must(f.svc.Sessions(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)[0].ID
	hold := directory.Hold{Kind: directory.HoldLegal, Source: "court", Ref: "1"}
	if err := f.svc.PlaceHold(f.ctx, f.sys(), directory.ByNumber(u.Number), hold); err != nil {
		t.Fatal(err)
	}
	f.key(directory.RankReader)
	credential := must(f.svc.Credentials(f.ctx, f.sys()))(t)[0].ID
	u = must(f.svc.User(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	of := directory.ByNumber(u.Number)
	writes := map[string]func(c *directory.Call) error{
		"PlaceHold": func(c *directory.Call) error {
			return f.svc.PlaceHold(f.ctx, c, of, directory.Hold{Kind: directory.HoldLegal, Source: "court", Ref: "2"})
		},
		"ReleaseHold":      func(c *directory.Call) error { return f.svc.ReleaseHold(f.ctx, c, of, hold) },
		"MailReset":        func(c *directory.Call) error { return f.svc.MailReset(f.ctx, c, of) },
		"MakeReset":        func(c *directory.Call) error { return second(f.svc.MakeReset(f.ctx, c, of)) },
		"EndSession":       func(c *directory.Call) error { return f.svc.EndSession(f.ctx, c, of, session) },
		"RevokeCredential": func(c *directory.Call) error { return f.svc.RevokeCredential(f.ctx, c, credential) },
	}
	dump := f.dump()
	for what, write := range writes {
		for _, condition := range []directory.Condition{{Match: []int64{u.Version + 1}}, {Match: []int64{}}, {MustNotExist: true}} {
			call := f.sys()
			call.If = condition
			wantRefused(t, what, write(call), directory.CodeStale, directory.ReasonVersionMismatch)
		}
	}
	f.wantUnchanged(dump, "conditions that are not met")
	for what, write := range writes {
		call := f.sys()
		call.If.MustExist, call.If.NoneMatch = true, []int64{u.Version + 1}
		if what != "RevokeCredential" {
			call.If.Match = []int64{u.Version}
		}
		if err := write(call); err != nil {
			t.Errorf("%s with conditions that are met: %v", what, err)
		}
	}
}

// What is still to be made has no version: who asks for one makes nothing.
func TestRulesConditionsOfCreations(t *testing.T) {
	f := newFixture(t)
	creations := map[string]func(c *directory.Call) error{
		"CreateUser": func(c *directory.Call) error { return second(f.svc.CreateUser(f.ctx, c, newUser(f.unique("made")))) },
		"CreateCompany": func(c *directory.Call) error {
			return second(f.svc.CreateCompany(f.ctx, c, directory.Company{Name: f.unique("company")}))
		},
		"CreateRole": func(c *directory.Call) error {
			return second(f.svc.CreateRole(f.ctx, c, directory.Role{Name: f.unique("role")}))
		},
		"MakeGroup": func(c *directory.Call) error {
			return second(f.svc.MakeGroup(f.ctx, c, directory.NewGroup{Group: directory.Group{Kind: directory.GroupPlain, Name: f.unique("group")}}))
		},
	}
	dump := f.dump()
	for what, create := range creations {
		for _, condition := range []directory.Condition{{Match: []int64{1}}, {MustExist: true}} {
			call := f.sys()
			call.If = condition
			wantRefused(t, what, create(call), directory.CodeStale, directory.ReasonVersionMismatch)
		}
	}
	f.wantUnchanged(dump, "creations with a version")
	for what, create := range creations {
		call := f.sys()
		call.If = directory.Condition{NoneMatch: []int64{1}, MustNotExist: true}
		if err := create(call); err != nil {
			t.Errorf("%s where there is none: %v", what, err)
		}
	}
}

// Nobody acts as a user who is not in the version that was asked for.
func TestRulesConditionsOfActingAsAUser(t *testing.T) {
	f := newFixture(t)
	u, boss := f.someone(), f.ranked(directory.RankAdministrator)
	call := f.as(must(f.svc.OpenUserSession(f.ctx, f.through(directory.DoorCanonical, ""), boss.UserName, password, ""))(t).Token)
	call.Reason, call.If.Match = "ticket 4711", []int64{u.Version + 1}
	_, _, err := f.svc.ActAsUser(f.ctx, call, directory.ByNumber(u.Number))
	wantError(t, err, directory.CodeStale, directory.ReasonVersionMismatch)
	call.If.Match = []int64{u.Version}
	if _, _, err := f.svc.ActAsUser(f.ctx, call, directory.ByNumber(u.Number)); err != nil {
		t.Error(err)
	}
}
