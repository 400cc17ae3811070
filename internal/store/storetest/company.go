package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var companyChecks = []check{
	{"A company's fields round trip", companyRoundTrip},
	{"CompanyByName finds the folded name", companyByName},
	{"A company name is unique in its tenant", companyNameTaken},
	{"Companies lists in order of number after a number", companiesPage},
	{"CompanyByID finds a company of its tenant", companyByID},
	{"A lock reason's fields round trip", lockReasonRoundTrip},
	{"LockReasons lists a company's own reasons", lockReasonsOwn},
	{"LockReasonByName finds within its company", lockReasonByName},
	{"DeleteLockReason erases it and locks that name it stay", lockReasonDelete},
}

func companyRoundTrip(t *testing.T, s *sample) {
	child := s.company(2, 1, "Ünïted & Sons")
	child.Website, child.Metadata, child.Version = "https://x.example", `{"zone": 7, "list":[1,2.50]}`, 4
	wantNoZero(t, child)
	s.update(func(tx directory.Tx) error { return tx.InsertCompany(s.ctx, child) })
	s.view(func(r directory.Reader) error {
		got, err := r.Company(s.ctx, s.tenant, 2)
		wantSame(t, "Company", got, child)
		root, err2 := r.Company(s.ctx, s.tenant, 1)
		wantSame(t, "root", root, s.companies[1])
		return errors.Join(err, err2)
	})
}

func companyByName(t *testing.T, s *sample) {
	c := s.addCompany(2, 1, "ÉCOLE Réunie")
	s.view(func(r directory.Reader) error {
		got, err := r.CompanyByName(s.ctx, s.tenant, directory.NameKey("ÉCOLE Réunie"))
		wantSame(t, "CompanyByName", got, c)
		_, err2 := r.CompanyByName(s.ctx, s.tenant, directory.NameKey("ÉCOLE Réunies"))
		wantNotFound(t, "a longer name", err2)
		return err
	})
}

func companyByID(t *testing.T, s *sample) {
	c, other := s.addCompany(2, 1, "Acme"), newSample(t, s.store)
	s.view(func(r directory.Reader) error {
		got, err := r.CompanyByID(s.ctx, s.tenant, c.ID)
		wantSame(t, "CompanyByID", got, c)
		_, err2 := r.CompanyByID(s.ctx, other.tenant, c.ID)
		wantNotFound(t, "another tenant's company", err2)
		_, err2 = r.CompanyByID(s.ctx, s.tenant, "")
		wantNotFound(t, "the empty id", err2)
		return err
	})
}

func companyNameTaken(t *testing.T, s *sample) {
	s.addCompany(2, 1, "Acme")
	err := s.try(func(tx directory.Tx) error { return tx.InsertCompany(s.ctx, s.company(3, 1, "ACME")) })
	wantConflict(t, "a company of the same folded name", err)
}

func companiesPage(t *testing.T, s *sample) {
	s.addTree()
	page := func(after int64, limit int) []int64 {
		list := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Company, error) {
			return r.Companies(ctx, s.tenant, after, limit)
		})
		var numbers []int64
		for _, c := range list {
			wantSame(t, "company in the list", c, s.companies[c.Number])
			numbers = append(numbers, c.Number)
		}
		return numbers
	}
	wantSame(t, "all", page(0, 100), []int64{1, 2, 3, 4, 5, 6})
	wantSame(t, "first two", page(0, 2), []int64{1, 2})
	wantSame(t, "next two", page(2, 2), []int64{3, 4})
	wantSame(t, "after the last", page(6, 2), nil)
}

func (s *sample) lockReason(number, company int64, name string) directory.LockReason {
	return directory.LockReason{Tenant: s.tenant, Number: number, Company: company, Name: name, Description: "About " + name, Version: 1}
}

func lockReasonRoundTrip(t *testing.T, s *sample) {
	r1 := s.lockReason(1, 1, "Vacation")
	wantNoZero(t, r1)
	s.update(func(tx directory.Tx) error { return tx.InsertLockReason(s.ctx, r1) })
	s.wantLockReason(r1)
	r1.Name, r1.Description = "Congé", ""
	s.update(func(tx directory.Tx) error { return tx.UpdateLockReason(s.ctx, r1) })
	s.wantLockReason(r1)
	s.view(func(r directory.Reader) error {
		got, err := r.LockReasonByName(s.ctx, s.tenant, 1, directory.NameKey("CONGÉ"))
		wantSame(t, "LockReasonByName", got, r1)
		_, err2 := r.LockReasonByName(s.ctx, s.tenant, 1, directory.NameKey("Vacation"))
		wantNotFound(t, "the former name", err2)
		return err
	})
}

func (s *sample) wantLockReason(want directory.LockReason) {
	s.t.Helper()
	got := look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.LockReason, error) {
		return r.LockReason(ctx, s.tenant, want.Number)
	})
	wantSame(s.t, "LockReason", got, want)
}

func lockReasonsOwn(t *testing.T, s *sample) {
	s.addTree()
	a, b, c := s.lockReason(9, 1, "B"), s.lockReason(3, 1, "A"), s.lockReason(5, 2, "A")
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertLockReason(s.ctx, a), tx.InsertLockReason(s.ctx, b), tx.InsertLockReason(s.ctx, c))
	})
	for company, want := range map[int64][]directory.LockReason{1: {b, a}, 2: {c}, 3: nil} {
		got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.LockReason, error) {
			return r.LockReasons(ctx, s.tenant, company)
		})
		wantSame(t, "LockReasons", got, want)
	}
}

func lockReasonByName(t *testing.T, s *sample) {
	s.addTree()
	s.update(func(tx directory.Tx) error { return tx.InsertLockReason(s.ctx, s.lockReason(1, 1, "Vacation")) })
	err := s.try(func(tx directory.Tx) error { return tx.InsertLockReason(s.ctx, s.lockReason(2, 1, "VACATION")) })
	wantConflict(t, "a second reason of the name", err)
	other := s.lockReason(3, 1, "Holiday")
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertLockReason(s.ctx, s.lockReason(2, 2, "VACATION")), tx.InsertLockReason(s.ctx, other))
	})
	other.Name = "vacation"
	err = s.try(func(tx directory.Tx) error { return tx.UpdateLockReason(s.ctx, other) })
	wantConflict(t, "a reason renamed to the name", err)
}

func lockReasonDelete(t *testing.T, s *sample) {
	s.update(func(tx directory.Tx) error { return tx.InsertLockReason(s.ctx, s.lockReason(7, 1, "Vacation")) })
	s.addUser(1, func(u *directory.User) { u.Locked, u.LockReason = true, 7 })
	s.update(func(tx directory.Tx) error { return tx.DeleteLockReason(s.ctx, s.tenant, 7) })
	s.view(func(r directory.Reader) error {
		_, err := r.LockReason(s.ctx, s.tenant, 7)
		wantNotFound(t, "the deleted reason", err)
		return nil
	})
	if u := s.stored(1); !u.Locked || u.LockReason != 7 {
		t.Errorf("the lock is now %t with reason %d, want it kept", u.Locked, u.LockReason)
	}
}
