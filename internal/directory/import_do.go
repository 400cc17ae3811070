package directory

import (
	"context"
	"errors"
	"slices"
)

// importResult is what doing a row came to.
type importResult struct {
	verdict Verdict
	user    User
	changed []string
}

// do does one row inside of the transaction.
func (p *importPage) do(ctx context.Context, at int) (importResult, error) {
	row, d := p.plan.rows[at], &p.decisions[at]
	if err := p.missing.refusal(row.record); err != nil {
		return importResult{}, err
	}
	switch {
	case row.record.Undo != "":
		return p.undo(ctx, row, d)
	case d.user != nil:
		return p.update(ctx, row, d)
	}
	if row.password != "" && d.fresh.hash == "" && !p.run.DryRun {
		// There was somebody when passwords were hashed.
		return importResult{}, Wrong(CodeConflict, ReasonWriteConflict, "Somebody else changed the user at this moment.")
	}
	u, err := p.s.insertNew(ctx, p.tx, p.call, d.fresh)
	return importResult{verdict: RowCreate, user: u}, err
}

// update makes a user what its row says.
func (p *importPage) update(ctx context.Context, row *importRow, d *importDecision) (importResult, error) {
	if said(row.record.Status) == StateDeleted {
		return p.change(ctx, ActDelete, d.user.Number, func(u *User, e *edit) error {
			return p.s.step(ctx, p.tx, u, e, VerbDelete)
		})
	}
	return p.change(ctx, ActUpdateUser, d.user.Number, func(u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		return p.apply(ctx, row, u, e, p.secretOf(row))
	})
}

// change changes a user for a row.
func (p *importPage) change(ctx context.Context, action Action, number int64, fn func(u *User, e *edit) error) (importResult, error) {
	var fields FieldSet
	u, wrote, err := p.s.changeIn(ctx, p.tx, p.call, action, ByNumber(number), func(u *User, e *edit) error {
		e.changed = func(set FieldSet) { fields = set }
		return fn(u, e)
	})
	if !wrote {
		return importResult{verdict: RowSkip, user: u}, err
	}
	return importResult{verdict: RowUpdate, user: u, changed: fields.names()}, err
}

// names are the names of the fields of a set, in their order.
func (s FieldSet) names() []string {
	var names []string
	for f := FieldID; f < fieldCount; f++ {
		if s.Has(f) {
			names = append(names, f.String())
		}
	}
	return names
}

// importSecret is what a row makes of its user's password.
type importSecret struct {
	change bool
	hash   string // "" in a dry run, which makes none
}

func (p *importPage) secretOf(row *importRow) importSecret {
	if hash := string(said(row.record.PasswordHash)); hash != "" {
		return importSecret{change: true, hash: hash}
	}
	made := p.plan.passwords[row.at]
	return importSecret{change: row.password != "" && !made.same, hash: made.hash}
}

// apply edits a user as its row says. Everything that is wrong is reported at once.
func (p *importPage) apply(ctx context.Context, row *importRow, u *User, e *edit, secret importSecret) error {
	before, fields, rules := *u, row.patch(u), DoorRules{All: true}
	fields.State = setTo(row.record.Status)
	bad := applyPatch(p.call, u, &fields)
	e.event = EventUserUpdated
	e.claim = !p.run.Import.SharedEmail && u.Email != before.Email
	if err := setCompany(ctx, p.tx, p.call, u, &before, &fields, &bad); err != nil {
		return err
	}
	row.record.setExtras(u)
	if err := p.s.attach(ctx, p.tx, p.call, u, e, &fields, rules, &bad); err != nil {
		return err
	}
	rules.demand(&before, u, &bad)
	if err := p.s.settleState(ctx, p.tx, p.call, u, e, &fields, rules, &bad); err != nil {
		return err
	}
	if err := bad.gather(row.attach(ctx, p.tx, p.call, u, e), FieldNone); err != nil {
		return err
	}
	if err := p.applyPassword(ctx, row, &before, u, e, secret); err != nil {
		return err
	}
	u.MustChangePassword = setTo(row.record.MustChangePassword).or(u.MustChangePassword)
	e.seat = u.LicenceType != before.LicenceType || u.State != before.State
	e.newEmail = u.Email != before.Email || !before.EmailClaimed && fields.Email.Set
	e.handles = e.newEmail || !keepsHandles(&before, u)
	e.endSession = e.endSession || u.Usable(p.s.now()) != before.Usable(p.s.now())
	if e.newEmail {
		if err := claimEmail(ctx, p.tx, u, e.claim); err != nil {
			return err
		}
	}
	return p.s.verdict(ctx, p.tx, &before, u, rules, bad)
}

// applyPassword gives a user the password of its row, if it has another one. What
// counts is the rank before the row as well: it may take the role that protects.
func (p *importPage) applyPassword(ctx context.Context, row *importRow, before, u *User, e *edit, secret importSecret) error {
	if !secret.change {
		return nil
	}
	held, err := passwordOf(ctx, p.tx, u)
	if err != nil || held.Hash == secret.hash && secret.hash != "" {
		return err
	}
	allowed := *p.call
	if err := allowed.permit(ActSetPassword); err != nil {
		return err
	}
	for _, target := range []*User{before, u} {
		if err := p.call.Actor.mayTouch(ActSetPassword, target); err != nil {
			return err
		}
	}
	p.s.exchangePassword(ctx, u, e, secret.hash, said(row.record.Temporary))
	if e.event == EventUserUpdated {
		e.event = EventPasswordSet
	}
	return nil
}

// passwordOf reads a user's password; one without a hash is none.
func passwordOf(ctx context.Context, r Reader, u *User) (Password, error) {
	held, err := r.Password(ctx, u.Tenant, u.Number)
	if errors.Is(err, ErrNotFound) {
		return Password{}, nil
	}
	return held, err
}

// undo takes back what an import did to a user, unless somebody changed it since.
func (p *importPage) undo(ctx context.Context, row *importRow, d *importDecision) (importResult, error) {
	same := func(u *User) error {
		if u.Version != said(row.record.Version) {
			return Wrong(CodeConflict, ReasonVersionMismatch, "The user was changed since: it has version %d.", u.Version)
		}
		return nil
	}
	number := d.user.Number
	if row.record.Undo == undoDelete {
		return p.change(ctx, ActDelete, number, func(u *User, e *edit) error {
			if err := same(u); err != nil {
				return err
			}
			return p.s.step(ctx, p.tx, u, e, VerbDelete)
		})
	}
	var restored importResult
	if d.user.State == StateDeleted {
		var err error
		restored, err = p.change(ctx, ActRestore, number, func(u *User, e *edit) error {
			if err := same(u); err != nil {
				return err
			}
			return p.s.step(ctx, p.tx, u, e, VerbRestore)
		})
		if err != nil {
			return importResult{}, err
		}
	}
	result, err := p.change(ctx, ActUpdateUser, number, func(u *User, e *edit) error {
		if restored.verdict == "" {
			if err := same(u); err != nil {
				return err
			}
		}
		return p.apply(ctx, row, u, e, p.secretOf(row))
	})
	if err == nil && restored.verdict == RowUpdate {
		result.verdict = RowUpdate
		result.changed = append(restored.changed, slices.DeleteFunc(result.changed, func(name string) bool { return slices.Contains(restored.changed, name) })...)
	}
	return result, err
}
