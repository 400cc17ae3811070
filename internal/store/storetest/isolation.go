package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var isolationChecks = []check{
	{"Two tenants hold the same numbers, ids, keys and names", isolationSame},
	{"Every look-up of a tenant is blind to the rows of another", isolationBlind},
	{"Every change of a tenant leaves another as it was", isolationWrites},
	{"A tenant's lists and totals count its own users only", isolationTotals},
	{"A credential of another tenant is not found", isolationCredential},
	{"Numbers of tenants are drawn apart", isolationNumbers},
	{"A tenant's seats are its own", isolationSeats},
	{"A tenant's jobs are its own", isolationJobs},
}

func isolationSame(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	s.populate("first")
	other.populate("second")
	if got := s.stored(1).Title; got != "first" {
		t.Errorf("the first tenant's user has title %q", got)
	}
	if got := other.stored(1).Title; got != "second" {
		t.Errorf("the second tenant's user has title %q", got)
	}
}

func isolationBlind(t *testing.T, s *sample) {
	s.populate("first")
	before := s.answers()
	other := newSample(t, s.store)
	s.view(func(r directory.Reader) error {
		for _, l := range lookups {
			if l.name == "Tenant" || l.name == "Company" || l.name == "CompanyByName" {
				continue // every sample has them
			}
			_, err := l.get(s.ctx, r, other.tenant)
			wantNotFound(t, l.name+" of an empty tenant beside a full one", err)
		}
		for _, l := range listings {
			v, err := l.get(s.ctx, r, other.tenant)
			if err != nil || (!isEmpty(v) && l.name != "Companies") {
				t.Errorf("%s of an empty tenant beside a full one: %v, error %v", l.name, v, err)
			}
		}
		return nil
	})
	other.populate("second")
	wantSame(t, "answers after another tenant was filled", s.answers(), before)
	for name, v := range other.answers() {
		if text := fmt.Sprintf("%v", v); containsAny(text, "first") {
			t.Errorf("%s of the second tenant shows a row of the first: %s", name, text)
		}
	}
}

// isEmpty reports whether an answer is zero or a list of nothing.
func isEmpty(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.IsZero() || (r.Kind() == reflect.Slice && r.Len() == 0)
}

func isolationWrites(t *testing.T, s *sample) {
	s.populate("first")
	other := newSample(t, s.store)
	other.populate("second")
	cred := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Credential, error) {
		return r.Credentials(ctx, s.tenant)
	})[0]
	s.update(func(tx directory.Tx) error {
		return tx.InsertToken(s.ctx, s.token("mine", directory.TokenAccess, 1))
	})
	before := s.answers()
	writes := other.everyWrite(cred.ID, s.session())
	maps.Copy(writes, other.treeWrites())
	for name, write := range writes {
		if err := other.try(write); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantSame(t, "the first tenant after "+name+" in the second", s.answers(), before)
	}
	s.view(func(r directory.Reader) error {
		_, err := r.AuthenticateToken(s.ctx, sum("mine"+s.session()), directory.TokenAccess)
		_, err2 := r.Credential(s.ctx, s.tenant, cred.ID)
		return errors.Join(err, err2)
	})
}

