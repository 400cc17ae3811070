package directory_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// methodRule says who may use a method of Service, written down a second time
// (docs/architecture.md, Rights). Grants have tests of their own.
type methodRule struct {
	rank     directory.Rank
	scope    directory.ScopeSet
	self     bool             // an ordinary user may use it for its own record
	operator bool             // only the server's operator
	bound    directory.Reason // what a key of another company is told; "": allowed
	run      func(w *world) func(c *directory.Call) error
}

// world is what the methods of the matrix are tried on.
type world struct {
	*fixture
	inside, outside int64          // two companies of which neither is above the other
	rank            directory.Rank // of the users on whom the methods are tried
}

// target is a fresh user outside of the bound key's company.
func (w *world) target(change ...func(*directory.NewUser)) directory.UserRef {
	return w.targeted(directory.ByNumber(w.someone(append(change, withCompany(w.outside))...).Number))
}

// onUser makes a rule's run of a use case on one user.
func onUser(name string) func(w *world) func(c *directory.Call) error {
	return func(w *world) func(c *directory.Call) error {
		ref := w.target()
		if (name == "restore" || name == "purge") && w.rank != ownerRank { // the owner is never in the recycle bin
			must(w.svc.DeleteUser(w.ctx, w.sys(), ref))(w.t)
		}
		return func(c *directory.Call) error { return acts[name](w.fixture, c, ref) }
	}
}

const (
	adminRank  = directory.RankAdministrator
	deskRank   = directory.RankHelpdesk
	readerRank = directory.RankReader
	ownerRank  = directory.RankOwner
	selfRank   = directory.RankSelf
	noUser     = directory.ReasonUserNotFound
	noCompany  = directory.ReasonCompanyNotFound
)

// noRecord are the methods that an ordinary user may use and that ask for no
// record of anybody.
var noRecord = map[string]bool{"Entity": true}

// methodRules has a row for every method of Service that takes a call.
func methodRules() map[string]methodRule {
	rules := map[string]methodRule{
		"Activate":          {adminRank, directory.ScopeUsersWrite, false, false, noUser, onUser("activate")},
		"Deactivate":        {adminRank, directory.ScopeUsersWrite, false, false, noUser, onUser("deactivate")},
		"DeleteUser":        {adminRank, directory.ScopeUsersWrite, false, false, noUser, onUser("delete")},
		"RestoreUser":       {adminRank, directory.ScopeUsersWrite, false, false, noUser, onUser("restore")},
		"PurgeUser":         {adminRank, directory.ScopeUsersWrite, false, false, noUser, onUser("purge")},
		"Lock":              {adminRank, directory.ScopeUsersWrite, false, false, noUser, onUser("lock")},
		"Unlock":            {deskRank, directory.ScopeUsersWrite, false, false, noUser, onUser("unlock")},
		"SetPassword":       {deskRank, directory.ScopePasswords, false, false, noUser, onUser("set password")},
		"SignOutEverywhere": {deskRank, directory.ScopeUsersWrite, true, false, noUser, onUser("sign out")},
		"UpdateUser":        {adminRank, directory.ScopeUsersWrite, true, false, noUser, onUser("update")},
	}
	addUserRules(rules)
	addCompanyRules(rules)
	addTenantRules(rules)
	addGroupRules(rules)
	addUserRoleRules(rules)
	addSiteRules(rules)
	addTreeRules(rules)
	addSessionRules(rules)
	addSignInRules(rules)
	addFeedRules(rules)
	addAuditRules(rules)
	addSteerRules(rules)
	addWebhookRules(rules)
	addBulkRules(rules)
	addConsoleRules(rules)
	addPeopleRules(rules)
	addOrganisationRules(rules)
	return rules
}

