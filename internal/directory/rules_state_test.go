package directory_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// act is a use case that changes one user.
type act func(f *fixture, call *directory.Call, ref directory.UserRef) error

func moving(move func(*directory.Service, *fixture, *directory.Call, directory.UserRef) (directory.User, error)) act {
	return func(f *fixture, call *directory.Call, ref directory.UserRef) error {
		_, err := move(f.svc, f, call, ref)
		return err
	}
}

// acts are the use cases that change one user, by name.
var acts = map[string]act{
	"activate": moving(func(s *directory.Service, f *fixture, c *directory.Call, ref directory.UserRef) (directory.User, error) {
		return s.Activate(f.ctx, c, ref)
	}),
	"deactivate": moving(func(s *directory.Service, f *fixture, c *directory.Call, ref directory.UserRef) (directory.User, error) {
		return s.Deactivate(f.ctx, c, ref)
	}),
	"delete": moving(func(s *directory.Service, f *fixture, c *directory.Call, ref directory.UserRef) (directory.User, error) {
		return s.DeleteUser(f.ctx, c, ref)
	}),
	"restore": moving(func(s *directory.Service, f *fixture, c *directory.Call, ref directory.UserRef) (directory.User, error) {
		return s.RestoreUser(f.ctx, c, ref)
	}),
	"purge": func(f *fixture, c *directory.Call, ref directory.UserRef) error {
		return f.svc.PurgeUser(f.ctx, c, ref)
	},
	"lock": moving(func(s *directory.Service, f *fixture, c *directory.Call, ref directory.UserRef) (directory.User, error) {
		return s.Lock(f.ctx, c, ref, 0)
	}),
	"unlock": moving(func(s *directory.Service, f *fixture, c *directory.Call, ref directory.UserRef) (directory.User, error) {
		return s.Unlock(f.ctx, c, ref)
	}),
	"sign out": func(f *fixture, c *directory.Call, ref directory.UserRef) error {
		return f.svc.SignOutEverywhere(f.ctx, c, ref)
	},
	"set password": func(f *fixture, c *directory.Call, ref directory.UserRef) error {
		return f.svc.SetPassword(f.ctx, c, ref, directory.NewPassword{Password: otherPass})
	},
	"update": moving(func(s *directory.Service, f *fixture, c *directory.Call, ref directory.UserRef) (directory.User, error) {
		return s.UpdateUser(f.ctx, c, ref, directory.UserPatch{Title: directory.Some("Changed")}, directory.UpdateOptions{})
	}),
}

// outcome is what a use case does to a user in a state.
type outcome struct {
	state   directory.State
	event   directory.EventType // "": nothing changes
	epoch   int64               // by how much each counter rises
	version int64
	door    int64
	refused directory.Reason // "": allowed
}

const (
	staged   = directory.StateStaged
	active   = directory.StateActive
	inactive = directory.StateInactive
	deleted  = directory.StateDeleted
	gone     = directory.State("gone")
)

