package directory

import (
	"context"
	"errors"
	"slices"
	"strconv"
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
	return s.createUser(ctx, call, in)
}

func (s *Service) createUser(ctx context.Context, call *Call, in NewUser) (User, error) {
	if err := s.replayed(ctx, call); err != nil {
		return User{}, err
	}
	n, err := s.prepare(ctx, call, in)
	if err != nil {
		return User{}, err
	}
	var result User
	insert := func(tx Tx) (any, error) {
		u, err := s.insertNew(ctx, tx, call, n)
		result = u
		return u, err
	}
	err = s.once(ctx, call, insert)
	// A name that was free when it was drawn can be taken before it is written.
	for try := 0; try < 3 && in.NameBase != "" && (IsReason(err, ReasonUserNameTaken) || IsReason(err, ReasonWriteConflict)); try++ {
		err = s.once(ctx, call, insert)
	}
	call.Changed = err == nil
	s.jobsAdded(call, err)
	return result, err
}

// newcomer is a new user as far as it can be made without a transaction.
type newcomer struct {
	in       NewUser
	template User
	hash     string
	password string // in plain, to be mailed; "" otherwise
	bad      violations
	job      string // id of the message that tells of the account
	quiet    bool   // the tenant's setting to mail new users is not for it
	// attach, if set, applies what is beyond a patch.
	attach func(ctx context.Context, tx Tx, call *Call, u *User, e *edit) error
}

// insertNew writes a new user and all that belongs to it. The row goes last but
// one, the seat's shard, which others wait for, last but that.
func (s *Service) insertNew(ctx context.Context, tx Tx, call *Call, n *newcomer) (User, error) {
	u, e, bad := n.template, edit{event: EventUserCreated, claim: n.in.ClaimEmail}, slices.Clone(n.bad)
	if err := s.place(ctx, tx, call, &u, &n.in, &bad); err != nil {
		return User{}, err
	}
	if err := s.attach(ctx, tx, call, &u, &e, &n.in.Fields, n.in.Rules, &bad); err != nil {
		return User{}, err
	}
	if n.attach != nil {
		if err := bad.gather(n.attach(ctx, tx, call, &u, &e), FieldNone); err != nil {
			return User{}, err
		}
	}
	n.in.Rules.demand(&User{}, &u, &bad)
	if err := claimEmail(ctx, tx, &u, n.in.ClaimEmail); err != nil {
		return User{}, err
	}
	if err := s.verdict(ctx, tx, &User{}, &u, n.in.Rules, bad); err != nil {
		return User{}, err
	}
	if call.Actor.provisions && u.Rank > RankSelf {
		return User{}, errProvisioning()
	}
	if err := moveHandles(ctx, tx, nil, handlesOf(&u), u.Tenant); err != nil {
		return User{}, err
	}
	if n.hash != "" {
		p := Password{User: u.Number, Hash: n.hash, SetAt: u.CreatedAt}
		if err := tx.SetPassword(ctx, u.Tenant, p); err != nil {
			return User{}, err
		}
	}
	if n.in.InactiveWithoutSeat != nil && n.in.InactiveWithoutSeat(call.Settings) {
		if err := seatOrInactive(ctx, tx, &u); err != nil {
			return User{}, err
		}
	}
	diff := e.changes
	diff.compare(&User{Tenant: u.Tenant}, &u)
	diff.version = u.Version
	if err := s.record(ctx, tx, call, e.event, onUser(&u), "", &diff); err != nil {
		return User{}, err
	}
	if err := s.welcomeMail(ctx, tx, call, &u, n); err != nil {
		return User{}, err
	}
	if err := s.enqueueExpiry(ctx, tx, call, &User{}, &u); err != nil {
		return User{}, err
	}
	if u.Seat == 0 {
		if err := settleSeat(ctx, tx, &User{}, &u); err != nil {
			return User{}, err
		}
	}
	return u, tx.InsertUser(ctx, u)
}

// welcomeMail tells a new user of its account, where the door or the tenant
// wants that and there is an address. The password goes with it only where the
// door asks for it.
func (s *Service) welcomeMail(ctx context.Context, tx Tx, call *Call, u *User, n *newcomer) error {
	if u.Email == "" || !n.in.Notify && (n.quiet || !call.Settings.NotifyOnCreate) {
		return nil
	}
	m, err := mailTo(call, MailWelcome, u)
	if err != nil {
		return err
	}
	if n.in.Notify {
		m.Password = n.password
	}
	return s.enqueueMail(ctx, tx, m, u, n.job)
}

