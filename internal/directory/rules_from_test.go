package directory_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// from are the options of a patch that is made of the current user.
func from(with directory.Include, patch func(*directory.UserDetail) (directory.UserPatch, error)) directory.UpdateOptions {
	return directory.UpdateOptions{From: patch, FromWith: with}
}

// A patch that is made of the current user sees all that was changed before it:
// of twenty at once, each of which adds to what is there, none is lost.
func TestRulesPatchFromCurrent(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	const writers = 20
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{}, from(0, func(now *directory.UserDetail) (directory.UserPatch, error) {
				return directory.UserPatch{Title: directory.Some(now.User.Title + string(rune('a'+i)))}, nil
			}))
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if after := f.stored(u.Number); len(after.Title) != writers || after.Version != u.Version+writers {
		t.Errorf("title %q, version %d after %d changes of version %d", after.Title, after.Version, writers, u.Version)
	}
}

// It is made with what it asks for, and its error is the call's; of the call's
// own patch only the password counts.
func TestRulesPatchFromOptions(t *testing.T) {
	f := newFixture(t)
	role := f.keyed("tech", selfRank)
	u := f.someone(withPassword)
	ref := directory.ByNumber(u.Number)
	check(t, f.svc.GiveRole(f.ctx, f.sys(), ref, role.Key))
	own := directory.UserPatch{GivenName: directory.Some("unused"), Password: directory.Some(otherPass)}
	made := must(f.svc.UpdateUserDetail(f.ctx, f.sys(), ref, own,
		from(directory.IncludeRoles, func(now *directory.UserDetail) (directory.UserPatch, error) {
			return directory.UserPatch{Title: directory.Some(fmt.Sprint(len(now.Roles), " ", now.Roles[0].Role.Key)), Password: directory.Some("unused")}, nil
		}), directory.IncludeRoles))(t)
	if made.User.Title != "1 tech" || made.User.GivenName == "unused" || len(made.Roles) != 1 {
		t.Errorf("%+v", made)
	}
	must(f.grant(f.client(), u.UserName, otherPass))(t)
	refused := errors.New("refused")
	_, err := f.svc.UpdateUser(f.ctx, f.sys(), ref, directory.UserPatch{}, from(0, func(*directory.UserDetail) (directory.UserPatch, error) {
		return directory.UserPatch{Title: directory.Some("changed")}, refused
	}))
	if after := f.stored(u.Number); !errors.Is(err, refused) || after.Version != made.User.Version {
		t.Errorf("error %v, version %d after %d", err, after.Version, made.User.Version)
	}
}

// A password can be taken away by whoever may set it: nobody signs in with it
// any more, and what was signed in ends. Taking it away again changes nothing.
func TestRulesNoPassword(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	ref, none := directory.ByNumber(u.Number), directory.UserPatch{NoPassword: true}
	client := f.client()
	token := must(f.grant(client, u.UserName, password))(t).Access
	noSecrets := f.key(adminRank, func(in *directory.NewCredential) { in.Scopes = directory.ScopeUsersRead | directory.ScopeUsersWrite })
	_, err := f.svc.UpdateUser(f.ctx, f.as(noSecrets), ref, none, directory.UpdateOptions{})
	wantError(t, err, directory.CodeForbidden, directory.ReasonScopeMissing)
	before := must(f.svc.UpdateUser(f.ctx, f.as(f.key(adminRank)), ref, none, directory.UpdateOptions{}))(t)
	if _, err := f.grant(client, u.UserName, password); err == nil || f.alive(token, u.Number) {
		t.Errorf("the password or the session is still good: %v", err)
	}
	again := must(f.svc.UpdateUser(f.ctx, f.as(noSecrets), ref, none, directory.UpdateOptions{}))(t)
	if again.Version != before.Version || before.Version != u.Version+1 {
		t.Errorf("versions %d, %d, %d", u.Version, before.Version, again.Version)
	}
}

// Myself is the person who asks, for reading and for change; a key is nobody.
func TestRulesMyself(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	me := f.session(u)
	read := must(f.svc.UserDetail(f.ctx, me(), directory.Myself(), everything))(t)
	written := must(f.svc.UpdateUser(f.ctx, me(), directory.Myself(), directory.UserPatch{GivenName: directory.Some("Ana")}, directory.UpdateOptions{}))(t)
	if read.User.Number != u.Number || written.Number != u.Number || written.GivenName != "Ana" {
		t.Errorf("%d %+v", read.User.Number, written)
	}
	_, err := f.svc.UserDetail(f.ctx, f.as(f.key(adminRank)), directory.Myself(), 0)
	wantError(t, err, directory.CodeNotFound, noUser)
	_, err = f.svc.DeleteUser(f.ctx, f.as(f.key(adminRank)), directory.Myself())
	wantError(t, err, directory.CodeNotFound, noUser)
}