// machine is the state machine, written down a second time: every use case in
// every state. order: event, epoch, version, door version.
var machine = map[string]map[directory.State]outcome{
	"activate": {
		staged:   {active, directory.EventUserActivated, 0, 1, 1, ""},
		active:   {state: active},
		inactive: {active, directory.EventUserActivated, 0, 1, 1, ""},
		deleted:  {state: deleted, refused: directory.ReasonUserDeleted},
	},
	"deactivate": {
		staged:   {inactive, directory.EventUserDeactivated, 0, 1, 1, ""},
		active:   {inactive, directory.EventUserDeactivated, 1, 1, 1, ""},
		inactive: {state: inactive},
		deleted:  {state: deleted, refused: directory.ReasonUserDeleted},
	},
	"delete": {
		staged:   {deleted, directory.EventUserDeleted, 1, 1, 1, ""},
		active:   {deleted, directory.EventUserDeleted, 1, 1, 1, ""},
		inactive: {deleted, directory.EventUserDeleted, 1, 1, 1, ""},
		deleted:  {state: deleted, refused: directory.ReasonUserDeleted},
	},
	"restore": {
		staged:   {state: staged, refused: directory.ReasonStateNotAllowed},
		active:   {state: active, refused: directory.ReasonStateNotAllowed},
		inactive: {state: inactive, refused: directory.ReasonStateNotAllowed},
		deleted:  {inactive, directory.EventUserRestored, 0, 1, 1, ""},
	},
	"purge": {
		staged:   {state: staged, refused: directory.ReasonStateNotAllowed},
		active:   {state: active, refused: directory.ReasonStateNotAllowed},
		inactive: {state: inactive, refused: directory.ReasonStateNotAllowed},
		deleted:  {state: gone, event: directory.EventUserPurged},
	},
	"lock": {
		staged:   {staged, directory.EventUserLocked, 1, 1, 0, ""},
		active:   {active, directory.EventUserLocked, 1, 1, 0, ""},
		inactive: {inactive, directory.EventUserLocked, 1, 1, 0, ""},
		deleted:  {state: deleted, refused: directory.ReasonUserDeleted},
	},
	"unlock": {
		staged:   {state: staged},
		active:   {state: active},
		inactive: {state: inactive},
		deleted:  {state: deleted, refused: directory.ReasonUserDeleted},
	},
	"sign out": {
		staged:   {staged, directory.EventSignedOut, 1, 0, 0, ""},
		active:   {active, directory.EventSignedOut, 1, 0, 0, ""},
		inactive: {inactive, directory.EventSignedOut, 1, 0, 0, ""},
		deleted:  {state: deleted, refused: directory.ReasonUserDeleted},
	},
	"set password": {
		staged:   {staged, directory.EventPasswordSet, 1, 1, 0, ""},
		active:   {active, directory.EventPasswordSet, 1, 1, 0, ""},
		inactive: {inactive, directory.EventPasswordSet, 1, 1, 0, ""},
		deleted:  {state: deleted, refused: directory.ReasonUserDeleted},
	},
	"update": {
		staged:   {staged, directory.EventUserUpdated, 0, 1, 1, ""},
		active:   {active, directory.EventUserUpdated, 0, 1, 1, ""},
		inactive: {inactive, directory.EventUserUpdated, 0, 1, 1, ""},
		deleted:  {state: deleted, refused: directory.ReasonUserDeleted},
	},
}

// inState makes a user with a licence and brings it into a state.
func (f *fixture) inState(state directory.State) directory.User {
	f.t.Helper()
	born := state
	if state == deleted || state == inactive {
		born = active
	}
	u := f.someone(withLicence, withPassword, withState(born))
	switch state {
	case inactive:
		must(f.svc.Deactivate(f.ctx, f.sys(), directory.ByNumber(u.Number)))(f.t)
	case deleted:
		must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(f.t)
	}
	return f.stored(u.Number)
}

func TestRulesStateMachine(t *testing.T) {
	f := newFixture(t)
	f.setPool(100)
	admin := f.key(directory.RankAdministrator, func(in *directory.NewCredential) { in.Name = "machine" })
	for name, states := range machine {
		for _, state := range directory.States {
			want, listed := states[state]
			if !listed {
				t.Fatalf("the table lacks %s of a user that is %s", name, state)
			}
			t.Run(fmt.Sprintf("%s %s", name, state), func(t *testing.T) {
				f := f.sub(t)
				f.oneMove(admin, name, f.inState(state), want)
			})
		}
	}
}

// oneMove runs a use case on a user and compares everything that follows.
func (f *fixture) oneMove(admin, name string, before directory.User, want outcome) {
	f.t.Helper()
	mark, used, dump := f.mark(), f.pool(licence).Used, f.dump()
	call := f.as(admin)
	call.Reason = "because"
	err := acts[name](f, call, directory.ByNumber(before.Number))
	switch {
	case want.refused != "":
		if !directory.IsReason(err, want.refused) {
			f.t.Errorf("error %v, want %s", err, want.refused)
		}
	case err != nil:
		f.t.Fatalf("unexpected error: %v", err)
	}
	if want.event == "" {
		f.wantUnchanged(dump, name)
		return
	}
	f.wantOneEvent(mark, want.event, before.Number)
	if want.state == gone {
		_, err := f.svc.User(f.ctx, f.sys(), directory.ByNumber(before.Number))
		wantError(f.t, err, directory.CodeNotFound, directory.ReasonUserNotFound)
		return
	}
	f.wantAfter(before, want, used)
}

