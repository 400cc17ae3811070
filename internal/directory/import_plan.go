package directory

import (
	"context"
	"fmt"
)

// ImportPlan is a page of an import that has been looked at: what needs no transaction
// is done. It may be made while the page before it is still being written.
type ImportPlan struct {
	tenant TenantNo
	id     string
	run    BulkRun // as it was when the page was looked at
	rows   []*importRow
	// decisions say what will become of the rows unless somebody else changes what they
	// are about before they are written: then they are made again.
	decisions []importDecision
	passwords map[int]importPassword // by place in the page
}

// importPassword is a plain password of a row once it has been hashed, or found to be
// the one that its user has.
type importPassword struct {
	hash string
	same bool
}

// importDecision is what becomes of a row.
type importDecision struct {
	verdict Verdict // "" while only doing it can tell
	faults  []FieldError
	user    *User   // whom the row is about; nil for nobody
	by      string  // the member that says so
	mention []int64 // all users whom the row names
	// twin is the place, from 1, of an earlier row of the page with the same user or a
	// key that no two users share, and twinBy the member.
	twin   int
	twinBy string
	fresh  *newcomer // the user that the row makes
	load   *UserLoad // the same, where nothing is missing but its number and its seat
}

// refuse decides that nothing is done.
func (d *importDecision) refuse(verdict Verdict, faults ...FieldError) {
	d.verdict, d.faults, d.load = verdict, faults, nil
}

