package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// meanwhile is a store in which something else happens between a transaction's
// look at a pool that is not there and what the transaction does about it.
type meanwhile struct {
	directory.Store
	do func() error
}

func (m *meanwhile) Update(ctx context.Context, fn func(directory.Tx) error) error {
	return m.Store.Update(ctx, func(tx directory.Tx) error { return fn(&meanwhileTx{tx, m}) })
}

type meanwhileTx struct {
	directory.Tx
	store *meanwhile
}

func (t *meanwhileTx) Pool(ctx context.Context, no directory.TenantNo, licenceType string) (directory.Pool, error) {
	p, err := t.Tx.Pool(ctx, no, licenceType)
	if do := t.store.do; errors.Is(err, directory.ErrNotFound) && do != nil {
		t.store.do = nil
		err = errors.Join(err, do())
	}
	return p, err
}

// TestLimitSetDuringTheFirstActivationIsKept: the first activation of a licence
// type makes an unlimited pool, and must not undo a limit that an administrator
// has set since it looked.
func TestLimitSetDuringTheFirstActivationIsKept(t *testing.T) {
	db := open(t, postgresDSN(t), store.Options{})
	svc := directory.New(db, directory.Options{})
	tenant, err := svc.CreateTenant(t.Context(), directory.System(0, "test"), directory.Tenant{Name: "limited"}, directory.Company{})
	if err != nil {
		t.Fatal(err)
	}
	racing := directory.New(&meanwhile{Store: db, do: func() error {
		_, err := svc.SetPool(t.Context(), directory.System(tenant.No, "test"), "Full", 1)
		return err
	}}, directory.Options{})
	create := func(name string) error {
		_, err := racing.CreateUser(t.Context(), directory.System(tenant.No, "test"), directory.NewUser{
			Fields: directory.UserPatch{UserName: directory.Some(name), LicenceType: directory.Some("Full")}})
		return err
	}
	if err := create("first"); err != nil {
		t.Fatal(err)
	}
	if err := create("second"); !directory.IsReason(err, directory.ReasonSeatExhausted) {
		t.Errorf("a second user of a pool of one: %v, want %s", err, directory.ReasonSeatExhausted)
	}
	pools, err := svc.Pools(t.Context(), directory.System(tenant.No, "test"))
	if err != nil || len(pools) != 1 || pools[0].Total != 1 || pools[0].Used != 1 {
		t.Errorf("pools %+v (%v), want one seat of one used", pools, err)
	}
}
