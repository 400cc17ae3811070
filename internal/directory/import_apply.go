package directory

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// importPage is one run of the transaction that writes a page.
type importPage struct {
	s         *Service
	tx        Tx
	call      *Call
	run       *BulkRun
	plan      *ImportPlan
	decisions []importDecision
	last      bool // the transaction runs a second time: no third one follows
	missing   *importMissing
	made      ImportMarks    // as earlier pages left them
	seen      map[int64]bool // users that rows of earlier pages were about, and marks of keys (importMark)
	verdicts  []RowVerdict
}

// errUndone takes a dry run's changes back.
var errUndone = errors.New("directory: a dry run changes nothing")

// write does what the decisions say and returns the verdicts. What a dry run does is
// undone, but for the seats that it counts out.
func (p *importPage) write(ctx context.Context) error {
	if !p.run.DryRun {
		return p.rows(ctx)
	}
	seats := map[string]int64{}
	err := p.tx.Try(ctx, func() error {
		if err := p.countSeats(ctx, seats, p.rows); err != nil {
			return err
		}
		return errUndone
	})
	if !errors.Is(err, errUndone) {
		return err
	}
	p.run.Marks.Seats = seats
	return nil
}

// rows writes the rows that can be written together first and then the others, one by
// one, each for itself.
func (p *importPage) rows(ctx context.Context) error {
	p.verdicts, p.made = make([]RowVerdict, len(p.plan.rows)), p.run.Marks
	if err := p.makeMissing(ctx); err != nil {
		return err
	}
	if err := p.readSeen(ctx); err != nil {
		return err
	}
	if err := p.load(ctx); err != nil {
		return err
	}
	for i := range p.plan.rows {
		if p.verdicts[i].Verdict != "" {
			continue
		}
		if err := p.row(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// verdict notes what became of a row.
func (p *importPage) verdict(at int, verdict Verdict, u *User, faults ...FieldError) {
	row := p.plan.rows[at]
	v := RowVerdict{Row: p.run.Done + int64(at) + 1, Line: row.record.Line, Verdict: verdict, Faults: faults, Name: row.title(u)}
	if u != nil && u.Tenant != 0 {
		v.User = u.Number
	}
	p.verdicts[at] = v
}

// load writes the new users of which nothing but number and seat is missing. Those
// whose licence has no free seat are refused.
func (p *importPage) load(ctx context.Context) error {
	if p.last {
		return nil
	}
	if err := p.clientsFree(ctx); err != nil {
		return err
	}
	var at []int
	for i := range p.decisions {
		d := &p.decisions[i]
		if d.load == nil {
			continue
		}
		if member := p.seenBefore(i); member != "" {
			p.verdict(i, RowConflict, nil, errSeen(member))
			continue
		}
		at = append(at, i)
	}
	loads := make([]UserLoad, len(at))
	for k, i := range at {
		loads[k] = *p.decisions[i].load
	}
	seated, err := p.seat(ctx, at, loads)
	if err != nil {
		return err
	}
	loads, at = pick(loads, seated), pick(at, seated)
	if len(loads) == 0 {
		return nil
	}
	if !p.run.DryRun {
		if err := p.number(ctx, loads); err != nil {
			return err
		}
		if err := p.tx.LoadUsers(ctx, p.run.Tenant, loads); err != nil {
			return err
		}
	}
	for k, i := range at {
		p.verdict(i, RowCreate, &loads[k].User)
		if p.run.DryRun {
			p.verdicts[i].User = said(p.plan.rows[i].record.Number)
		}
	}
	return nil
}

// clientsFree has the page decided about again if a page that was written since it was
// looked at made somebody of a client user id: of all keys by which rows find users
// that one is not refused by the database when it comes twice.
func (p *importPage) clientsFree(ctx context.Context) error {
	if p.plan.run.Done == p.run.Done || !slices.Contains(p.run.Import.match(), memberClientID) {
		return nil
	}
	var ids []string
	for i := range p.decisions {
		if load := p.decisions[i].load; load != nil && load.User.ClientUserID != "" {
			ids = append(ids, load.User.ClientUserID)
		}
	}
	users, err := p.tx.UsersByClientIDs(ctx, p.run.Tenant, ids)
	if err == nil && len(users) > 0 {
		err = ErrDuplicate
	}
	return err
}

// pick keeps the elements of a list at some places.
func pick[T any](list []T, places []int) []T {
	if len(places) == len(list) {
		return list
	}
	kept := make([]T, len(places))
	for i, at := range places {
		kept[i] = list[at]
	}
	return kept
}

// seat takes the seats of new users, and returns the places of those that have what
// they need. The others get their verdict.
func (p *importPage) seat(ctx context.Context, at []int, loads []UserLoad) ([]int, error) {
	wanting := map[string][]int{}
	seated := make([]int, 0, len(loads))
	for k := range loads {
		if u := &loads[k].User; holdsSeat(u) {
			wanting[u.LicenceType] = append(wanting[u.LicenceType], k)
		} else {
			seated = append(seated, k)
		}
	}
	for _, licence := range slices.Sorted(maps.Keys(wanting)) { // shards are locked in one order
		places := wanting[licence]
		seats, err := p.s.takeSeats(ctx, p.tx, p.run.Tenant, licence, len(places))
		if err != nil && !isRefused(err) {
			return nil, err
		}
		if err != nil && p.others() {
			return nil, ErrDuplicate // one by one, so that seats go to those who come first
		}
		for i, k := range places {
			if i < len(seats) {
				loads[k].User.Seat = seats[i]
				seated = append(seated, k)
				continue
			}
			verdict, faults := p.plan.rows[at[k]].record.refused(err)
			p.verdict(at[k], verdict, nil, faults...)
		}
	}
	slices.Sort(seated)
	return seated, nil
}

// others reports whether the page has rows that are done one by one.
func (p *importPage) others() bool {
	return slices.ContainsFunc(p.decisions, func(d importDecision) bool { return d.verdict == "" && d.load == nil })
}

// seatedBehind reports whether a row behind another one was written before it, with
// others, and has a seat.
func (p *importPage) seatedBehind(at int) bool {
	return slices.ContainsFunc(p.decisions[at+1:], func(d importDecision) bool { return d.load != nil && holdsSeat(&d.load.User) })
}

// takeSeats takes seats of a type, as many as there are; with fewer than count the
// error says why.
func (s *Service) takeSeats(ctx context.Context, tx Tx, t TenantNo, licence string, count int) ([]int, error) {
	seats, err := tx.TakeSeats(ctx, t, licence, count)
	if err != nil || len(seats) == count {
		return seats, err
	}
	// The pool may be missing, which is no limit.
	seat, err := takeSeat(ctx, tx, t, licence)
	if err != nil {
		return seats, err
	}
	seats = append(seats, seat)
	if len(seats) == count {
		return seats, nil
	}
	more, err := tx.TakeSeats(ctx, t, licence, count-len(seats))
	if seats = append(seats, more...); err == nil && len(seats) < count {
		err = Wrong(CodeExhausted, ReasonSeatExhausted, "No seat is free of licence type %s.", licence)
	}
	return seats, err
}

// number gives new users their numbers: those that they bring, and of the others
// numbers that follow each other.
func (p *importPage) number(ctx context.Context, loads []UserLoad) error {
	highest, drawn := int64(0), int64(0)
	for i := range loads {
		if n := loads[i].User.Number; n == 0 {
			drawn++
		} else {
			highest = max(highest, n)
		}
	}
	if highest != 0 {
		if err := p.tx.RaiseNumber(ctx, p.run.Tenant, NumberUser, highest); err != nil {
			return err
		}
	}
	next := int64(0)
	if drawn > 0 {
		var err error
		if next, err = p.tx.NextNumbers(ctx, p.run.Tenant, NumberUser, drawn); err != nil {
			return err
		}
		if next+drawn-1 > MaxNumber {
			return ErrDuplicate // one by one: who gets none is told so
		}
		p.run.Marks.noteMade(next, next+drawn-1)
	}
	for i := range loads {
		load := &loads[i]
		if load.User.Number == 0 {
			load.User.Number, next = next, next+1
		}
		load.Event.User = load.User.Number
		load.Password.User = load.User.Number
		load.Handles = slices.Clone(load.Handles) // the plan's own stay as they are
		for k := range load.Handles {
			load.Handles[k].User = load.User.Number
		}
	}
	return nil
}

// countSeats runs write after taking the seats that earlier pages of a dry run have
// counted out, and adds those that it takes to them.
func (p *importPage) countSeats(ctx context.Context, seats map[string]int64, write func(context.Context) error) error {
	for licence, n := range p.run.Marks.Seats {
		if _, err := p.tx.TakeSeats(ctx, p.run.Tenant, licence, int(n)); err != nil {
			return err
		}
	}
	before, err := usedSeats(ctx, p.tx, p.run.Tenant)
	if err != nil {
		return err
	}
	if err := write(ctx); err != nil {
		return err
	}
	after, err := usedSeats(ctx, p.tx, p.run.Tenant)
	for licence, n := range p.run.Marks.Seats {
		seats[licence] = n
	}
	for licence, n := range after {
		if taken := n - before[licence]; taken != 0 {
			seats[licence] = max(0, seats[licence]+taken)
		}
	}
	return err
}

// usedSeats is how many seats of each type are taken.
func usedSeats(ctx context.Context, r Reader, t TenantNo) (map[string]int64, error) {
	pools, err := r.Pools(ctx, t)
	used := make(map[string]int64, len(pools))
	for _, pool := range pools {
		used[pool.Type] = pool.Used
	}
	return used, err
}

// row does what one row says, or notes why it cannot be done.
func (p *importPage) row(ctx context.Context, at int) error {
	d := &p.decisions[at]
	switch {
	case d.verdict != "" && d.verdict != RowSkip:
		p.verdict(at, d.verdict, d.user, d.faults...)
		return nil
	case d.twin != 0 && p.verdicts[d.twin-1].done():
		p.verdict(at, RowConflict, d.user, rowFault(d.twinBy, ReasonImportTwice, "The row %d has the same %s.", p.verdicts[d.twin-1].Row, d.twinBy))
		return nil
	}
	if member := p.seenBefore(at); member != "" {
		p.verdict(at, RowConflict, d.user, errSeen(member))
		return nil
	}
	if d.verdict == RowSkip {
		p.verdict(at, RowSkip, d.user)
		return nil
	}
	var made importResult
	err := p.tx.Try(ctx, func() (err error) {
		made, err = p.do(ctx, at)
		return err
	})
	switch {
	case err == nil:
		p.verdict(at, made.verdict, &made.user)
		p.verdicts[at].Changed = made.changed
	case errors.Is(err, ErrDuplicate) && !p.last:
		return err // somebody took a key meanwhile: the run that follows names it
	case errors.Is(err, ErrDuplicate):
		p.verdict(at, RowConflict, d.user, rowFault("", ReasonWriteConflict, "Somebody else writes the same at this moment."))
	case !isRefused(err):
		return err
	case !p.last && IsReason(err, ReasonSeatExhausted) && p.seatedBehind(at):
		return ErrDuplicate
	default:
		verdict, faults := p.plan.rows[at].record.refused(err)
		p.verdict(at, verdict, d.user, faults...)
	}
	return nil
}

// done reports whether a row was done, or needed not be: another about the same user
// contradicts it.
func (v *RowVerdict) done() bool {
	return v.Verdict == RowCreate || v.Verdict == RowUpdate || v.Verdict == RowSkip
}

func errSeen(member string) FieldError {
	return rowFault(member, ReasonImportTwice, "An earlier row of the file has the same %s.", member)
}