// seatOrInactive takes the new user's seat before its event is written, since
// the event says whether it became active.
func seatOrInactive(ctx context.Context, tx Tx, u *User) error {
	err := settleSeat(ctx, tx, &User{}, u)
	if !IsReason(err, ReasonSeatExhausted) {
		return err
	}
	u.State = StateInactive
	return nil
}

// prepare does what needs no transaction: validation and the password's hash.
// Violations are the error unless in.Rules.All collects them.
func (s *Service) prepare(ctx context.Context, call *Call, in NewUser) (*newcomer, error) {
	now := s.now()
	n := &newcomer{in: in, job: s.opts.NewID(), template: User{
		Tenant: call.Actor.Tenant, Number: in.Number, ID: in.ID, State: in.State,
		MustChangePassword: in.Temporary || in.Password == "" && in.GeneratePassword,
		AuthEpoch:          1, Version: 1, DoorVersion: 1, CreatedAt: now, UpdatedAt: now,
	}}
	u := &n.template
	if u.State == "" {
		u.State = in.Fields.State.or(StateActive)
	}
	if u.State == StateDeleted || u.State.Index() >= len(States) {
		return nil, Invalid(FieldState.String(), ReasonFieldValue, "status must be staged, active or inactive.")
	}
	if err := checkNumber(FieldNumber.String(), in.Number); err != nil {
		return nil, err
	}
	u.ID = orNew(in.ID, s.opts.NewID)
	if in.ID != "" {
		id, err := presetID(in.ID)
		if err != nil {
			return nil, err
		}
		u.ID = id
	}
	patch := in.Fields
	patch.UserName.Set = patch.UserName.Set || in.NameBase == "" // required: an absent one is reported as such
	n.bad = append(slices.Clone(violations(in.Rules.Faults)), applyPatch(call, u, &patch)...)
	u.Locked = patch.Locked.Value
	if err := s.newHash(ctx, call, n); err != nil {
		return nil, err
	}
	if !in.Rules.All {
		return n, n.bad.err()
	}
	return n, nil
}

// newHash makes or imports the hash of a new user's password. What is wrong
// with the password joins the violations; nothing is hashed in vain.
func (s *Service) newHash(ctx context.Context, call *Call, n *newcomer) (err error) {
	in := &n.in
	if in.PasswordHash != "" {
		n.hash = in.PasswordHash
		return s.hasher.CheckImportable(in.PasswordHash)
	}
	if call.Actor.acted && (in.Password != "" || in.GeneratePassword) {
		return call.Actor.bar(ActSetPassword) // an account of its own would outlast the hour
	}
	n.password = in.Password
	if in.Password == "" && in.GeneratePassword {
		n.password, err = generatePassword(call.Settings.Password, &n.template)
		if err != nil {
			return err
		}
	}
	if n.password == "" {
		return nil
	}
	if in.Password != "" {
		if err := CheckPassword(call.Settings.Password, &n.template, in.Password, in.MinPassword); err != nil {
			if CodeOf(err) != CodeInvalid {
				return err
			}
			collect(&n.bad, err)
		}
	}
	if len(n.bad) > 0 {
		return nil
	}
	hash, err := s.hasher.Hash(ctx, n.password, call.Actor.Rank >= RankAdministrator)
	n.hash = hash
	return err
}

// place gives a new user its company (without one the tenant's default, or the
// one that the caller is bound to), its number and, where it has none of its
// own, its user name.
func (s *Service) place(ctx context.Context, tx Tx, call *Call, u *User, in *NewUser, bad *violations) error {
	if u.Company == 0 {
		u.Company = call.tenant.DefaultCompany
		if call.Actor.Root != 0 {
			u.Company = call.Actor.Root
		}
	}
	if err := setCompany(ctx, tx, call, u, &User{}, &in.Fields, bad); err != nil {
		return err
	}
	if err := placeID(ctx, tx, u, in.ID != ""); err != nil {
		return err
	}
	if in.NameBase != "" && u.UserName == "" {
		return drawUserName(ctx, tx, u, in.NameBase)
	}
	return nil
}

