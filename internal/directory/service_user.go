package directory

import (
	"context"
	"errors"
)

// User reads one user. Errors: user.not_found, user.deleted, forbidden.
func (s *Service) User(ctx context.Context, call *Call, ref UserRef) (User, error) {
	found, err := s.enterUser(ctx, call, ActReadUser, ref)
	if err != nil {
		return User{}, err
	}
	if found != nil && call.Actor.Root == 0 {
		return *found, living(found)
	}
	var u User
	err = s.look(ctx, call, func(r Reader) (err error) {
		u, err = s.find(ctx, r, call, ref)
		return err
	})
	return u, err
}

// CreateUser makes a user, active unless in.State says otherwise. Errors: the
// violations of any field at once, company.not_found on the company field,
// the taken reasons, the seat reasons, the password reasons.
func (s *Service) CreateUser(ctx context.Context, call *Call, in NewUser) (User, error) {
	if err := s.enter(ctx, call, ActCreateUser); err != nil {
		return User{}, err
	}
	template, hash, err := s.prepare(ctx, call, in)
	if err != nil {
		return User{}, err
	}
	var result User
	err = s.store.Update(ctx, func(tx Tx) error {
		u := template
		if err := s.place(ctx, tx, call, &u, in.ID != ""); err != nil {
			return err
		}
		if err := insertUser(ctx, tx, &u, in.ClaimEmail); err != nil {
			return err
		}
		if hash != "" {
			p := Password{User: u.Number, Hash: hash, SetAt: u.CreatedAt}
			if err := tx.SetPassword(ctx, u.Tenant, p); err != nil {
				return err
			}
		}
		var diff changes
		diff.compare(&User{Tenant: u.Tenant}, &u)
		if err := s.record(ctx, tx, call, EventUserCreated, u.Number, "", &diff); err != nil {
			return err
		}
		if err := settleSeat(ctx, tx, &User{}, &u); err != nil {
			return err
		}
		result = u
		return tx.InsertUser(ctx, u)
	})
	return result, err
}

// prepare does what needs no transaction: validation and the password's hash.
func (s *Service) prepare(ctx context.Context, call *Call, in NewUser) (User, string, error) {
	now := s.now()
	u := User{
		Tenant: call.Actor.Tenant, Number: in.Number, ID: in.ID, State: in.State, MustChangePassword: in.Temporary,
		AuthEpoch: 1, Version: 1, DoorVersion: 1, CreatedAt: now, UpdatedAt: now,
	}
	if u.State == "" {
		u.State = StateActive
	}
	if u.State == StateDeleted || u.State.Index() >= len(States) {
		return User{}, "", Invalid(FieldState.String(), ReasonFieldValue, "status must be staged, active or inactive.")
	}
	if err := checkNumber(FieldNumber.String(), in.Number); err != nil {
		return User{}, "", err
	}
	if in.ID != "" {
		id, err := presetID(in.ID)
		if err != nil {
			return User{}, "", err
		}
		u.ID = id
	} else {
		u.ID = s.opts.NewID()
	}
	patch := in.Fields
	patch.UserName.Set = true // required: an absent one is reported as such
	if err := applyPatch(call, &u, &patch); err != nil {
		return User{}, "", err
	}
	hash, err := s.newHash(ctx, call, in, &u)
	return u, hash, err
}

// newHash is the hash of a new user's password: made, imported, or "" where
// there is no password.
func (s *Service) newHash(ctx context.Context, call *Call, in NewUser, u *User) (string, error) {
	if in.PasswordHash != "" {
		return in.PasswordHash, s.hasher.CheckImportable(in.PasswordHash)
	}
	if in.Password == "" {
		return "", nil
	}
	if err := CheckPassword(call.Settings.Password, u, in.Password, in.MinPassword); err != nil {
		return "", err
	}
	return s.hasher.Hash(ctx, in.Password, call.Actor.Rank >= RankAdministrator)
}

