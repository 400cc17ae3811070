package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// This file applies the parts of a patch that reach beyond the user's own row:
// company, groups, roles, state, licence and password. What is wrong joins the
// violations where the door wants them all at once, and is the error otherwise.

// keepHidden leaves out of a patch what the door cannot mean: an empty licence
// type where it shows the stored one as none, and inactive where it shows staged
// as that.
func (r DoorRules) keepHidden(p UserPatch, before *User) UserPatch {
	if p.LicenceType.Set && p.LicenceType.Value == "" && len(r.Licences) > 0 && !slices.Contains(r.Licences, before.LicenceType) {
		p.LicenceType = Opt[string]{}
	}
	if r.HiddenStaged && before.State == StateStaged && p.State.Value == StateInactive {
		p.State = Opt[State]{}
	}
	return p
}

// gather adds the fields of a refusal to the violations, and passes failures
// on. Refusals are errors about input, conflicts and missing things.
func (v *violations) gather(err error, field Field) error {
	if err == nil {
		return nil
	}
	e := AsError(err)
	switch {
	case e.Code == CodeInternal || e.Code == CodeUnavailable:
		return err
	case len(e.Fields) > 0:
		*v = append(*v, e.Fields...)
	default:
		*v = append(*v, FieldError{Field: field.String(), Reason: e.Reason, Message: e.Message})
	}
	return nil
}

// setCompany settles which company the user belongs to.
func setCompany(ctx context.Context, tx Tx, call *Call, u, before *User, p *UserPatch, bad *violations) error {
	if p.CompanyName.Set {
		c, err := companyOf(ctx, tx, call.Actor, CompanyRef{Name: p.CompanyName.Value})
		if IsReason(err, ReasonCompanyNotFound) {
			bad.add(FieldCompany, ReasonCompanyNotFound, "There is no company %q.", p.CompanyName.Value)
			return nil
		}
		if err != nil {
			return err
		}
		u.Company = c.Number
	}
	if u.Company == before.Company {
		return nil
	}
	return bad.gather(checkCompanyField(ctx, tx, call, u.Company), FieldCompany)
}

// attach applies location, groups and roles, and checks what a door demands of
// the whole.
func (s *Service) attach(ctx context.Context, tx Tx, call *Call, u *User, e *edit, p *UserPatch, rules DoorRules, bad *violations) error {
	steps := []struct {
		wanted bool
		field  Field
		run    func() error
	}{
		{p.LocationName.Set, FieldLocations, func() error { return changeLocation(ctx, tx, u, e, p.LocationName.Value) }},
		{len(p.Groups) > 0, FieldGroups, func() error { return changeGroups(ctx, tx, call, u, e, p.Groups) }},
		{p.Roles.Set, FieldRoles, func() error { return changeRoles(ctx, tx, call, u, e, p.Roles.Value) }},
		{p.PlainRoles.Set, FieldRoles, func() error { return changePlainRoles(ctx, tx, call, u, e, &p.PlainRoles.Value) }},
		{p.Administrator.Set, FieldRank, func() error { return s.changeAdministrator(ctx, tx, call, u, e, p.Administrator.Value) }},
	}
	for _, step := range steps {
		if !step.wanted {
			continue
		}
		err := step.run()
		if err != nil && !rules.All {
			return err
		}
		if err := bad.gather(err, step.field); err != nil {
			return err
		}
	}
	return nil
}

// demand checks what must hold of the whole user, the door's demands included.
// What was wrong before and has not changed is not held against the call.
func (r DoorRules) demand(before, u *User, bad *violations) {
	fresh := before.Number == 0
	if r.RequireLicence && u.LicenceType == "" && (fresh || before.LicenceType != "") {
		bad.add(FieldLicenceType, ReasonLicenceRequired, "licence_type is required.")
	}
	if !u.Profile.MobileOnly {
		return
	}
	changed := !before.Profile.MobileOnly || before.LicenceType != u.LicenceType
	if changed && u.LicenceType == LicenceWebOnly {
		bad.add(FieldMobileOnly, ReasonLicenceMobile, "A user with a licence for the web alone cannot be mobile only.")
	}
	if changed && u.Rank == RankOwner {
		bad.add(FieldMobileOnly, ReasonOwnerMobile, "The account owner cannot be mobile only.")
	}
}

