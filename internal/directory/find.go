package directory

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// look runs a look-up: one statement where that is all it takes, one snapshot
// where the caller's subtree must be checked too.
func (s *Service) look(ctx context.Context, call *Call, fn func(Reader) error) error {
	if call.Actor.Root != 0 {
		return s.store.View(ctx, fn)
	}
	return s.store.Read(ctx, fn)
}

// find reads the user that a reference names, if the actor may see it.
// Deleted users answer user.deleted.
func (s *Service) find(ctx context.Context, r Reader, call *Call, ref UserRef) (User, error) {
	if call.Actor.selfOnly && ref.Number != 0 && ref.Number != call.Actor.User {
		return User{}, errSelfOnly()
	}
	u, err := lookUp(ctx, r, call.Actor.Tenant, call.own(ref))
	if err == nil {
		err = visible(ctx, r, call.Actor, &u)
	}
	if call.Actor.selfOnly && (err != nil || u.Number != call.Actor.User) && isRefusal(err) {
		return User{}, errSelfOnly()
	}
	if err != nil {
		return User{}, err
	}
	return u, living(&u)
}

// own is a reference with the caller's space of external ids in the place of
// SpaceExternal, and the caller in that of Self. A person has no external ids, and
// a credential is no user: they find nobody.
func (c *Call) own(ref UserRef) UserRef {
	if ref.Self {
		return ByNumber(c.Actor.User)
	}
	if ref.Space == SpaceExternal {
		ref.Space = ExternalSpace(c.Actor.Credential)
	}
	return ref
}

// living refuses users in the recycle bin.
func living(u *User) error {
	if u.State == StateDeleted {
		return errDeleted()
	}
	return nil
}

// isRefusal tells what a caller did wrong from a failure of the server.
func isRefusal(err error) bool { return err == nil || CodeOf(err) != CodeInternal }

func errSelfOnly() error {
	return Wrong(CodeForbidden, ReasonSelfOnly, "The caller may use only its own record.")
}

func errNoUser() error { return Wrong(CodeNotFound, ReasonUserNotFound, "User not found.") }

// lookUp reads a user by whichever handle the reference holds.
func lookUp(ctx context.Context, r Reader, t TenantNo, ref UserRef) (User, error) {
	var u User
	var err error
	switch {
	case ref.Number != 0:
		if ref.Number < 0 || ref.Number > MaxNumber {
			return User{}, errNoUser()
		}
		u, err = r.UserByNumber(ctx, t, ref.Number)
	case ref.ID != "":
		id, badID := presetID(ref.ID)
		if badID != nil {
			return User{}, errNoUser()
		}
		u, err = r.UserByID(ctx, t, id)
	case ref.Key != "":
		key, foldErr := FoldKey(ref.Space, ref.Key)
		if foldErr != nil {
			return User{}, errNoUser()
		}
		var kind HandleKind
		u, kind, err = r.UserByHandle(ctx, t, ref.Space, key)
		if err == nil && (ref.Kind != 0 && kind&ref.Kind == 0 || ref.Exact && u.UserName != ref.Key) {
			return User{}, errNoUser()
		}
	default:
		return User{}, errNoUser()
	}
	if errors.Is(err, ErrNotFound) {
		return User{}, errNoUser()
	}
	return u, err
}

// visible refuses users outside of the subtree that a credential is bound to,
// as if they did not exist.
func visible(ctx context.Context, r Reader, actor Actor, u *User) error {
	if actor.Root == 0 {
		return nil
	}
	inside, err := r.InSubtree(ctx, actor.Tenant, actor.Root, u.Number)
	if err != nil {
		return err
	}
	if !inside {
		return errNoUser()
	}
	return nil
}

// lockTarget reads the user that a reference names, for change, and checks
// what the policy says about it.
func (s *Service) lockTarget(ctx context.Context, tx Tx, call *Call, action Action, ref UserRef) (User, error) {
	ref = call.own(ref)
	number := ref.Number
	if number == 0 {
		var err error
		number, err = numberOf(ctx, tx, call.Actor.Tenant, ref)
		if err != nil && !(call.Actor.selfOnly && isRefusal(err)) {
			return User{}, err
		}
	}
	if number < 0 || number > MaxNumber {
		return User{}, errNoUser()
	}
	if call.Actor.selfOnly && number != call.Actor.User {
		return User{}, errSelfOnly()
	}
	u, err := tx.LockUser(ctx, call.Actor.Tenant, number)
	if err != nil {
		return User{}, notFound(err, ReasonUserNotFound, "User not found.")
	}
	if ref.Number == 0 && !ref.names(&u) {
		if call.Actor.selfOnly {
			return User{}, errSelfOnly()
		}
		return User{}, errNoUser()
	}
	if err := visible(ctx, tx, call.Actor, &u); err != nil {
		return User{}, err
	}
	return u, call.Actor.mayTouch(action, &u)
}

// numberOf is the number of the user that a reference leads to, deleted ones
// too: what may be done to them is the use case's matter. By a handle it may
// be a user whom the reference does not name.
func numberOf(ctx context.Context, r Reader, t TenantNo, ref UserRef) (int64, error) {
	if ref.ID != "" || ref.Key == "" {
		u, err := lookUp(ctx, r, t, ref)
		return u.Number, err
	}
	key, err := FoldKey(ref.Space, ref.Key)
	if err != nil {
		return 0, errNoUser()
	}
	h, err := r.HandleByKey(ctx, t, ref.Space, key)
	if errors.Is(err, ErrNotFound) {
		return 0, errNoUser()
	}
	return h.User, err
}

// names reports whether the reference names the user that it led to: as the
// kind and with the letters that it wants, and still, since somebody may have
// renamed the user before the row was locked.
func (ref UserRef) names(u *User) bool {
	if ref.ID != "" {
		return strings.EqualFold(ref.ID, u.ID)
	}
	key, err := FoldKey(ref.Space, ref.Key)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(handlesOf(u), func(h Handle) bool {
		return h.Space == ref.Space && h.Key == key && (ref.Kind == 0 || h.Kinds&ref.Kind != 0)
	}) && (!ref.Exact || u.UserName == ref.Key)
}

// companyInScope reads a company that the actor may see.
func companyInScope(ctx context.Context, r Reader, actor Actor, number int64) (Company, error) {
	if number <= 0 || number > MaxNumber {
		return Company{}, errNoCompany()
	}
	c, err := r.Company(ctx, actor.Tenant, number)
	if errors.Is(err, ErrNotFound) {
		return Company{}, errNoCompany()
	}
	if err != nil {
		return Company{}, err
	}
	if actor.Root != 0 && !slices.Contains(c.Path, actor.Root) {
		return Company{}, errNoCompany()
	}
	return c, nil
}

// seesCompany reports whether a company, which exists, is in the actor's
// subtree.
func seesCompany(ctx context.Context, r Reader, actor Actor, number int64) (bool, error) {
	if actor.Root == 0 {
		return true, nil
	}
	_, err := companyInScope(ctx, r, actor, number)
	if IsReason(err, ReasonCompanyNotFound) {
		return false, nil
	}
	return err == nil, err
}

func errNoCompany() error { return Wrong(CodeNotFound, ReasonCompanyNotFound, "Company not found.") }

// notFound turns the store's ErrNotFound into an Error that names the thing;
// other errors pass.
func notFound(err error, reason Reason, message string) error {
	if errors.Is(err, ErrNotFound) {
		return Wrong(CodeNotFound, reason, "%s", message)
	}
	return err
}