// everyWrite are changes of the tenant's rows under numbers and keys that
// another populated tenant has too. They are independent of each other.
func (s *sample) everyWrite(credential, session string) map[string]func(tx directory.Tx) error {
	ctx, no := s.ctx, s.tenant
	return map[string]func(tx directory.Tx) error{
		"UpdateUser": func(tx directory.Tx) error {
			return s.changeIn(tx, 1, func(u *directory.User) { u.Title, u.State = "Changed", directory.StateInactive })
		},
		"DeleteUser":     func(tx directory.Tx) error { return tx.DeleteUser(ctx, s.locked(tx, 2)) },
		"SetHandleKinds": func(tx directory.Tx) error { return tx.SetHandleKinds(ctx, no, s.handle("ada", 1)) },
		"DeleteHandle": func(tx directory.Tx) error {
			if err := tx.DeleteHandle(ctx, no, directory.SpaceLogin, "ada", 1); err != nil {
				return err
			}
			return tx.InsertHandle(ctx, no, s.handle("ada", 1))
		},
		"SetPassword": func(tx directory.Tx) error {
			return tx.SetPassword(ctx, no, directory.Password{User: 1, Hash: "changed", SetAt: noon})
		},
		"RemoveUserLocation": func(tx directory.Tx) error { _, err := tx.RemoveUserLocation(ctx, no, 1, 1); return err },
		"RemoveUserRole":     func(tx directory.Tx) error { _, err := tx.RemoveUserRole(ctx, no, 1); return err },
		"RemoveGroupMember":  func(tx directory.Tx) error { _, err := tx.RemoveGroupMember(ctx, no, 1, 1); return err },
		"SetGroupMember":     func(tx directory.Tx) error { _, err := tx.SetGroupMember(ctx, no, 1, 1, "changed", 9); return err },
		"EmptyGroup, UpdateGroup and DeleteGroup": func(tx directory.Tx) error {
			g := s.group(1, directory.GroupPlain, "Changed")
			_, err := tx.EmptyGroup(ctx, no, 1, 10)
			return errors.Join(err, tx.UpdateGroup(ctx, g), tx.DeleteGroup(ctx, no, 1), tx.InsertGroup(ctx, g))
		},
		"DeleteRole": func(tx directory.Tx) error { return tx.DeleteRole(ctx, no, 2) },
		"InsertHold and DeleteHold": func(tx directory.Tx) error {
			_, err := tx.InsertHold(ctx, no, s.hold(1, directory.HoldOpenOrders, "changed"))
			_, err2 := tx.DeleteHold(ctx, no, s.hold(1, directory.HoldLegal, "first"))
			return errors.Join(err, err2)
		},
		"UpdateLocation":   func(tx directory.Tx) error { return tx.UpdateLocation(ctx, s.location(1, 1, "Changed")) },
		"InsertSigningKey": func(tx directory.Tx) error { return tx.InsertSigningKey(ctx, s.signingKey("changed")) },
		"InsertImpersonation": func(tx directory.Tx) error {
			return tx.InsertImpersonation(ctx, directory.Impersonation{Tenant: no, ID: s.session(), Admin: 1, Target: 1, CreatedAt: noon})
		},
		"UpdateRole": func(tx directory.Tx) error {
			return tx.UpdateRole(ctx, directory.Role{Tenant: no, Number: 1, Key: "changed", Name: "Changed", Company: 1})
		},
		"UpdateLockReason and DeleteLockReason": func(tx directory.Tx) error {
			changed := directory.LockReason{Tenant: no, Number: 1, Company: 1, Name: "Changed"}
			return errors.Join(tx.UpdateLockReason(ctx, changed), tx.DeleteLockReason(ctx, no, 1))
		},
		"DeleteSession":       func(tx directory.Tx) error { return tx.DeleteSession(ctx, no, session) },
		"DeleteTokens":        func(tx directory.Tx) error { return tx.DeleteTokens(ctx, no, 1, directory.TokenAccess) },
		"DeleteExpiredTokens": func(tx directory.Tx) error { return tx.DeleteExpiredTokens(ctx, no, 1, 1<<60) },
		"UpdateTenant": func(tx directory.Tx) error {
			tenant, err := tx.LockTenant(ctx, no)
			tenant.Disabled = true
			return errors.Join(err, tx.UpdateTenant(ctx, tenant))
		},
		"SetSecondFactor and SpendRecoveryCode": func(tx directory.Tx) error {
			_, err := tx.SpendRecoveryCode(ctx, no, 1, sum("first"))
			return errors.Join(err, tx.SetSecondFactor(ctx, no, directory.SecondFactor{User: 1, Sealed: []byte("changed")}), tx.SetRecoveryCodes(ctx, no, 1, nil))
		},
		"DeleteSecondFactor": func(tx directory.Tx) error { _, err := tx.DeleteSecondFactor(ctx, no, 1); return err },
	}
}

