package directory

import (
	"context"
	"errors"
	"slices"
	"sort"
)

// maxActed is how many users one page of an action has: others wait for the
// transaction.
const maxActed = 100

// page is the query of the users that come next.
func (d *BulkDeed) page() UserQuery {
	q := d.Select.query(d.After, maxActed)
	if d.Verb == DeedRestore && q.States == 0 {
		q.States = StatesOf(StateDeleted)
	}
	return q
}

// deedRows is how many users an action is for; 0 where that would take long to count.
func deedRows(ctx context.Context, r Reader, call *Call, d *BulkDeed) (int64, error) {
	if d.Select == nil {
		return int64(len(d.Users)), nil
	}
	q, none, err := d.cleanPage(ctx, r, call)
	if none || err != nil {
		return 0, err
	}
	if q.Plain() {
		return r.UserTotal(ctx, call.Actor.Tenant, q.Company, q.States)
	}
	counted, err := r.CountUsers(ctx, call.Actor.Tenant, q, CountLimit)
	if counted >= CountLimit {
		counted = 0
	}
	return counted, err
}

// cleanPage is the next page's query as the store takes it; none says that it can
// have no users.
func (d *BulkDeed) cleanPage(ctx context.Context, r Reader, call *Call) (q UserQuery, none bool, err error) {
	q = d.page()
	if err := q.clean(call); err != nil {
		return q, false, err
	}
	if len(q.Groups) > 0 {
		q.GroupNumbers, err = groupNumbers(ctx, r, call.Actor.Tenant, q.Groups)
	}
	return q, len(q.Groups) > 0 && len(q.GroupNumbers) == 0, err
}

// nextUsers are the numbers of the users that come next, in order, and whether others
// may follow.
func (d *BulkDeed) nextUsers(ctx context.Context, r Reader, call *Call) (numbers []int64, more bool, err error) {
	if d.Select == nil {
		rest := d.Users[sort.Search(len(d.Users), func(i int) bool { return d.Users[i] > d.After }):]
		return rest[:min(len(rest), maxActed)], len(rest) > maxActed, nil
	}
	q, none, err := d.cleanPage(ctx, r, call)
	if none || err != nil {
		return nil, false, err
	}
	users, err := r.Users(ctx, call.Actor.Tenant, q)
	for i := range users {
		numbers = append(numbers, users[i].Number)
	}
	return numbers, len(users) == maxActed, err
}

// ActBulk does the next page of an action, at most 100 users in order of number, in
// the name of who asked for it: each by the rules of the use case for one user, and
// one that is refused does not stop the others. How far the run is is kept in the same
// transaction. It returns the run as it then is. One that waits for nobody, or has
// ended, stays as it is. Only the server does it. Errors: bulk.not_found; those of the
// store, after which the page can be done again.
func (s *Service) ActBulk(ctx context.Context, call *Call, t TenantNo, id string) (BulkRun, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return BulkRun{}, err
	}
	run, err := s.readBulk(ctx, t, id)
	if err != nil || run.Kind != BulkAction || !run.in(BulkWaiting, BulkRunning) {
		return run, err
	}
	asker, err := s.askersCall(ctx, &run)
	if IsReason(err, ReasonBulkAsker) {
		return s.failBulk(ctx, t, id, AsError(err).Message)
	}
	if err != nil {
		return run, err
	}
	run, err = s.editBulk(ctx, t, id, func(tx Tx, run *BulkRun) error {
		if !run.in(BulkWaiting, BulkRunning) {
			return nil
		}
		return s.actPage(ctx, tx, asker, run)
	})
	s.jobsAdded(asker, err)
	return run, err
}

// actPage does one page inside of a transaction.
func (s *Service) actPage(ctx context.Context, tx Tx, call *Call, run *BulkRun) error {
	if err := s.beginBulk(ctx, tx, call, run); err != nil {
		return err
	}
	p := &deedPage{s: s, tx: tx, call: call, run: run, deed: deeds[run.Deed.Verb]}
	if number := run.Deed.Group; number != 0 {
		g, err := tx.Group(ctx, run.Tenant, number)
		if errors.Is(err, ErrNotFound) {
			return s.endBulk(ctx, tx, call, run, BulkFailed, "The group was deleted.")
		}
		if err != nil {
			return err
		}
		p.group = g
	}
	numbers, more, err := run.Deed.nextUsers(ctx, tx, call)
	if err != nil {
		return err
	}
	rows, err := p.all(ctx, numbers)
	if err != nil {
		return err
	}
	if err := noteRows(ctx, tx, run, rows); err != nil {
		return err
	}
	if len(numbers) > 0 {
		run.Deed.After = numbers[len(numbers)-1]
	}
	if !more {
		return s.endBulk(ctx, tx, call, run, BulkDone, "")
	}
	return nil
}

// deedPage is a page of an action on its way.
type deedPage struct {
	s     *Service
	tx    Tx
	call  *Call
	run   *BulkRun
	deed  deed
	group Group // of the run's Deed.Group
}

// errTried takes back what a dry run has tried.
var errTried = errors.New("directory: a dry run changes nothing")

