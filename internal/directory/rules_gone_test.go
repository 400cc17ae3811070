package directory_test

import (
	"context"
	"errors"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// vanishing is a store in which what a transaction has just looked up is gone
// when it is changed, as when somebody else was faster on PostgreSQL.
type vanishing struct{ directory.Store }

func (s vanishing) Update(ctx context.Context, fn func(directory.Tx) error) error {
	return s.Store.Update(ctx, func(tx directory.Tx) error { return fn(vanishingTx{tx}) })
}

type vanishingTx struct{ directory.Tx }

func (t vanishingTx) LockReason(ctx context.Context, no directory.TenantNo, number int64) (directory.LockReason, error) {
	reason, err := t.Tx.LockReason(ctx, no, number)
	return reason, errors.Join(err, t.Tx.DeleteLockReason(ctx, no, number))
}

func (t vanishingTx) Credential(ctx context.Context, no directory.TenantNo, id string) (directory.Credential, error) {
	c, err := t.Tx.Credential(ctx, no, id)
	return c, errors.Join(err, t.Tx.DeleteCredential(ctx, no, id))
}

// Of two that delete the same thing the slower is told that it is not there,
// and not that the server failed.
func TestRulesGoneMeanwhileIsNotFound(t *testing.T) {
	f := newFixture(t)
	svc := directory.New(vanishing{f.store}, directory.Options{Now: f.clock.now})
	reason := f.lockReason(f.root)
	key, _, err := f.svc.CreateKey(f.ctx, f.sys(), directory.NewCredential{Name: "gone", Rank: readerRank})
	check(t, err)
	changed := reason
	changed.Description = "Changed."
	_, err = svc.UpdateLockReason(f.ctx, f.sys(), changed)
	wantError(t, err, directory.CodeNotFound, directory.ReasonLockReasonNotFound)
	err = svc.DeleteLockReason(f.ctx, f.sys(), f.root, reason.Number)
	wantError(t, err, directory.CodeNotFound, directory.ReasonLockReasonNotFound)
	err = svc.RevokeCredential(f.ctx, f.sys(), key.ID)
	wantError(t, err, directory.CodeNotFound, directory.ReasonCredentialNotFound)
}