func addUserRules(rules map[string]methodRule) {
	read := func(call func(w *world, c *directory.Call, ref directory.UserRef) error) func(w *world) func(c *directory.Call) error {
		return func(w *world) func(c *directory.Call) error {
			ref := w.target()
			return func(c *directory.Call) error { return call(w, c, ref) }
		}
	}
	rules["User"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, read(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.User(w.ctx, c, ref)
		return err
	})}
	rules["LockStatus"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, read(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.LockStatus(w.ctx, c, ref)
		return err
	})}
	rules["UserLocations"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, read(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, _, err := w.svc.UserLocations(w.ctx, c, ref)
		return err
	})}
	rules["UserRoles"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, read(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.UserRoles(w.ctx, c, ref)
		return err
	})}
	rules["Users"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, noCompany, func(w *world) func(c *directory.Call) error {
		return func(c *directory.Call) error {
			_, err := w.svc.Users(w.ctx, c, directory.UserQuery{Company: w.outside, Limit: 10})
			return err
		}
	}}
	rules["CreateUser"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noCompany, func(w *world) func(c *directory.Call) error {
		in := newUser(w.unique("made"))
		withCompany(w.outside)(&in)
		return func(c *directory.Call) error {
			_, err := w.svc.CreateUser(w.ctx, c, in)
			return err
		}
	}}
	rules["CreateUsers"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noCompany, func(w *world) func(c *directory.Call) error {
		in := newUser(w.unique("made"))
		withCompany(w.outside)(&in)
		return func(c *directory.Call) error {
			_, err := w.svc.CreateUsers(w.ctx, c, []directory.NewUser{in})
			return err
		}
	}}
	// A key of another company sees nobody of the name, and would make one of its own.
	rules["PutUser"] = methodRule{adminRank, directory.ScopeUsersWrite, true, false, directory.ReasonUserNameTaken, func(w *world) func(c *directory.Call) error {
		name := w.stored(w.target().Number).UserName
		return func(c *directory.Call) error {
			_, _, err := w.svc.PutUser(w.ctx, c, name, directory.NewUser{Fields: directory.UserPatch{GivenName: directory.Some("Ada")}}, directory.UpdateOptions{})
			return err
		}
	}}
	addMembershipRules(rules)
}

func addMembershipRules(rules map[string]methodRule) {
	rules["AssignLocation"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, func(w *world) func(c *directory.Call) error {
		ref, place := w.target(), w.location(w.outside)
		return func(c *directory.Call) error { return w.svc.AssignLocation(w.ctx, c, ref, place) }
	}}
	rules["UnassignLocation"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, func(w *world) func(c *directory.Call) error {
		ref, place := w.target(), w.location(w.outside)
		check(w.t, w.svc.AssignLocation(w.ctx, w.sys(), ref, place))
		return func(c *directory.Call) error { return w.svc.UnassignLocation(w.ctx, c, ref, place) }
	}}
	byNumber := func(place int64) directory.LocationRef { return directory.LocationRef{Number: place} }
	rules["JoinLocation"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, func(w *world) func(c *directory.Call) error {
		ref, place := w.target(), w.location(w.outside)
		return func(c *directory.Call) error { return w.svc.JoinLocation(w.ctx, c, ref, byNumber(place)) }
	}}
	rules["LeaveLocation"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, func(w *world) func(c *directory.Call) error {
		ref, place := w.target(), w.location(w.outside)
		check(w.t, w.svc.AssignLocation(w.ctx, w.sys(), ref, place))
		return func(c *directory.Call) error { return w.svc.LeaveLocation(w.ctx, c, ref, byNumber(place)) }
	}}
	rules["AssignRole"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, func(w *world) func(c *directory.Call) error {
		ref, role := w.target(), w.role(selfRank).Number
		return func(c *directory.Call) error {
			_, _, err := w.svc.AssignRole(w.ctx, c, ref, role, w.outside)
			return err
		}
	}}
	rules["UnassignRole"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, func(w *world) func(c *directory.Call) error {
		ref, role := w.target(), w.role(selfRank).Number
		_, _, err := w.svc.AssignRole(w.ctx, w.sys(), ref, role, w.outside)
		check(w.t, err)
		return func(c *directory.Call) error { return w.svc.UnassignRole(w.ctx, c, ref, role) }
	}}
}