// LicenceWebOnly is the type of licence that excludes mobile-only users
// (docs/dialects/encore.md 5.7).
const LicenceWebOnly = "web_only"

// changeLocation puts a location of the user's company in the place of the
// first one that the user has there; "" takes that away.
func changeLocation(ctx context.Context, tx Tx, u *User, e *edit, name string) error {
	var to int64
	if name != "" {
		l, err := tx.LocationByName(ctx, u.Tenant, u.Company, NameKey(name))
		if errors.Is(err, ErrNotFound) {
			return Invalid(FieldLocations.String(), ReasonLocationNotFound, "The company has no location %q.", name)
		}
		if err != nil {
			return err
		}
		to = l.Number
	}
	held, err := tx.UserLocations(ctx, u.Tenant, u.Number)
	if err != nil {
		return err
	}
	var from int64
	for _, number := range held {
		l, err := tx.Location(ctx, u.Tenant, number)
		if err != nil {
			return err
		}
		if l.Company == u.Company {
			from = number
			break
		}
	}
	if from == to || slices.Contains(held, to) {
		return nil
	}
	if from != 0 {
		if _, err := tx.RemoveUserLocation(ctx, u.Tenant, u.Number, from); err != nil {
			return err
		}
	}
	if to != 0 {
		if _, err := tx.AddUserLocation(ctx, u.Tenant, u.Number, to); err != nil {
			return err
		}
	}
	e.changes.number(FieldLocations, from, to)
	return nil
}

// settleState applies the state and the lock of a patch. The event is that of
// the state, or of the lock, when either changes: who listens for deactivations
// must hear of every one.
func (s *Service) settleState(ctx context.Context, tx Tx, call *Call, u *User, e *edit, p *UserPatch, rules DoorRules, bad *violations) error {
	if p.Locked.Set && p.Locked.Value != u.Locked {
		if call.Actor.User == u.Number && p.Locked.Value {
			return errSelfLock()
		}
		u.Locked, u.LockReason = p.Locked.Value, 0
		e.event = map[bool]EventType{true: EventUserLocked, false: EventUserUnlocked}[p.Locked.Value]
	}
	verb := map[State]Verb{StateActive: VerbActivate, StateInactive: VerbDeactivate}[p.State.Value]
	if !p.State.Set || p.State.Value == u.State {
		return nil
	}
	step, allowed := transitions[verb][u.State]
	if !allowed {
		bad.add(FieldState, ReasonFieldValue, "A user that is %s cannot become %s.", u.State, p.State.Value)
		return nil
	}
	err := call.Actor.mayTouch(step.action, u)
	if err == nil {
		err = heldFor(ctx, tx, u, verb)
	}
	if err != nil && !rules.All {
		return err
	}
	if err := bad.gather(err, FieldState); err != nil {
		return err
	}
	u.State, e.event = step.to, step.event
	e.endSession = e.endSession || step.effects&endsSessions != 0
	return nil
}

// verdict is the error of the violations that were gathered. A door that wants
// everything at once is also told what is taken and whether a seat is free,
// which the writes that follow would say one after the other.
func (s *Service) verdict(ctx context.Context, tx Tx, before, after *User, rules DoorRules, bad violations) error {
	if !rules.All {
		return bad.err()
	}
	if err := bad.gather(handlesFree(ctx, tx, before, after), FieldNone); err != nil {
		return err
	}
	if holdsSeat(after) && (after.State != before.State || after.LicenceType != before.LicenceType) {
		pool, err := tx.Pool(ctx, after.Tenant, after.LicenceType)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case pool.Total == 0:
			bad.add(FieldLicenceType, ReasonSeatNotEntitled, "The tenant is not entitled to licences of type %s.", after.LicenceType)
		case pool.Used >= pool.Total:
			bad.add(FieldLicenceType, ReasonSeatExhausted, "No seat is free of licence type %s.", after.LicenceType)
		}
	}
	return bad.err()
}