// wantOneEvent fails unless exactly one event followed, by the key "machine"
// through the canonical door.
func (f *fixture) wantOneEvent(mark int64, kind directory.EventType, user int64) {
	f.t.Helper()
	list := f.events(mark)
	if len(list) != 1 {
		f.t.Fatalf("%d events, want one: %v", len(list), f.types(mark))
	}
	e := list[0]
	if e.Type != kind || e.User != user || e.Actor != "key:machine" || e.Door != directory.DoorCanonical || e.RequestID != requestID {
		f.t.Errorf("event %+v, want %s of user %d by key:machine", e, kind, user)
	}
	if kind == directory.EventUserPurged { // it says nothing of the person any more, and nobody can guess
		if !e.Erased() || e.Reason != "" || len(e.Payload) != 0 {
			f.t.Errorf("the event of the purge: %+v", e)
		}
		return
	}
	if !e.Time.Equal(f.clock.now()) || e.ID == "" || len(e.Salt) == 0 || e.Reason != "because" {
		f.t.Errorf("event at %v with id %q and %d bytes of salt", e.Time, e.ID, len(e.Salt))
	}
	var payload struct {
		Changes map[string][2]any `json:"changes"`
	}
	if err := json.Unmarshal(e.Payload, &payload); err != nil || payload.Changes == nil {
		f.t.Errorf("payload %s: %v", e.Payload, err)
	}
}

// wantAfter compares a user after a use case with the outcome.
func (f *fixture) wantAfter(before directory.User, want outcome, used int64) {
	f.t.Helper()
	after := f.stored(before.Number)
	if after.State != want.state {
		f.t.Errorf("state %s, want %s", after.State, want.state)
	}
	if got := after.AuthEpoch - before.AuthEpoch; got != want.epoch {
		f.t.Errorf("the epoch rose by %d, want %d", got, want.epoch)
	}
	if got := after.Version - before.Version; got != want.version {
		f.t.Errorf("the version rose by %d, want %d", got, want.version)
	}
	if got := after.DoorVersion - before.DoorVersion; got != want.door {
		f.t.Errorf("the door version rose by %d, want %d", got, want.door)
	}
	if (after.Seat != 0) != (after.State == active) {
		f.t.Errorf("a user that is %s has seat %d", after.State, after.Seat)
	}
	seats := map[bool]int64{true: 1}
	if got, want := f.pool(licence).Used-used, seats[after.State == active]-seats[before.State == active]; got != want {
		f.t.Errorf("used seats changed by %d, want %d", got, want)
	}
	if after.DeletedAt.IsZero() != (after.State != deleted) {
		f.t.Errorf("a user that is %s was deleted at %v", after.State, after.DeletedAt)
	}
	holder := before.Number
	if after.State == deleted {
		holder = 0
	}
	f.wantHandles(before, holder)
}

// wantHandles fails unless all handles of a user are held by one, 0 for none.
func (f *fixture) wantHandles(u directory.User, holder int64) {
	f.t.Helper()
	for space, texts := range map[directory.Space][]string{
		directory.SpaceLogin: {u.UserName, u.Email}, directory.SpaceEmployee: {u.EmployeeNumber},
		directory.SpaceOpenID: {u.OpenID}, directory.SpaceWebMDN: {u.WebMDN},
	} {
		for _, text := range texts {
			if got := f.holder(space, text); got != holder {
				f.t.Errorf("%s %q is held by %d, want %d", space, text, got, holder)
			}
		}
	}
}