// place gives a new user its company and its number. brought says that its id
// came from the client and may be taken.
func (s *Service) place(ctx context.Context, tx Tx, call *Call, u *User, brought bool) error {
	if u.Company == 0 {
		u.Company = call.tenant.DefaultCompany
	}
	if err := checkCompanyField(ctx, tx, call, u.Company); err != nil {
		return err
	}
	if brought || u.Number != 0 {
		gone, err := tx.Purged(ctx, u.Tenant, u.Number, u.ID)
		if err != nil {
			return err
		}
		if gone {
			return taken(FieldNumber, ReasonNumberTaken, "The number or the id belonged to a user who was erased; neither is given again.")
		}
	}
	if brought {
		if _, err := tx.UserByID(ctx, u.Tenant, u.ID); !errors.Is(err, ErrNotFound) {
			return takenOr(err, FieldID, ReasonIDTaken, "The id is taken.")
		}
	}
	if u.Number == 0 {
		number, err := draw(ctx, tx, u.Tenant, NumberUser, func(n int64) error {
			_, err := tx.UserByNumber(ctx, u.Tenant, n)
			return err
		})
		u.Number = number
		return err
	}
	if _, err := tx.UserByNumber(ctx, u.Tenant, u.Number); !errors.Is(err, ErrNotFound) {
		return takenOr(err, FieldNumber, ReasonNumberTaken, "The number is taken.")
	}
	return tx.RaiseNumber(ctx, u.Tenant, NumberUser, u.Number)
}

// checkCompanyField reads the company that a body names.
func checkCompanyField(ctx context.Context, r Reader, call *Call, number int64) error {
	_, err := companyInScope(ctx, r, call.Actor, number)
	if IsReason(err, ReasonCompanyNotFound) {
		return companyField(number)
	}
	return err
}

// takenOr is the error of a look-up that should have found nothing.
func takenOr(err error, field Field, reason Reason, message string) error {
	if err != nil {
		return err
	}
	return taken(field, reason, message)
}

// insertUser claims the handles of a new user. The row itself goes last.
func insertUser(ctx context.Context, tx Tx, u *User, claim bool) error {
	if err := claimEmail(ctx, tx, u, claim); err != nil {
		return err
	}
	return moveHandles(ctx, tx, nil, handlesOf(u), u.Tenant)
}

// draw takes the next number that taken does not know (ErrNotFound).
func draw(ctx context.Context, tx Tx, t TenantNo, kind NumberKind, taken func(int64) error) (int64, error) {
	for {
		n, err := tx.NextNumber(ctx, t, kind)
		if err != nil {
			return 0, err
		}
		if n > MaxNumber {
			return 0, Wrong(CodeExhausted, ReasonNumberTaken, "The numbers of this tenant are used up.")
		}
		switch err := taken(n); {
		case errors.Is(err, ErrNotFound):
			return n, nil
		case err != nil:
			return 0, err
		}
	}
}

// UpdateUser changes the fields that the patch names. Order of checks: the
// user, the caller's rights, the version, the fields, what is taken. Errors:
// user.not_found, forbidden, version.mismatch, violations, taken reasons.
func (s *Service) UpdateUser(ctx context.Context, call *Call, ref UserRef, p UserPatch, o UpdateOptions) (User, error) {
	if err := s.enter(ctx, call, ActUpdateUser); err != nil {
		return User{}, err
	}
	return s.change(ctx, call, ActUpdateUser, ref, func(tx Tx, u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		if o.IfVersion.Set && o.IfVersion.Value != u.Version || o.IfDoorVersion.Set && o.IfDoorVersion.Value != u.DoorVersion {
			return Wrong(CodeStale, ReasonVersionMismatch, "The user was changed by somebody else.")
		}
		before := *u
		if err := applyPatch(call, u, &p); err != nil {
			return err
		}
		if u.Company != before.Company {
			if err := checkCompanyField(ctx, tx, call, u.Company); err != nil {
				return err
			}
		}
		e.event, e.claim = EventUserUpdated, o.ClaimEmail
		e.handles, e.seat = true, u.LicenceType != before.LicenceType
		e.newEmail = u.Email != before.Email || !before.EmailClaimed && p.Email.Set
		// In both directions: an extended date must not revive old tokens.
		e.endSession = u.Usable(s.now()) != before.Usable(s.now())
		return nil
	})
}

func errDeleted() error {
	return Wrong(CodeNotFound, ReasonUserDeleted, "User not found: it was deleted.")
}