// treeWrites are more of them, of companies and of what is not a user's.
func (s *sample) treeWrites() map[string]func(tx directory.Tx) error {
	ctx, no := s.ctx, s.tenant
	return map[string]func(tx directory.Tx) error{
		"SetPool":       func(tx directory.Tx) error { return tx.SetPool(ctx, no, "Full", 1) },
		"RaiseNumber":   func(tx directory.Tx) error { return tx.RaiseNumber(ctx, no, directory.NumberUser, 5000) },
		"InsertEvent":   func(tx directory.Tx) error { return tx.InsertEvent(ctx, newEvent(no, directory.EventUserUpdated)) },
		"UpdateCompany": func(tx directory.Tx) error { return tx.UpdateCompany(ctx, s.company(1, 0, "Changed")) },
		"DeleteLocation": func(tx directory.Tx) error {
			_, err := tx.RemoveUserLocation(ctx, no, 1, 1)
			return errors.Join(err, tx.DeleteLocation(ctx, no, 1), tx.InsertLocation(ctx, s.location(1, 1, "Again")))
		},
		"InsertAnswer and SweepAnswers": func(tx directory.Tx) error {
			a := s.answer("another")
			a.CreatedAt = past.AddDate(-2, 0, 0)
			err := tx.InsertAnswer(ctx, a)
			_, err2 := tx.SweepAnswers(ctx, past.AddDate(-1, 0, 0), 10)
			return errors.Join(err, err2)
		},
	}
}

func isolationTotals(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	for number := int64(1); number <= 5; number++ {
		s.addUser(number)
		other.addUser(number)
	}
	other.addUser(6)
	for _, c := range []struct {
		s    *sample
		want int64
	}{{s, 5}, {other, 6}} {
		if got := c.s.total(0, directory.LivingStates); got != c.want {
			t.Errorf("tenant total %d, want %d", got, c.want)
		}
		if got := c.s.total(1, directory.LivingStates); got != c.want {
			t.Errorf("company total %d, want %d", got, c.want)
		}
	}
}

func isolationCredential(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	cred := s.credential("isolated")
	s.update(func(tx directory.Tx) error { return tx.InsertCredential(s.ctx, cred) })
	s.view(func(r directory.Reader) error {
		_, err := r.Credential(s.ctx, other.tenant, cred.ID)
		wantNotFound(t, "another tenant's credential", err)
		return nil
	})
	// The outcome is free, the row is not.
	_ = s.try(func(tx directory.Tx) error { return tx.DeleteCredential(s.ctx, other.tenant, cred.ID) })
	s.view(func(r directory.Reader) error {
		_, err := r.Credential(s.ctx, s.tenant, cred.ID)
		return err
	})
}

func isolationNumbers(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	s.update(func(tx directory.Tx) error { return tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, 1_000_000) })
	if got := other.draw(directory.NumberUser); got > 1_000_000 {
		t.Errorf("drew %d after another tenant's counter was raised", got)
	}
}

func isolationSeats(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	s.setPool("Full", 2)
	other.setPool("Full", 1)
	if got := other.takeAll("Full", 5); got != 1 {
		t.Errorf("took %d seats of a pool of 1", got)
	}
	wantSame(t, "pool of the first tenant", s.pool("Full"), directory.Pool{Type: "Full", Total: 2, Version: 1})
}

func isolationJobs(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	mine := s.job("mine", 0)
	theirs := mine
	theirs.Tenant = other.tenant
	s.addPlain(1)
	other.addPlain(1)
	s.addJobs(mine, theirs)
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, other.locked(tx, 1)) })
	leased := s.claimAt("me", 0, 5)
	wantSame(t, "jobs after another tenant's user was erased", leased, []directory.Job{claimed(mine, "me", 0)})
	stolen := leased[0]
	stolen.Tenant = other.tenant
	s.wantHeld("CloseJob of the other tenant", false, func(tx directory.Tx) (bool, error) { return tx.CloseJob(s.ctx, stolen, directory.JobDone, "", noon) })
	s.wantHeld("CloseJob", true, func(tx directory.Tx) (bool, error) { return tx.CloseJob(s.ctx, leased[0], directory.JobDone, "", noon) })
}