// placeID checks a number and an id that were brought, and draws a number.
func placeID(ctx context.Context, tx Tx, u *User, brought bool) error {
	if brought || u.Number != 0 {
		gone, err := tx.Purged(ctx, u.Tenant, u.Number, u.ID)
		if err != nil {
			return err
		}
		if gone != 0 {
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

// drawUserName gives a user the first free name of base1, base2 and so on, or
// one close to it: the places are probed in doubling steps, so that the
// thousandth of a name costs ten look-ups and not a thousand.
func drawUserName(ctx context.Context, tx Tx, u *User, base string) error {
	if _, err := FoldKey(SpaceLogin, base+"1"); err != nil {
		base = "user"
	}
	free := func(n int) (bool, error) {
		key, err := FoldKey(SpaceLogin, base+strconv.Itoa(n))
		if err == nil {
			_, err = tx.HandleByKey(ctx, u.Tenant, SpaceLogin, key)
		}
		return errors.Is(err, ErrNotFound), orError(err, nil)
	}
	taken, open := 0, 1 // the greatest known to be taken, and one that is free
	for ; ; taken, open = open, open*2 {
		ok, err := free(open)
		if err != nil {
			return err
		}
		if ok {
			break
		}
	}
	for open-taken > 1 {
		middle := (taken + open) / 2
		ok, err := free(middle)
		if err != nil {
			return err
		}
		if ok {
			open = middle
		} else {
			taken = middle
		}
	}
	u.UserName = base + strconv.Itoa(open)
	return nil
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
// user, the caller's rights, the version, the fields, what is taken, the seat.
// Errors: user.not_found, forbidden, version.mismatch, violations, taken
// reasons, user.held, the seat reasons.
func (s *Service) UpdateUser(ctx context.Context, call *Call, ref UserRef, p UserPatch, o UpdateOptions) (User, error) {
	if err := s.enter(ctx, call, ActUpdateUser); err != nil {
		return User{}, err
	}
	return s.updateUser(ctx, call, ref, p, o)
}

func (s *Service) updateUser(ctx context.Context, call *Call, ref UserRef, p UserPatch, o UpdateOptions) (User, error) {
	hash, faults, err := s.patchHash(ctx, call, ref, &p, &o)
	if err != nil {
		return User{}, err
	}
	return s.change(ctx, call, ActUpdateUser, ref, func(tx Tx, u *User, e *edit) error {
		return s.updateStep(ctx, tx, call, u, e, p, o, hash, faults)
	})
}

// updateStep edits a user as a patch says. hash is that of the patch's password and
// faults what is wrong with it (patchHash).
func (s *Service) updateStep(ctx context.Context, tx Tx, call *Call, u *User, e *edit, p UserPatch, o UpdateOptions, hash string, faults violations) error {
	if u.State == StateDeleted {
		return errDeleted()
	}
	if o.IfVersion.Set && o.IfVersion.Value != u.Version || o.IfDoorVersion.Set && o.IfDoorVersion.Value != u.DoorVersion {
		return Wrong(CodeStale, ReasonVersionMismatch, "The user was changed by somebody else.")
	}
	before := *u
	wanted, err := s.wanted(ctx, tx, call, u, p, &o)
	if err != nil {
		return err
	}
	bad := append(slices.Clone(violations(o.Rules.Faults)), faults...)
	if before.Rank == RankOwner && o.Rules.RefuseOwner {
		bad.add(FieldRank, ReasonOwnerProtected, "The account owner cannot be changed here.")
	}
	fields := o.Rules.keepHidden(wanted, &before)
	bad = append(bad, applyPatch(call, u, &fields)...)
	if len(bad) > 0 && !o.Rules.All {
		return bad.err()
	}
	e.event = EventUserUpdated
	// An address that the user had before is no demand: a client that sends
	// back what it was shown must not be refused for it.
	e.claim = o.ClaimEmail && u.Email != before.Email
	if err := setCompany(ctx, tx, call, u, &before, &fields, &bad); err != nil {
		return err
	}
	if err := s.attach(ctx, tx, call, u, e, &fields, o.Rules, &bad); err != nil {
		return err
	}
	o.Rules.demand(&before, u, &bad)
	if err := s.settleState(ctx, tx, call, u, e, &fields, o.Rules, &bad); err != nil {
		return err
	}
	if err := s.settlePassword(ctx, tx, call, u, e, hash, &fields, &o); err != nil {
		return err
	}
	e.seat = u.LicenceType != before.LicenceType || u.State != before.State
	e.newEmail = u.Email != before.Email || !before.EmailClaimed && fields.Email.Set
	e.handles = e.newEmail || !keepsHandles(&before, u)
	// In both directions: an extended date must not revive old tokens.
	e.endSession = e.endSession || u.Usable(s.now()) != before.Usable(s.now())
	if e.newEmail {
		if err := claimEmail(ctx, tx, u, e.claim); err != nil {
			return err
		}
	}
	return s.verdict(ctx, tx, &before, u, o.Rules, bad)
}

func errDeleted() error {
	return Wrong(CodeNotFound, ReasonUserDeleted, "User not found: it was deleted.")
}