// all does the page's users, or tries them all and takes that back.
func (p *deedPage) all(ctx context.Context, numbers []int64) ([]RowVerdict, error) {
	rows := make([]RowVerdict, len(numbers))
	each := func() error {
		for i, number := range numbers {
			rows[i] = RowVerdict{Row: p.run.Done + int64(i) + 1, User: number}
			if err := p.one(ctx, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if !p.run.DryRun || len(numbers) == 0 {
		return rows, each()
	}
	err := p.tx.Try(ctx, func() error {
		if err := each(); err != nil {
			return err
		}
		return errTried
	})
	if errors.Is(err, errTried) {
		err = nil
	}
	return rows, err
}

// one does one user, and decides on the verdict. The error is what ends the
// transaction.
func (p *deedPage) one(ctx context.Context, row *RowVerdict) error {
	var u User
	var wrote bool
	err := p.tx.Try(ctx, func() (err error) {
		u, wrote, err = p.s.changeIn(ctx, p.tx, p.call, p.deed.action, ByNumber(row.User), func(u *User, e *edit) error {
			return p.deed.step(ctx, p, u, e)
		})
		return err
	})
	switch CodeOf(err) {
	case "":
		row.Name, row.Verdict = u.UserName, RowSkip
		if wrote {
			row.Verdict, row.Changed = RowUpdate, p.deed.changes
		}
		return nil
	case CodeInternal, CodeUnavailable: // a key that somebody took meanwhile too: the run that follows names it
		return err
	}
	row.Verdict, row.Faults = verdictOf(err), faultsOf(err)
	if u, err := p.tx.UserByNumber(ctx, p.run.Tenant, row.User); err == nil {
		row.Name = u.UserName
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// verdictOf is the verdict of a row that an error refuses: a conflict where it
// depends on what there is.
func verdictOf(err error) Verdict {
	switch CodeOf(err) {
	case CodeConflict, CodeExhausted, CodeStale:
		return RowConflict
	}
	if IsReason(err, ReasonUserDeleted) {
		return RowConflict
	}
	return RowInvalid
}

// faultsOf is what an error says, field by field where it names some.
func faultsOf(err error) []FieldError {
	e := AsError(err)
	if len(e.Fields) > 0 {
		return slices.Clone(e.Fields)
	}
	return []FieldError{{Reason: e.Reason, Message: e.Message}}
}

// deed is a verb: which action of the policy it is, the names of the fields that it
// changes, and its step of a change.
type deed struct {
	action  Action
	changes []string
	step    func(ctx context.Context, p *deedPage, u *User, e *edit) error
}

// deeds are the verbs.
var deeds = map[DeedVerb]deed{
	DeedActivate:    {ActActivate, []string{"status"}, moveStep(VerbActivate)},
	DeedDeactivate:  {ActDeactivate, []string{"status"}, moveStep(VerbDeactivate)},
	DeedDelete:      {ActDelete, []string{"status"}, moveStep(VerbDelete)},
	DeedRestore:     {ActRestore, []string{"status"}, restoreStep},
	DeedLock:        {ActLock, []string{"locked", "lock_reason"}, lockDeed},
	DeedUnlock:      {ActUnlock, []string{"locked", "lock_reason"}, unlockDeed},
	DeedSignOut:     {ActSignOut, nil, signOutDeed},
	DeedMove:        {ActUpdateUser, []string{"company"}, moveToDeed},
	DeedLicence:     {ActUpdateUser, []string{"licence_type"}, licenceDeed},
	DeedAddGroup:    {ActAssign, []string{"groups"}, groupStep(GroupsAdd)},
	DeedRemoveGroup: {ActAssign, []string{"groups"}, groupStep(GroupsRemove)},
}

func moveStep(verb Verb) func(context.Context, *deedPage, *User, *edit) error {
	return func(ctx context.Context, p *deedPage, u *User, e *edit) error { return p.s.step(ctx, p.tx, u, e, verb) }
}

// restoreStep leaves those alone who are not in the recycle bin (any more).
func restoreStep(ctx context.Context, p *deedPage, u *User, e *edit) error {
	if u.State != StateDeleted {
		return nil
	}
	return p.s.step(ctx, p.tx, u, e, VerbRestore)
}

func lockDeed(ctx context.Context, p *deedPage, u *User, e *edit) error {
	return lockStep(ctx, p.tx, p.call, u, e, p.run.Deed.LockReason)
}

func unlockDeed(_ context.Context, _ *deedPage, u *User, e *edit) error { return unlockStep(u, e) }

func signOutDeed(_ context.Context, _ *deedPage, u *User, e *edit) error { return signOutStep(u, e) }

func moveToDeed(ctx context.Context, p *deedPage, u *User, e *edit) error {
	return p.s.updateStep(ctx, p.tx, p.call, u, e, UserPatch{Company: Some(p.run.Deed.Company)}, UpdateOptions{}, "", nil)
}

func licenceDeed(ctx context.Context, p *deedPage, u *User, e *edit) error {
	return p.s.updateStep(ctx, p.tx, p.call, u, e, UserPatch{LicenceType: Some(p.run.Deed.LicenceType)}, UpdateOptions{}, "", nil)
}

func groupStep(mode GroupMode) func(context.Context, *deedPage, *User, *edit) error {
	return func(ctx context.Context, p *deedPage, u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		e.event = EventGroupsChanged
		return changeGroups(ctx, p.tx, p.call, u, e, []GroupChange{{Kind: p.group.Kind, Mode: mode, Groups: []GroupRef{{ID: p.group.ID}}}})
	}
}
