package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// makeReset makes a reset token for a user, which the caller is handed and so
// must be allowed to set that user's password. The token ends with the
// credential that the caller came with. The transaction has locked the user.
// Errors: forbidden; user.deleted.
func (s *Service) makeReset(ctx context.Context, tx Tx, call *Call, u *User) (ResetToken, error) {
	allowed := *call
	if err := allowed.permit(ActReset); err != nil {
		return ResetToken{}, err
	}
	return s.newReset(ctx, tx, call, u, call.Actor.through)
}

// newReset makes a reset token that ends with a credential; "" for none.
func (s *Service) newReset(ctx context.Context, tx Tx, call *Call, u *User, client string) (ResetToken, error) {
	if err := call.If.check(u.Version); err != nil {
		return ResetToken{}, err
	}
	if err := living(u); err != nil {
		return ResetToken{}, err
	}
	if err := call.Actor.mayTouch(ActSetPassword, u); err != nil {
		return ResetToken{}, err
	}
	bits := make([]byte, 32)
	rand.Read(bits) // never fails (crypto/rand)
	reset := ResetToken{Token: base64.RawURLEncoding.EncodeToString(bits), ExpiresAt: s.now().Add(ResetLifetime)}
	if until := call.Actor.until; client != "" && !until.IsZero() && until.Before(reset.ExpiresAt) {
		reset.ExpiresAt = until
	}
	if err := tx.DeleteExpiredTokens(ctx, u.Tenant, u.Number, s.now().UnixMicro()); err != nil {
		return ResetToken{}, err
	}
	sum := sha256.Sum256([]byte(reset.Token))
	err := tx.InsertToken(ctx, Token{Tenant: u.Tenant, Hash: sum[:], Session: s.opts.NewID(), Kind: TokenReset, User: u.Number,
		Client: client, Door: call.Door, Epoch: u.AuthEpoch, CreatedAt: s.now(), ExpiresAt: reset.ExpiresAt})
	if err != nil {
		return ResetToken{}, err
	}
	return reset, s.record(ctx, tx, call, EventResetMade, onUser(u), "", &changes{})
}

func errReset() error {
	return Wrong(CodeUnauthenticated, ReasonResetInvalid, "The link is not valid: it was used, has expired or was replaced.")
}