// rowFault is a fault of one member.
func rowFault(member string, reason Reason, format string, args ...any) FieldError {
	return FieldError{Field: member, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// importDecider decides about the rows of one page.
type importDecider struct {
	s         *Service
	call      *Call
	run       *BulkRun
	passwords map[int]importPassword
	// quick says that rows may be written the quick way: not when they are decided
	// about a second time, because of what somebody else did.
	quick bool

	finds   *importFinds
	lookups *importLookUps
	owners  map[rowClaim]int // key -> place of the row, from 1
	users   map[int64]int    // number -> place of the row, from 1
	emails  map[string]bool  // folded addresses of the page, where several may have one
}

// rowClaim is a key that no two rows of a run may have.
type rowClaim struct {
	handle HandleKeyOf
	id     string
	number int64
}

func (k *rowKey) claim() rowClaim { return rowClaim{k.handle, k.text, k.number} }

// decide decides about every row of a page, in order.
func (d *importDecider) decide(ctx context.Context, r Reader, rows []*importRow) ([]importDecision, error) {
	var err error
	if d.finds, err = findImported(ctx, r, d.run.Tenant, rows); err != nil {
		return nil, err
	}
	d.lookups = newImportLookUps(r, d.call)
	d.owners, d.users, d.emails = make(map[rowClaim]int, 3*len(rows)), map[int64]int{}, map[string]bool{}
	decisions := make([]importDecision, len(rows))
	for i, row := range rows {
		if err := d.one(ctx, r, row, &decisions[i]); err != nil {
			return nil, err
		}
	}
	return decisions, nil
}

func (d *importDecider) one(ctx context.Context, r Reader, row *importRow, to *importDecision) error {
	number, by, ambiguous := d.finds.match(row)
	to.mention = d.finds.mentioned(row)
	to.user, to.by = d.finds.users[number], by
	switch {
	case len(row.faults) > 0:
		to.refuse(RowInvalid, row.faults...)
		return nil
	case to.user != nil && to.user.State == StateDeleted && said(row.record.Status) == StateDeleted:
		to.refuse(RowSkip) // nobody else can be meant
		return nil
	case row.record.Undo != "":
		d.twinOf(row, to)
		if to.user == nil {
			to.refuse(RowConflict, rowFault(memberID, ReasonUserNotFound, "The user is not there any more."))
		}
		return nil
	case len(ambiguous) > 0:
		to.refuse(RowConflict, ambiguous...)
		return nil
	}
	d.twinOf(row, to)
	if to.user == nil {
		return d.create(ctx, row, to)
	}
	return d.existing(ctx, r, row, to)
}

// twinOf finds the first row before this one that is about the same user or has one of
// its keys.
func (d *importDecider) twinOf(row *importRow, to *importDecision) {
	note := func(place int, member string) {
		if place != 0 && (to.twin == 0 || place < to.twin) {
			to.twin, to.twinBy = place, member
		}
	}
	if to.user != nil {
		note(d.users[to.user.Number], to.by)
		if d.users[to.user.Number] == 0 {
			d.users[to.user.Number] = row.at + 1
		}
	}
	for i := range row.own {
		if key := &row.own[i]; row.claims(key, to.user) {
			claim := key.claim()
			note(d.owners[claim], key.member)
			if d.owners[claim] == 0 {
				d.owners[claim] = row.at + 1
			}
		}
	}
}

// existing decides about a row whose user is there.
func (d *importDecider) existing(ctx context.Context, r Reader, row *importRow, to *importDecision) error {
	u := to.user
	switch {
	case u.State == StateDeleted:
		to.refuse(RowConflict, rowFault(to.by, ReasonUserDeleted, "The user is in the recycle bin: restore it first."))
	case d.run.Import.Existing == ExistingSkip:
		to.refuse(RowSkip)
	case d.run.Import.Existing == ExistingConflict:
		to.refuse(RowConflict, rowFault(to.by, ReasonImportExists, "The user is there already: number %d.", u.Number))
	default:
		changes, err := d.changes(ctx, r, row, u)
		if err == nil && !changes {
			to.refuse(RowSkip)
		}
		return err
	}
	return nil
}

// changes reports whether a row says anything of its user that is not so already, or
// that only the transaction can tell.
func (d *importDecider) changes(ctx context.Context, r Reader, row *importRow, u *User) (bool, error) {
	record, after, p := row.record, *u, row.patch(u)
	if p.CompanyName.Set {
		number, err := d.lookups.company(ctx, p.CompanyName.Value)
		if err != nil || number == 0 {
			return true, err
		}
		after.Company = number
	}
	if len(applyPatch(d.call, &after, &p)) > 0 || d.changesState(row, u) {
		return true, nil
	}
	record.setExtras(&after)
	var diff changes
	if diff.compare(u, &after); diff.set != 0 {
		return true, nil
	}
	if changed, err := d.changesPassword(ctx, r, row, u); changed || err != nil {
		return true, err
	}
	if !row.belongs() {
		return false, nil
	}
	return belongingsDiffer(ctx, r, d.call, row, u)
}

// changesState is changes of what the state machine decides.
func (d *importDecider) changesState(row *importRow, u *User) bool {
	record := row.record
	locked := setTo(record.Locked).or(u.Locked)
	return setTo(record.Status).or(u.State) != u.State || locked != u.Locked ||
		setTo(record.LockReason).or(u.LockReason) != u.LockReason ||
		setTo(record.MustChangePassword).or(u.MustChangePassword) != u.MustChangePassword
}

// changesPassword is changes of the password. A plain one has been compared already,
// unless that is yet to come.
func (d *importDecider) changesPassword(ctx context.Context, r Reader, row *importRow, u *User) (bool, error) {
	if row.password != "" {
		return !d.passwords[row.at].same, nil
	}
	hash := string(said(row.record.PasswordHash))
	if hash == "" {
		return false, nil
	}
	held, err := passwordOf(ctx, r, u)
	return held.Hash != hash, err
}

// create decides about a row whose user is not there.
func (d *importDecider) create(ctx context.Context, row *importRow, to *importDecision) error {
	if d.finds.erased(row) {
		to.refuse(RowConflict, rowFault(memberNumber, ReasonNumberTaken, "The number or the id belonged to a user who was erased; neither is given again."))
		return nil
	}
	fresh, err := d.newcomer(ctx, row)
	if err != nil {
		if !isRefused(err) {
			return err
		}
		verdict, faults := row.record.refused(err)
		to.refuse(verdict, faults...)
		return nil
	}
	to.fresh = fresh
	if d.quick && to.twin == 0 && !d.finds.held(row) {
		return d.quicken(ctx, row, to)
	}
	return nil
}

// newcomer makes the new user of a row as far as it can be made without a transaction.
func (d *importDecider) newcomer(ctx context.Context, row *importRow) (*newcomer, error) {
	o, record := &d.run.Import, row.record
	in := NewUser{ID: said(record.ID), Number: said(record.Number), State: o.Status, ClaimEmail: !o.SharedEmail, Notify: o.Notify,
		Fields: row.patch(&User{}), Rules: DoorRules{All: true}}
	if record.Status != nil {
		in.State = *record.Status
	}
	if record.UserName == nil && said(record.Email) != "" {
		in.Fields.UserName = Some(*record.Email) // many files have no other name
	}
	if !in.Fields.Company.Set && !in.Fields.CompanyName.Set && o.Company != 0 {
		in.Fields.Company = Some(o.Company)
	}
	if in.Fields.Company.Set && in.Fields.Company.Value == 0 {
		in.Fields.Company = Opt[int64]{} // none of its own: the default one
	}
	if said(record.LockReason) != 0 && !said(record.Locked) {
		in.Rules.Faults = violations{rowFault("lock_reason", ReasonFieldValue, "lock_reason is only of a user who is locked.")}
	}
	n, err := d.s.prepare(ctx, d.call, in)
	if err == nil {
		err = n.bad.err()
	}
	if err != nil {
		return nil, err
	}
	record.setExtras(&n.template)
	n.hash = d.hashOf(row)
	n.template.MustChangePassword = setTo(record.MustChangePassword).or(n.hash != "" && said(record.Temporary))
	n.attach, n.quiet = row.attach, true
	return n, nil
}

// hashOf is the hash of a row's password, "" for none.
func (d *importDecider) hashOf(row *importRow) string {
	if hash := string(said(row.record.PasswordHash)); hash != "" {
		return hash
	}
	return d.passwords[row.at].hash
}

// quicken completes a new user that is written together with others, if it is one of
// those of which nothing has to be looked up any more.
func (d *importDecider) quicken(ctx context.Context, row *importRow, to *importDecision) error {
	n := to.fresh
	u, p := n.template, &n.in.Fields
	switch {
	case row.belongs(), !u.ValidFrom.IsZero(), !u.ExpiresAt.IsZero(), n.in.Notify && u.Email != "":
		return nil
	case p.CompanyName.Set:
		number, err := d.lookups.company(ctx, p.CompanyName.Value)
		if err != nil || number == 0 {
			return err
		}
		u.Company = number
	case u.Company == 0:
		u.Company = d.call.tenant.DefaultCompany
	default:
		if there, err := d.lookups.exists(ctx, u.Company); err != nil || !there {
			return err
		}
	}
	if key, ok := row.record.key("email"); ok {
		_, held := d.finds.handles[key.handle]
		if d.emails[key.handle.Key] {
			return nil
		}
		d.emails[key.handle.Key], u.EmailClaimed = true, !held
	}
	var bad violations
	if n.in.Rules.demand(&User{}, &u, &bad); len(bad) > 0 {
		return nil
	}
	to.load, to.fresh = d.s.loadOf(d.call, n, &u), nil
	return nil
}

// loadOf is a new user with everything that comes with it but its number and seat.
func (s *Service) loadOf(call *Call, n *newcomer, u *User) *UserLoad {
	load := &UserLoad{User: *u, Handles: handlesOf(u)}
	if n.hash != "" {
		load.Password = Password{Hash: n.hash, SetAt: u.CreatedAt}
	}
	if eventsAreKept {
		var diff changes
		diff.compare(&User{Tenant: u.Tenant}, u)
		diff.version = u.Version
		load.Event = s.event(call, EventUserCreated, onUser(u), "", &diff)
	}
	return load
}
