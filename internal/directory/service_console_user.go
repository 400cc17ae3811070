package directory

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// UserSheet is everything about a user at a glance.
type UserSheet struct {
	UserDetail
	LockReason LockReason // of the lock; Number 0 without one, and when it was deleted
	Pool       Opt[Pool]  // of the licence type, if somebody limited it or has a seat
	Password   PasswordFacts
	// Factor is when the second factor was set up; zero without one. Codes are the
	// recovery codes that are left.
	Factor time.Time
	Codes  int64
	// Places are the locations of the user's company, which it can be given.
	Places []Location
	// Sessions are the sign-ins that are valid now, the newest first, for callers who
	// may end them.
	Sessions []UserSession
	may      map[Action]bool
}

// PasswordFacts is what may be said of a password.
type PasswordFacts struct {
	Set        bool
	SetAt      time.Time
	LastSignIn time.Time // zero: never
	Failures   int       // wrong ones since the last right one
}

// May reports whether the caller may do something to the user, as far as its own rank,
// scopes and the user's rank decide: the use case may still refuse it.
func (u *UserSheet) May(a Action) bool { return u.may[a] }

// sheetActions are those of which a sheet knows whether the caller may do them.
var sheetActions = []Action{ActUpdateUser, ActActivate, ActDeactivate, ActDelete, ActRestore, ActLock, ActUnlock, ActSetPassword, ActSignOut,
	ActAssign, ActGrantRole, ActHold, ActReset, ActImpersonate, ActSecondFactor, ActReadEvents}

// sheetInclude is what a sheet has of a user.
const sheetInclude = IncludeCompany | IncludeLocations | IncludeGroups | IncludeRoles | IncludeHolds | IncludeManager

// UserSheet reads everything about a user in one snapshot, also of one in the recycle
// bin. The manager is that of the scim door. Errors: user.not_found.
func (s *Service) UserSheet(ctx context.Context, call *Call, ref UserRef) (UserSheet, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return UserSheet{}, err
	}
	var sheet UserSheet
	err := s.store.View(ctx, func(r Reader) error {
		u, err := pastUser(ctx, r, call, ref) // one in the recycle bin too
		if err == nil {
			sheet, err = s.sheet(ctx, r, call, u)
		}
		return err
	})
	if IsReason(err, ReasonHistoryGone) {
		err = errNoUser()
	}
	return sheet, err
}

// sheet reads what belongs to a user.
func (s *Service) sheet(ctx context.Context, r Reader, call *Call, u User) (UserSheet, error) {
	sheet := UserSheet{may: map[Action]bool{}}
	for _, action := range sheetActions {
		allowed := *call
		sheet.may[action] = allowed.permit(action) == nil && allowed.Actor.mayTouch(action, &u) == nil
	}
	scim := *call
	scim.Door = DoorSCIM
	detail, err := newDetails(r, &scim, sheetInclude).of(ctx, u)
	if err != nil {
		return sheet, err
	}
	sheet.UserDetail = detail
	lock, err := lockStatus(ctx, r, &u)
	if err != nil {
		return sheet, err
	}
	sheet.LockReason = lock.Reason
	if u.LicenceType != "" {
		pool, err := r.Pool(ctx, u.Tenant, u.LicenceType)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return sheet, err
		}
		sheet.Pool = Opt[Pool]{Set: err == nil, Value: pool}
	}
	if sheet.Places, err = r.Locations(ctx, u.Tenant, u.Company); err != nil {
		return sheet, err
	}
	return sheet, s.access(ctx, r, call, &sheet)
}

// access reads with what a user signs in.
func (s *Service) access(ctx context.Context, r Reader, call *Call, sheet *UserSheet) error {
	u := &sheet.User
	p, err := r.Password(ctx, u.Tenant, u.Number)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	sheet.Password = PasswordFacts{Set: p.Hash != "", SetAt: p.SetAt, LastSignIn: p.LastLogin, Failures: p.Failures}
	factor, err := r.SecondFactor(ctx, u.Tenant, u.Number)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if sheet.Factor = factor.CreatedAt; err == nil {
		if sheet.Codes, err = r.RecoveryCodes(ctx, u.Tenant, u.Number); err != nil {
			return err
		}
	}
	if !sheet.May(ActSignOut) {
		return nil
	}
	tokens, err := r.UserTokens(ctx, u.Tenant, u.Number, s.now())
	if err != nil {
		return err
	}
	sheet.Sessions = sessionsOf(u, tokens)
	for i := range sheet.Sessions {
		sheet.Sessions[i].Current = call.console != nil && sheet.Sessions[i].ID == call.console.Session
	}
	return nil
}

// TemporaryPassword sets a password that the server draws and that its owner must
// replace, which ends the user's sessions, and returns it: it is shown only here.
// Errors: user.not_found, forbidden.
func (s *Service) TemporaryPassword(ctx context.Context, call *Call, ref UserRef) (Secret, error) {
	if err := s.enter(ctx, call, ActReset); err != nil {
		return "", err
	}
	var target User
	err := s.store.View(ctx, func(r Reader) (err error) {
		target, err = s.find(ctx, r, call, ref)
		return err
	})
	if err == nil {
		err = call.Actor.mayTouch(ActReset, &target)
	}
	if err != nil {
		return "", err
	}
	password, err := generatePassword(call.Settings.Password, &target)
	if err != nil {
		return "", err
	}
	hash, err := s.hasher.Hash(ctx, password, call.Actor.Rank >= RankAdministrator)
	if err != nil {
		return "", err
	}
	return Secret(password), s.keepPassword(ctx, call, ActReset, ByNumber(target.Number), hash, true)
}

// DrawPassword draws a password for a user who is about to be made, by a tenant's
// policy.
func DrawPassword(policy PasswordPolicy, u *User) (Secret, error) {
	password, err := generatePassword(policy, u)
	return Secret(password), err
}

// userPast is the kind of the cursors of a user's events, the newest first.
const userPast = "user history"

// UserHistory lists the events of one user, the newest first, of some types or of all.
// A page may be short, or empty, although More is set. Who sees which, and the errors,
// are those of UserEvents; invalid for a type that no event has.
func (s *Service) UserHistory(ctx context.Context, call *Call, ref UserRef, types []EventType, cursor string, limit int) (EventPage, error) {
	if err := s.enter(ctx, call, ActReadEvents); err != nil {
		return EventPage{}, err
	}
	q := EventQuery{User: ref, Types: types, Cursor: cursor, Limit: limit, Newest: true}
	if err := q.check(); err != nil {
		return EventPage{}, err
	}
	number, err := s.whose(ctx, call, ref)
	if err != nil {
		return EventPage{}, err
	}
	w, err := s.newWalk(call, userPast, fmt.Sprintf("%d %q", number, types), CursorLifetime, &q, number)
	if err != nil {
		return EventPage{}, err
	}
	return s.readFeed(ctx, call, w)
}