// noPreparation is a rule's run that needs nothing.
func noPreparation(call func(w *world, c *directory.Call) error) func(w *world) func(c *directory.Call) error {
	return func(w *world) func(c *directory.Call) error {
		return func(c *directory.Call) error { return call(w, c) }
	}
}

func addCompanyRules(rules map[string]methodRule) {
	read := func(call func(w *world, c *directory.Call) error) methodRule {
		return methodRule{readerRank, directory.ScopeUsersRead, false, false, noCompany, noPreparation(call)}
	}
	write := func(call func(w *world, c *directory.Call) error) methodRule {
		return methodRule{adminRank, directory.ScopeCompanies, false, false, noCompany, noPreparation(call)}
	}
	rules["Company"] = read(func(w *world, c *directory.Call) error { _, err := w.svc.Company(w.ctx, c, w.outside); return err })
	rules["LockReasons"] = read(func(w *world, c *directory.Call) error {
		_, err := w.svc.LockReasons(w.ctx, c, w.outside)
		return err
	})
	rules["Roles"] = read(func(w *world, c *directory.Call) error { _, err := w.svc.Roles(w.ctx, c, w.outside); return err })
	rules["CreateCompany"] = write(func(w *world, c *directory.Call) error {
		_, err := w.svc.CreateCompany(w.ctx, c, directory.Company{Name: w.unique("company"), Parent: w.outside})
		return err
	})
	rules["CreateLocation"] = write(func(w *world, c *directory.Call) error {
		_, err := w.svc.CreateLocation(w.ctx, c, directory.Location{Name: w.unique("location"), Company: w.outside})
		return err
	})
	rules["CreateLockReason"] = write(func(w *world, c *directory.Call) error {
		_, err := w.svc.CreateLockReason(w.ctx, c, directory.LockReason{Name: w.unique("reason"), Description: "d", Company: w.outside})
		return err
	})
	rules["CreateRole"] = write(func(w *world, c *directory.Call) error {
		_, err := w.svc.CreateRole(w.ctx, c, directory.Role{Name: w.unique("role"), Company: w.outside})
		return err
	})
	rules["Role"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, noCompany, func(w *world) func(c *directory.Call) error {
		number := w.role(selfRank).Number
		return func(c *directory.Call) error { _, err := w.svc.Role(w.ctx, c, w.outside, number); return err }
	}}
	addLockReasonRules(rules)
}

func addLockReasonRules(rules map[string]methodRule) {
	row := func(rank directory.Rank, scope directory.ScopeSet, call func(w *world, c *directory.Call, r directory.LockReason) error) methodRule {
		return methodRule{rank, scope, false, false, noCompany, func(w *world) func(c *directory.Call) error {
			reason := w.lockReason(w.outside)
			return func(c *directory.Call) error { return call(w, c, reason) }
		}}
	}
	rules["LockReason"] = row(readerRank, directory.ScopeUsersRead, func(w *world, c *directory.Call, r directory.LockReason) error {
		_, err := w.svc.LockReason(w.ctx, c, r.Company, r.Number)
		return err
	})
	rules["UpdateLockReason"] = row(adminRank, directory.ScopeCompanies, func(w *world, c *directory.Call, r directory.LockReason) error {
		r.Description += "."
		_, err := w.svc.UpdateLockReason(w.ctx, c, r)
		return err
	})
	rules["DeleteLockReason"] = row(adminRank, directory.ScopeCompanies, func(w *world, c *directory.Call, r directory.LockReason) error {
		return w.svc.DeleteLockReason(w.ctx, c, r.Company, r.Number)
	})
}

// callType is what every use case takes.
var callType = reflect.TypeFor[*directory.Call]()

// Every method that takes a call stands in the matrix: a use case without a
// policy check cannot be added unseen.
func TestRulesPolicyCoversEveryMethod(t *testing.T) {
	rules, service := methodRules(), reflect.TypeFor[*directory.Service]()
	for i := range service.NumMethod() {
		m := service.Method(i)
		takesCall := false
		for in := range m.Type.NumIn() {
			takesCall = takesCall || m.Type.In(in) == callType
		}
		_, listed := rules[m.Name]
		if takesCall && !listed && !slices.Contains(grantMethods, m.Name) {
			t.Errorf("Service.%s takes a call and has no row in the policy matrix", m.Name)
		}
	}
}