func TestRulesRestoreTakesHandlesBackOrFails(t *testing.T) {
	f := newFixture(t)
	for _, field := range []directory.Field{directory.FieldUserName, directory.FieldEmail, directory.FieldEmployeeNumber, directory.FieldOpenID, directory.FieldWebMDN} {
		u := f.inState(deleted)
		thief := f.someone(func(in *directory.NewUser) {
			switch p := &in.Fields; field {
			case directory.FieldUserName:
				p.UserName = directory.Some(u.UserName)
			case directory.FieldEmail:
				p.Email = directory.Some(u.Email)
			case directory.FieldEmployeeNumber:
				p.EmployeeNumber = directory.Some(u.EmployeeNumber)
			case directory.FieldOpenID:
				p.OpenID = directory.Some(u.OpenID)
			case directory.FieldWebMDN:
				p.WebMDN = directory.Some(u.WebMDN)
			}
		})
		dump := f.dump()
		_, err := f.svc.RestoreUser(f.ctx, f.sys(), directory.ByNumber(u.Number))
		if got := fieldReasons(err); directory.CodeOf(err) != directory.CodeConflict || len(got) != 1 {
			t.Errorf("%s taken: error %v with fields %v, want one conflict", field, err, got)
		}
		f.wantUnchanged(dump, "a refused restore")
		must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(thief.Number)))(t)
		must(f.svc.RestoreUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
		f.wantHandles(u, u.Number)
	}
}

// A user whose address was never its handle does not need it back: otherwise
// a door that allows shared addresses could delete but never restore.
func TestRulesRestoreLeavesSharedAddressUnclaimed(t *testing.T) {
	f := newFixture(t)
	holder := f.someone()
	u := f.someone(func(in *directory.NewUser) {
		in.ClaimEmail, in.Fields.Email = false, directory.Some(holder.Email)
	})
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	back := must(f.svc.RestoreUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	if back.EmailClaimed || back.Email != holder.Email || f.holder(directory.SpaceLogin, holder.Email) != holder.Number {
		t.Errorf("restored with the address %q, claimed %t", back.Email, back.EmailClaimed)
	}
}

// The recycle bin is reached by number and by id, which outlive the handles.
func TestRulesRestoreAndPurgeByID(t *testing.T) {
	f := newFixture(t)
	u := f.inState(deleted)
	must(f.svc.RestoreUser(f.ctx, f.sys(), directory.ByID(u.ID)))(t)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByID(u.ID)))(t)
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByID(u.ID)))
	_, err := f.svc.User(f.ctx, f.sys(), directory.ByID(u.ID))
	wantError(t, err, directory.CodeNotFound, directory.ReasonUserNotFound)
}

func TestRulesPurgeLeavesNothingButEvents(t *testing.T) {
	f := newFixture(t)
	u := f.ranked(directory.RankReader)
	f.session(u)
	check(t, f.svc.AssignLocation(f.ctx, f.sys(), directory.ByNumber(u.Number), f.location(f.root)))
	must(f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Kind: directory.GroupPlain, Name: "Purged"}))(t)
	check(t, f.join(directory.ByNumber(u.Number), directory.GroupPlain, "purged"))
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	heir := f.user(u.UserName)
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	f.wantHandles(heir, heir.Number)
	for table, text := range f.dump("users", "passwords", "tokens", "user_locations", "user_roles", "group_members", "user_company", "identifiers") {
		row := int64(u.Tenant)<<40 | u.Number
		if strings.Contains(text, fmt.Sprintf("rid=%d ", row)) || strings.Contains(text, fmt.Sprintf("number=%d ", u.Number)) {
			t.Errorf("%s still knows the purged user:\n%s", table, text)
		}
	}
	if len(f.events(0)) == 0 || f.types(f.mark() - 1)[0] != directory.EventUserPurged {
		t.Error("the purge left no event")
	}
}

func TestRulesOwnerIsProtected(t *testing.T) {
	f := newFixture(t)
	owner := f.ranked(directory.RankOwner)
	for _, name := range []string{"deactivate", "delete", "purge"} {
		err := acts[name](f, f.sys(), directory.ByNumber(owner.Number))
		wantError(t, err, directory.CodeForbidden, directory.ReasonOwnerProtected)
		session := f.session(owner)
		dump := f.dump()
		if err := acts[name](f, session(), directory.ByNumber(owner.Number)); !directory.IsReason(err, directory.ReasonOwnerProtected) {
			t.Errorf("%s of oneself: error %v, want owner.protected", name, err)
		}
		f.wantUnchanged(dump, name+" of the owner")
	}
	heir := f.someone()
	check(t, f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(heir.Number)))
	must(f.svc.Deactivate(f.ctx, f.sys(), directory.ByNumber(owner.Number)))(t)
}
