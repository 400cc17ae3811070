package directory

import (
	"context"
	"crypto/rand"
	"time"
)

// maxSigningKeys is how many of a tenant's newest keys are looked at for one
// that can sign. A second one is there for a day or two after a new one was
// made; more of them mean that servers do not have the same secret key.
const maxSigningKeys = 8

// signingKey is the key that signs the tenant's tokens: the newest that opens.
// It is made when it is first needed, when the newest is too old, and when the
// secret key that sealed it is lost. Nothing of it is kept: what is taken away
// in the database is gone.
func (s *Service) signingKey(ctx context.Context, t TenantNo) (kid string, key []byte, err error) {
	var list []SigningKey
	err = s.store.Read(ctx, func(r Reader) (err error) {
		list, err = r.SigningKeys(ctx, t, maxSigningKeys)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	if kid, key, err = s.chooseSigningKey(list); err == nil && key == nil {
		kid, key, err = s.makeSigningKey(ctx, t)
	}
	return kid, key, err
}

// chooseSigningKey is the first key that opens and is not too old to sign; none
// is no error.
func (s *Service) chooseSigningKey(list []SigningKey) (kid string, key []byte, err error) {
	for i := range list {
		if !s.now().Before(list[i].CreatedAt.Add(SigningKeyLifetime)) {
			break // and so are all that follow
		}
		key, err := s.openSigningKey(&list[i])
		if !isSealError(err) {
			return list[i].ID, key, err
		}
	}
	return "", nil, nil
}

// openSigningKey unseals a key. One that does not open is logged, once by each
// process, since every call with a token of it comes here.
func (s *Service) openSigningKey(k *SigningKey) ([]byte, error) {
	key, err := s.opts.Sealer.Open(signingPurpose(k.ID), k.Sealed)
	if isSealError(err) {
		if _, known := s.lostKeys.LoadOrStore(k.ID, true); !known {
			s.opts.Logger.Warn("a signing key cannot be opened: tokens that it signed are invalid, and another key signs",
				"tenant", k.Tenant, "key", k.ID, "error", err)
		}
	}
	return key, err
}

// makeSigningKey makes a key of a tenant that has none that can sign. Of several
// that try, the first makes it and the others find it.
func (s *Service) makeSigningKey(ctx context.Context, t TenantNo) (kid string, key []byte, err error) {
	bits := make([]byte, 32)
	rand.Read(bits) // never fails (crypto/rand)
	made := SigningKey{Tenant: t, ID: s.opts.NewID()}
	if made.Sealed, err = s.opts.Sealer.Seal(signingPurpose(made.ID), bits); err != nil {
		return "", nil, err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockTenant(ctx, t); err != nil {
			return err
		}
		list, err := tx.SigningKeys(ctx, t, maxSigningKeys)
		if err != nil {
			return err
		}
		if kid, key, err = s.chooseSigningKey(list); err != nil || key != nil {
			return err
		}
		next := made
		next.CreatedAt = s.now()
		if len(list) > 0 && !next.CreatedAt.After(list[0].CreatedAt) {
			// Of another process, whose clock is ahead: the new key is the newest.
			next.CreatedAt = list[0].CreatedAt.Add(time.Microsecond)
		}
		kid, key = next.ID, bits
		return tx.InsertSigningKey(ctx, next)
	})
	if err != nil {
		return "", nil, err
	}
	return kid, key, nil
}