// stranger is a credential that no use case may accept.
type stranger struct {
	name   string
	call   func() *directory.Call
	reason directory.Reason
}

// strangers makes one of every kind of credential that is not valid.
func (w *world) strangers() []stranger {
	all := w.key(ownerRank)
	expiring := w.key(adminRank, func(in *directory.NewCredential) { in.ExpiresAt = w.clock.now().Add(time.Hour) })
	oneDoor := w.key(adminRank, func(in *directory.NewCredential) {
		in.Doors = directory.DoorSet(directory.DoorCanonical | directory.DoorIQmetrix)
	})
	client := w.client()
	revoked := w.key(adminRank)
	list := must(w.svc.Credentials(w.ctx, w.sys()))(w.t)
	check(w.t, w.svc.RevokeCredential(w.ctx, w.sys(), list[len(list)-1].ID))
	w.clock.advance(time.Hour)
	w.settings(func(t *directory.Tenant) { t.Doors &^= directory.DoorSet(directory.DoorSCIM) })
	return []stranger{
		{"no credential", func() *directory.Call { return w.as("") }, directory.ReasonCredentialMissing},
		{"an unknown key", func() *directory.Call { return w.as("usher_unknown-unknown-unknown") }, directory.ReasonCredentialInvalid},
		{"an unknown token", func() *directory.Call { return w.as(strings.Repeat("0a", 16)) }, directory.ReasonCredentialInvalid},
		{"a client's secret as a key", func() *directory.Call { return w.as(string(client.ClientSecret)) }, directory.ReasonCredentialInvalid},
		{"a revoked key", func() *directory.Call { return w.as(revoked) }, directory.ReasonCredentialInvalid},
		{"an expired key", func() *directory.Call { return w.as(expiring) }, directory.ReasonCredentialExpired},
		{"a door that the tenant closed", func() *directory.Call { return w.through(directory.DoorSCIM, all) }, directory.ReasonDoorClosed},
		{"a door that the key does not open", func() *directory.Call { return w.through(directory.DoorEncore, oneDoor) }, directory.ReasonDoorClosed},
	}
}

// worldHost leads to the tenant where the matrix runs.
const worldHost = "acme.example.com"

// newWorld makes the place where the matrix runs.
func newWorld(t *testing.T) *world {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Hosts = []string{worldHost} })
	return &world{fixture: f, inside: f.company("Inside", f.root), outside: f.company("Outside", f.root)}
}

func TestRulesPolicyMatrix(t *testing.T) {
	w := newWorld(t)
	strangers := w.strangers()
	keys := map[directory.Rank]string{}
	for _, rank := range []directory.Rank{selfRank, readerRank, deskRank, adminRank, ownerRank} {
		keys[rank] = w.key(rank)
	}
	session, bound := w.session(w.someone(withPassword)), w.bound(w.inside)
	lacking := map[directory.ScopeSet]string{}
	for name, rule := range methodRules() {
		if lacking[rule.scope] == "" {
			lacking[rule.scope] = w.key(ownerRank, func(in *directory.NewCredential) { in.Scopes = directory.AllScopes &^ rule.scope })
		}
		t.Run(name, func(t *testing.T) {
			w := &world{fixture: w.sub(t), inside: w.inside, outside: w.outside}
			run := rule.run(w)
			dump := w.dump()
			for _, s := range strangers {
				wantRefused(t, s.name, run(s.call()), directory.CodeUnauthenticated, s.reason)
			}
			wantRefused(t, "a key without the scope", run(w.as(lacking[rule.scope])), directory.CodeForbidden, directory.ReasonScopeMissing)
			refusal := directory.ReasonRankTooLow
			if rule.self {
				refusal = directory.ReasonSelfOnly
			}
			if noRecord[name] {
				check(t, run(session()))
			} else {
				wantRefused(t, "another user's session", run(session()), directory.CodeForbidden, refusal)
			}
			for rank, key := range keys {
				if rank < rule.rank || rule.operator {
					wantRefused(t, "a key of rank "+rank.String(), run(w.as(key)), directory.CodeForbidden, directory.ReasonRankTooLow)
				}
			}
			if rule.bound != "" {
				if err := run(w.as(bound)); !directory.IsReason(err, rule.bound) {
					t.Errorf("a key of another company: error %v, want %s", err, rule.bound)
				}
			}
			w.wantUnchanged(dump, "a refused call")
			w.wantAllowed(rule, keys)
		})
	}
}

