package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// RoleRequest is what the command line asks of a new role.
type RoleRequest struct {
	Name    string
	Rank    string
	Key     string // "" is made of the name
	Company int64  // company that owns the role; 0: the tenant
}

// CreateRole makes a role.
func (a *TenantAdmin) CreateRole(ctx context.Context, r RoleRequest) (directory.Role, error) {
	if strings.TrimSpace(r.Name) == "" {
		return directory.Role{}, errors.New("--name: give the role a name")
	}
	rank, err := directory.ParseRank(r.Rank)
	if err != nil {
		return directory.Role{}, flagError("--rank", err)
	}
	if rank == directory.RankOwner {
		return directory.Role{}, errors.New("--rank: no role makes an account owner; that is: usher user owner")
	}
	if strings.TrimSpace(r.Key) != r.Key {
		return directory.Role{}, errors.New("--key: must not begin or end with a space")
	}
	if err := directory.CleanText("key", r.Key, maxRoleKey); err != nil {
		return directory.Role{}, flagError("--key", err)
	}
	role, err := a.service.CreateRole(ctx, a.call(a.Tenant.No), directory.Role{Name: r.Name, Key: r.Key, Rank: rank, Company: r.Company})
	return role, a.companyError(err, r.Company)
}

// maxRoleKey is the greatest length of a role's key in characters, that of a
// name.
const maxRoleKey = 256

// Roles lists the roles that a company can use: the tenant's and its own. The
// company 0 is the default company.
func (a *TenantAdmin) Roles(ctx context.Context, company int64) ([]directory.Role, error) {
	if company == 0 {
		company = a.Tenant.DefaultCompany
	}
	list, err := a.service.Roles(ctx, a.call(a.Tenant.No), company)
	return list, a.companyError(err, company)
}

// companyError names the flag of a company that is not there.
func (a *TenantAdmin) companyError(err error, company int64) error {
	if directory.IsReason(err, directory.ReasonCompanyNotFound) {
		return fmt.Errorf("--company: tenant %s has no company %d", a.Tenant.Name, company)
	}
	return forPeople(err)
}

// User finds a user by user name or e-mail address.
func (a *TenantAdmin) User(ctx context.Context, name string) (directory.User, error) {
	if name == "" {
		return directory.User{}, errors.New("--user: name the user")
	}
	u, err := a.service.User(ctx, a.call(a.Tenant.No), directory.ByHandle(directory.SpaceLogin, name))
	if directory.CodeOf(err) == directory.CodeNotFound {
		return u, fmt.Errorf("--user: tenant %s has no user %q", a.Tenant.Name, name)
	}
	return u, forPeople(err)
}

// RoleChange is what AssignRole or RemoveRole did.
type RoleChange struct {
	User    directory.User // as it is now
	Role    directory.Role
	Company int64
	Changed bool // false: the user had the role for the company
}

// AssignRole gives a user a role, by its key or number, for a company; 0 is
// the user's own company.
func (a *TenantAdmin) AssignRole(ctx context.Context, user, role string, company int64) (RoleChange, error) {
	change, err := a.findRole(ctx, user, role, company)
	if err != nil {
		return change, err
	}
	ref := directory.ByNumber(change.User.Number)
	if _, change.Changed, err = a.service.AssignRole(ctx, a.call(a.Tenant.No), ref, change.Role.Number, change.Company); err != nil {
		return change, forPeople(err)
	}
	change.User, err = a.service.User(ctx, a.call(a.Tenant.No), ref)
	return change, forPeople(err)
}

// RemoveRole takes a role from a user for every company. company says where
// the role is looked for, as in AssignRole.
func (a *TenantAdmin) RemoveRole(ctx context.Context, user, role string, company int64) (RoleChange, error) {
	change, err := a.findRole(ctx, user, role, company)
	if err != nil {
		return change, err
	}
	ref := directory.ByNumber(change.User.Number)
	err = a.service.UnassignRole(ctx, a.call(a.Tenant.No), ref, change.Role.Number)
	if directory.IsReason(err, directory.ReasonRoleNotFound) {
		return change, fmt.Errorf("--role: %s does not have the role %s", change.User.UserName, change.Role.Key)
	}
	if err != nil {
		return change, forPeople(err)
	}
	change.Changed = true
	change.User, err = a.service.User(ctx, a.call(a.Tenant.No), ref)
	return change, forPeople(err)
}

// findRole finds what a change of roles is about.
func (a *TenantAdmin) findRole(ctx context.Context, user, role string, company int64) (RoleChange, error) {
	u, err := a.User(ctx, user)
	if err != nil {
		return RoleChange{}, err
	}
	if role == "" {
		return RoleChange{}, errors.New("--role: name the role by its key; see: usher role list")
	}
	if company == 0 {
		company = u.Company
	}
	roles, err := a.Roles(ctx, company)
	if err != nil {
		return RoleChange{}, err
	}
	found, err := chooseRole(roles, role)
	return RoleChange{User: u, Role: found, Company: company}, err
}