// handlesFree is moveHandles without the move.
func handlesFree(ctx context.Context, tx Tx, before, after *User) error {
	_, _, err := sortHandles(ctx, tx, handlesOf(before), handlesOf(after), after.Tenant)
	return err
}

// patchHash makes the hash of a patch's password outside of the transaction,
// for a target that the caller may give one. What is wrong with the password is
// returned as violations where the door wants them all.
func (s *Service) patchHash(ctx context.Context, call *Call, ref UserRef, p *UserPatch, o *UpdateOptions) (string, violations, error) {
	if !p.Password.Set {
		return "", nil, nil
	}
	var target User
	err := s.store.View(ctx, func(r Reader) (err error) {
		target, err = s.find(ctx, r, call, ref)
		return err
	})
	if err == nil {
		allowed := *call // what the call was entered with still holds for the rest
		err = allowed.permit(ActSetPassword)
	}
	if err == nil {
		err = call.Actor.mayTouch(ActSetPassword, &target)
	}
	if err != nil {
		return "", nil, err
	}
	if err := CheckPassword(call.Settings.Password, &target, p.Password.Value, o.MinPassword); err != nil {
		if CodeOf(err) == CodeInvalid && o.Rules.All {
			return "", AsError(err).Fields, nil
		}
		return "", nil, err
	}
	if len(o.Rules.Faults) > 0 {
		return "", nil, nil // it will be refused: no hash in vain
	}
	hash, err := s.hasher.Hash(ctx, p.Password.Value, call.Actor.Rank >= RankAdministrator)
	return hash, nil, err
}

// wanted is the patch of a call: the one that it brings, or the one that is made
// of the user as it is now.
func (s *Service) wanted(ctx context.Context, tx Tx, call *Call, u *User, p UserPatch, o *UpdateOptions) (UserPatch, error) {
	if o.From == nil {
		return p, nil
	}
	current, err := newDetails(tx, call, o.FromWith).of(ctx, *u)
	if err != nil {
		return UserPatch{}, err
	}
	made, err := o.From(&current)
	made.Password = p.Password // hashed outside of the transaction
	return made, err
}

// settlePassword puts the new password of a patch on an edit, or takes the one
// that the user has away.
func (s *Service) settlePassword(ctx context.Context, tx Tx, call *Call, u *User, e *edit, hash string, p *UserPatch, o *UpdateOptions) error {
	if hash == "" {
		if !p.NoPassword || p.Password.Set {
			return nil
		}
		held, err := tx.Password(ctx, u.Tenant, u.Number)
		if errors.Is(err, ErrNotFound) || err == nil && held.Hash == "" {
			return nil
		}
		if err != nil {
			return err
		}
		allowed := *call
		if err := allowed.permit(ActSetPassword); err != nil {
			return err
		}
		if err := call.Actor.mayTouch(ActSetPassword, u); err != nil {
			return err
		}
	}
	s.exchangePassword(ctx, u, e, hash, o.Temporary && hash != "")
	if e.event == EventUserUpdated { // whoever listens for new passwords must hear of every one
		e.event = EventPasswordSet
	}
	return nil
}

// exchangePassword puts a new password on an edit and ends what was signed in
// with the old one.
func (s *Service) exchangePassword(ctx context.Context, u *User, e *edit, hash string, temporary bool) {
	u.MustChangePassword = temporary
	e.endSession = true
	e.changes.mark(FieldPassword)
	e.after = func(tx Tx) error {
		before, err := tx.Password(ctx, u.Tenant, u.Number)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("directory: password of user %d: %w", u.Number, err)
		}
		return tx.SetPassword(ctx, u.Tenant, Password{User: u.Number, Hash: hash, SetAt: s.now(), LastLogin: before.LastLogin})
	}
}