// wantRefused fails unless err is the refusal.
func wantRefused(t *testing.T, who string, err error, code directory.Code, reason directory.Reason) {
	t.Helper()
	if directory.CodeOf(err) != code || directory.AsError(err).Reason != reason {
		t.Errorf("%s: error %v, want %s (%s)", who, err, code, reason)
	}
}

// wantAllowed is the positive half: without it a matrix of refusals would also
// pass if nothing worked.
func (w *world) wantAllowed(rule methodRule, keys map[directory.Rank]string) {
	w.t.Helper()
	for rank, key := range keys {
		if rank < rule.rank || rule.operator {
			continue
		}
		if err := rule.run(w)(w.as(key)); err != nil {
			w.t.Errorf("a key of rank %s: %v", rank, err)
		}
	}
	if err := rule.run(w)(w.sys()); err != nil {
		w.t.Errorf("the operator: %v", err)
	}
}

// What a caller may not see answers exactly as what does not exist: another
// tenant's user, and a user outside of the key's company.
func TestRulesRefusalRevealsNothing(t *testing.T) {
	w := newWorld(t)
	other := w.in(w.newTenant("umbrella", directory.Settings{}))
	foreign, bound, session := other.key(ownerRank), w.bound(w.inside), w.session(w.someone(withPassword))
	for name, run := range acts {
		u := w.someone(withCompany(w.outside))
		if name == "restore" || name == "purge" {
			must(w.svc.DeleteUser(w.ctx, w.sys(), directory.ByNumber(u.Number)))(t)
		}
		dump := w.dump()
		for who, call := range map[string]func() *directory.Call{
			"another tenant's owner":   func() *directory.Call { return w.as(foreign) },
			"a key of another company": func() *directory.Call { return w.as(bound) },
			"another user":             session,
		} {
			for known, unknown := range map[directory.UserRef]directory.UserRef{
				directory.ByNumber(u.Number):                         directory.ByNumber(987_654),
				directory.ByID(u.ID):                                 directory.ByID("3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9e"),
				directory.ByHandle(directory.SpaceLogin, u.UserName): directory.ByHandle(directory.SpaceLogin, "nobody"),
				directory.ByHandle(directory.SpaceLogin, u.Email):    directory.ByHandle(directory.SpaceLogin, "nobody@example.com"),
				directory.ByHandle(directory.SpaceOpenID, u.OpenID):  directory.ByHandle(directory.SpaceOpenID, "nobody"),
				directory.ByHandle(directory.SpaceWebMDN, u.WebMDN):  directory.ByHandle(directory.SpaceWebMDN, "nobody"),
			} {
				got, want := run(w.fixture, call(), known), run(w.fixture, call(), unknown)
				if diff := cmp.Diff(publicError(want), publicError(got)); diff != "" || got == nil {
					t.Errorf("%s by %s, %+v (-none +hidden):\n%s", name, who, known, diff)
				}
			}
		}
		w.wantUnchanged(dump, name)
	}
}

// publicError is all that a client can learn from an error.
func publicError(err error) string {
	if err == nil {
		return "none"
	}
	e := directory.AsError(err)
	return fmt.Sprintf("%s %s %q %v %v", e.Code, e.Reason, e.Message, e.Fields, e.Retry)
}