// chooseRole finds a role by key, as it is or written as a name, or else by
// number.
func chooseRole(roles []directory.Role, text string) (directory.Role, error) {
	var found []directory.Role
	for _, match := range []func(r *directory.Role) bool{
		func(r *directory.Role) bool { return r.Key == text },
		func(r *directory.Role) bool { return r.Key == directory.NameKey(text) },
		func(r *directory.Role) bool { return strconv.FormatInt(r.Number, 10) == text },
	} {
		for i := range roles {
			if match(&roles[i]) {
				found = append(found, roles[i])
			}
		}
		if len(found) > 0 {
			break
		}
	}
	switch len(found) {
	case 0:
		return directory.Role{}, notFound("--role: there is no role %q; see: usher role list", text)
	case 1:
		return found[0], nil
	}
	return directory.Role{}, fmt.Errorf("--role: the tenant and the company both have a role %q; name one by its number: %d or %d",
		text, found[0].Number, found[1].Number)
}

// StateChange is what Activate or Deactivate did.
type StateChange struct {
	User    directory.User // as it is now
	Changed bool           // false: the user was in that state
}

// Activate makes a user active.
func (a *TenantAdmin) Activate(ctx context.Context, name string) (StateChange, error) {
	return a.move(ctx, name, a.service.Activate)
}

// Deactivate makes a user inactive.
func (a *TenantAdmin) Deactivate(ctx context.Context, name string) (StateChange, error) {
	return a.move(ctx, name, a.service.Deactivate)
}

func (a *TenantAdmin) move(ctx context.Context, name string,
	verb func(context.Context, *directory.Call, directory.UserRef) (directory.User, error)) (StateChange, error) {
	before, err := a.User(ctx, name)
	if err != nil {
		return StateChange{}, err
	}
	call := a.call(a.Tenant.No)
	u, err := verb(ctx, call, directory.ByNumber(before.Number))
	return StateChange{u, call.Changed}, forPeople(err)
}

// HoldRequest is what the command line asks about the holds on a user: to
// place one or, with Release, to release it; nothing without a Kind.
type HoldRequest struct {
	Kind, Source, Ref string
	Release           bool
}

// Hold does what is asked and returns the holds that are left.
func (a *TenantAdmin) Hold(ctx context.Context, name string, r HoldRequest) ([]directory.Hold, error) {
	u, err := a.User(ctx, name)
	if err != nil {
		return nil, err
	}
	ref := directory.ByNumber(u.Number)
	h := directory.Hold{Kind: directory.HoldKind(r.Kind), Source: r.Source, Ref: r.Ref}
	if r.Release {
		err = a.service.ReleaseHold(ctx, a.call(a.Tenant.No), ref, h)
	} else if h.Kind != "" {
		err = a.service.PlaceHold(ctx, a.call(a.Tenant.No), ref, h)
	}
	if err != nil {
		return nil, forPeople(err)
	}
	list, err := a.service.Holds(ctx, a.call(a.Tenant.No), ref)
	return list, forPeople(err)
}

// Unlock lets a locked user in again and reports whether it was locked.
func (a *TenantAdmin) Unlock(ctx context.Context, name string) (u directory.User, wasLocked bool, err error) {
	before, err := a.User(ctx, name)
	if err != nil {
		return before, false, err
	}
	u, err = a.service.Unlock(ctx, a.call(a.Tenant.No), directory.ByNumber(before.Number))
	return u, before.Locked, forPeople(err)
}

// SetPassword sets a user's password, which ends its sessions. A temporary one
// must be replaced by the user. The tenant's password policy counts.
func (a *TenantAdmin) SetPassword(ctx context.Context, number int64, password string, temporary bool) (directory.User, error) {
	ref := directory.ByNumber(number)
	err := a.service.SetPassword(ctx, a.call(a.Tenant.No), ref, directory.NewPassword{Password: password, Temporary: temporary})
	if err != nil {
		return directory.User{}, forPeople(err)
	}
	u, err := a.service.User(ctx, a.call(a.Tenant.No), ref)
	return u, forPeople(err)
}

// SetOwner makes a user the account owner; the one before stays an
// administrator.
func (a *TenantAdmin) SetOwner(ctx context.Context, name string) (directory.User, error) {
	u, err := a.User(ctx, name)
	if err != nil {
		return u, err
	}
	return u, forPeople(a.service.SetOwner(ctx, a.call(a.Tenant.No), directory.ByNumber(u.Number)))
}

// SignInHindrance says why a user cannot sign in now, with the remedy of the
// command line where there is one; "" when nothing stands in the way but the
// password.
func (a *TenantAdmin) SignInHindrance(u *directory.User, now time.Time) string {
	if a.Tenant.Disabled {
		return fmt.Sprintf("tenant %s is disabled; enable it: usher tenant set %s disabled=false", a.Tenant.Name, a.Tenant.Name)
	}
	return Hindrance(string(u.State), u.Locked, u.ValidFrom, u.ExpiresAt, now)
}

// Hindrance is SignInHindrance for a user of an enabled tenant. A time that is not
// set is zero.
func Hindrance(state string, locked bool, from, until, now time.Time) string {
	switch {
	case state != string(directory.StateActive):
		return fmt.Sprintf("the user is %s; make it active: usher user activate", state)
	case locked:
		return "the user is locked; unlock it: usher user unlock"
	case !from.IsZero() && now.Before(from):
		return "the user is valid only from " + from.Format(time.RFC3339)
	case !until.IsZero() && !now.Before(until):
		return "the user was valid only until " + until.Format(time.RFC3339)
	}
	return ""
}
