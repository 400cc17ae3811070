package directory

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

// Enrolment is a second factor that somebody is setting up. Nothing of it is kept until
// a first code was right.
type Enrolment struct {
	Seed Secret // as people type it into an app: base32
	URL  Secret // the same as a QR code holds it: otpauth://totp/...
	// Sealed is what confirming brings; good for this person, until ExpiresAt.
	Sealed    Secret
	ExpiresAt time.Time
}

// SecondFactorStatus is what people may know of somebody's second factor.
type SecondFactorStatus struct {
	Present   bool
	CreatedAt time.Time
	// Recovery is the number of recovery codes that are left.
	Recovery int
	// Required says that the tenant asks one of this person.
	Required bool
}

// enrolment is what Enrolment.Sealed holds.
type enrolment struct {
	Seed    []byte `json:"s"`
	Expires int64  `json:"x"` // microseconds since 1970
}

// enrolmentPurpose binds an enrolment to a person, and to what that person was when it
// began.
func enrolmentPurpose(u *User) string { return factorPurpose(u.Tenant, u.Number) + " enrolment" }

// newEnrolment draws a seed for a person who has none.
func (s *Service) newEnrolment(call *Call, u *User) (Enrolment, error) {
	seed := make([]byte, factorSeedBytes)
	rand.Read(seed) // never fails (crypto/rand)
	sealed, err := s.opts.Sealer.Seal(enrolmentPurpose(u), asJSON(enrolment{Seed: seed, Expires: s.now().Add(EnrolmentLifetime).UnixMicro()}))
	if err != nil {
		return Enrolment{}, err
	}
	return s.readEnrolment(call, u, Secret(base64.RawURLEncoding.EncodeToString(sealed)))
}

// readEnrolment opens what newEnrolment sealed. Errors: second_factor.enrolment.
func (s *Service) readEnrolment(call *Call, u *User, text Secret) (Enrolment, error) {
	expired := Wrong(CodeConflict, ReasonFactorEnrolment, "Setting up the second factor has taken too long. Begin again.")
	if len(text) > maxChallenge {
		return Enrolment{}, expired
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil {
		return Enrolment{}, expired
	}
	var e enrolment
	plain, err := s.opts.Sealer.Open(enrolmentPurpose(u), sealed)
	if err != nil && !isSealError(err) {
		return Enrolment{}, err
	}
	if err != nil || json.Unmarshal(plain, &e) != nil || len(e.Seed) != factorSeedBytes || s.now().UnixMicro() >= e.Expires {
		return Enrolment{}, expired
	}
	url, err := factorURL(e.Seed, call.tenant.Name, u.UserName)
	return Enrolment{Seed: Secret(factorEncoding.EncodeToString(e.Seed)), URL: Secret(url), Sealed: text, ExpiresAt: time.UnixMicro(e.Expires).UTC()}, err
}

// confirmFactor keeps a second factor once a first code of it is right, and makes its
// recovery codes. A wrong code returns the enrolment as it was shown.
func (s *Service) confirmFactor(ctx context.Context, call *Call, u *User, sealed Secret, code string) ([]string, Enrolment, error) {
	shown, err := s.readEnrolment(call, u, sealed)
	if err != nil {
		return nil, Enrolment{}, err
	}
	if retry, ok := s.logins.Allow(u.Tenant, factorPurpose(u.Tenant, u.Number), call.Addr); !ok {
		return nil, Enrolment{}, TooManyLogins(retry)
	}
	seed, err := factorEncoding.DecodeString(string(shown.Seed))
	if err != nil {
		return nil, Enrolment{}, err
	}
	step, right, err := matchCode(seed, plainCode(code), s.now(), 0)
	if err != nil {
		return nil, Enrolment{}, err
	}
	if !right {
		return nil, shown, errCode()
	}
	kept, err := s.opts.Sealer.Seal(factorPurpose(u.Tenant, u.Number), seed)
	if err != nil {
		return nil, Enrolment{}, err
	}
	codes, hashes := newRecoveryCodes()
	err = s.store.Update(ctx, func(tx Tx) error {
		current, err := tx.LockUser(ctx, u.Tenant, u.Number)
		if err != nil || current.AuthEpoch != u.AuthEpoch || !current.Usable(s.now()) {
			return orError(err, errCredential())
		}
		if _, err := tx.SecondFactor(ctx, u.Tenant, u.Number); !errors.Is(err, ErrNotFound) {
			return orError(err, errFactorThere())
		}
		if err := tx.SetSecondFactor(ctx, u.Tenant, SecondFactor{User: u.Number, Sealed: kept, CreatedAt: s.now(), LastStep: step, Rank: current.Rank}); err != nil {
			return err
		}
		if err := tx.SetRecoveryCodes(ctx, u.Tenant, u.Number, hashes); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventFactorEnabled, onUser(u), "", &changes{})
	})
	if err != nil {
		return nil, Enrolment{}, err
	}
	call.Changed = true
	return codes, Enrolment{}, nil
}

func errCode() error {
	return Wrong(CodeUnauthenticated, ReasonFactorWrong, "The code is not right, or it has been used already. Wait for the next one.")
}

func errFactorThere() error {
	return Wrong(CodeConflict, ReasonFactorThere, "There is a second factor already. Remove it first.")
}

func errNoFactor() error {
	return Wrong(CodeNotFound, ReasonFactorNotFound, "There is no second factor.")
}

// spendCode verifies a code of a person's second factor, or a recovery code, which are
// good once. Errors: second_factor.wrong_code; limit.logins; secret_key.missing.
func (s *Service) spendCode(ctx context.Context, call *Call, u *User, text string) error {
	if retry, ok := s.logins.Allow(u.Tenant, factorPurpose(u.Tenant, u.Number), call.Addr); !ok {
		return TooManyLogins(retry)
	}
	code := plainCode(text)
	var refusal error
	err := s.store.Update(ctx, func(tx Tx) (err error) {
		refusal = nil
		current, err := tx.LockUser(ctx, u.Tenant, u.Number)
		if err != nil || current.AuthEpoch != u.AuthEpoch || !current.Usable(s.now()) {
			return orError(err, errChallenge())
		}
		f, err := tx.SecondFactor(ctx, u.Tenant, u.Number)
		if err != nil {
			return orError(err, errNoFactor())
		}
		if isRecoveryCode(code) {
			refusal, err = s.spendRecovery(ctx, tx, call, u, code)
		} else {
			refusal, err = s.spendStep(&f, u, code)
		}
		if err != nil || CodeOf(refusal) == CodeRateLimited {
			return err
		}
		if f.FailedAt, f.Failures = s.now(), f.Failures+1; refusal == nil {
			f.FailedAt, f.Failures, f.Rank = time.Time{}, 0, max(f.Rank, current.Rank)
		}
		return tx.SetSecondFactor(ctx, u.Tenant, f)
	})
	if err != nil || refusal == nil {
		return err
	}
	if CodeOf(refusal) == CodeUnauthenticated {
		if err := s.countFailure(ctx, call, u); err != nil {
			return err
		}
	}
	return refusal
}

// spendStep verifies a code of the app and notes its step.
func (s *Service) spendStep(f *SecondFactor, u *User, code string) (refusal, err error) {
	if wait := f.waits(s.now()); wait > 0 {
		return TooManyLogins(wait), nil
	}
	if !isAppCode(code) {
		return errCode(), nil
	}
	seed, err := s.opts.Sealer.Open(factorPurpose(u.Tenant, u.Number), f.Sealed)
	if isSealError(err) {
		s.opts.Logger.Warn("a second factor cannot be opened: its person can sign in by a recovery code only", "tenant", u.Tenant, "user", u.Number, "error", err)
		err = errNoSecretKey()
	}
	if err != nil {
		return nil, err
	}
	step, ok, err := matchCode(seed, code, s.now(), f.LastStep)
	if err != nil {
		return nil, err
	}
	if !ok {
		return errCode(), nil
	}
	f.LastStep = step
	return nil, nil
}

// spendRecovery takes a recovery code away, with an event in the person's name.
func (s *Service) spendRecovery(ctx context.Context, tx Tx, call *Call, u *User, code string) (refusal, err error) {
	spent, err := tx.SpendRecoveryCode(ctx, u.Tenant, u.Number, hashOf(code))
	if err != nil || !spent {
		return errCode(), err
	}
	theirs := *call
	theirs.Actor = personOf(u)
	return nil, s.record(ctx, tx, &theirs, EventRecoveryUsed, onUser(u), "", &changes{})
}

// askFactor is the second factor of a sign-in that is one request: code is asked for
// of who has one, and who must have one and has none is refused, since it cannot be
// set up there. Errors: second_factor.required, second_factor.missing and those of
// spendCode.
func (s *Service) askFactor(ctx context.Context, call *Call, u *User, code Secret) error {
	step, err := s.stepOf(ctx, call.Settings, u, false)
	switch {
	case err != nil:
		return err
	case step == StepEnrol:
		return Wrong(CodeUnauthenticated, ReasonFactorMissing, "This account needs a second factor. Sign in at the console to set it up.")
	case step != StepCode:
		return nil
	case code == "":
		return Wrong(CodeUnauthenticated, ReasonFactorRequired, "A code of the second factor is required.")
	}
	return s.spendCode(ctx, call, u, string(code))
}

// proveAgain asks a person who has signed in for the password, or for a code of the
// second factor, whichever the text has the form of. Errors: second_factor.wrong_code
// or password.wrong on proof; limit.logins.
func (s *Service) proveAgain(ctx context.Context, call *Call, u *User, proof Secret) error {
	code := plainCode(string(proof))
	if isAppCode(code) || isRecoveryCode(code) {
		err := s.spendCode(ctx, call, u, string(proof))
		if !IsReason(err, ReasonFactorWrong) {
			return err
		}
		if isAppCode(code) { // whose password is six digits has the app
			return Invalid("proof", ReasonFactorWrong, "%s", AsError(err).Message)
		}
	}
	return s.provePassword(ctx, call, u, proof, "proof")
}

// BeginSecondFactor makes the seed of a second factor for the caller, who gives the
// password again. Errors: password.wrong on proof; second_factor.present;
// secret_key.missing; forbidden to callers who are no person.
func (s *Service) BeginSecondFactor(ctx context.Context, call *Call, password Secret) (Enrolment, error) {
	u, err := s.enterPerson(ctx, call, ActSecondFactor)
	if err != nil {
		return Enrolment{}, err
	}
	err = s.store.Read(ctx, func(r Reader) error {
		_, err := r.SecondFactor(ctx, u.Tenant, u.Number)
		return err
	})
	if !errors.Is(err, ErrNotFound) {
		return Enrolment{}, orError(err, errFactorThere())
	}
	if err := s.provePassword(ctx, call, &u, password, "proof"); err != nil {
		return Enrolment{}, err
	}
	return s.newEnrolment(call, &u)
}

// ConfirmSecondFactor gives the caller the second factor of BeginSecondFactor, by a
// first code of the app, and returns its recovery codes, which are shown only here.
// When the code is not right, again is the enrolment as it was. Errors:
// second_factor.wrong_code on code; second_factor.enrolment; second_factor.present.
func (s *Service) ConfirmSecondFactor(ctx context.Context, call *Call, sealed, code Secret) (codes []string, again Enrolment, err error) {
	u, err := s.enterPerson(ctx, call, ActSecondFactor)
	if err != nil {
		return nil, Enrolment{}, err
	}
	codes, again, err = s.confirmFactor(ctx, call, &u, sealed, string(code))
	if IsReason(err, ReasonFactorWrong) {
		err = Invalid("code", ReasonFactorWrong, "%s", AsError(err).Message)
	}
	return codes, again, err
}

// NewRecoveryCodes replaces the caller's recovery codes, by the password or a code.
// Errors as for RemoveSecondFactor of one's own.
func (s *Service) NewRecoveryCodes(ctx context.Context, call *Call, proof Secret) ([]string, error) {
	u, err := s.enterPerson(ctx, call, ActSecondFactor)
	if err != nil {
		return nil, err
	}
	if err := s.proveAgain(ctx, call, &u, proof); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	err = s.store.Update(ctx, func(tx Tx) error {
		current, err := tx.LockUser(ctx, u.Tenant, u.Number)
		if err != nil || current.AuthEpoch != u.AuthEpoch {
			return orError(err, errCredential())
		}
		if _, err := tx.SecondFactor(ctx, u.Tenant, u.Number); err != nil {
			return orError(err, errNoFactor())
		}
		if err := tx.SetRecoveryCodes(ctx, u.Tenant, u.Number, hashes); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventRecoveryMade, onUser(&u), "", &changes{})
	})
	if err != nil {
		return nil, err
	}
	call.Changed = true
	return codes, nil
}

// RemoveSecondFactor removes a second factor with its recovery codes: the caller's own,
// by the password or a code as proof, or that of a person of lower rank, who has lost
// it. The server's operator removes anybody's. Errors: user.not_found; rank.too_low;
// second_factor.not_found; password.wrong and second_factor.wrong_code on proof.
func (s *Service) RemoveSecondFactor(ctx context.Context, call *Call, ref UserRef, proof Secret) error {
	if err := s.enter(ctx, call, ActSecondFactor); err != nil {
		return err
	}
	var target User
	err := s.store.View(ctx, func(r Reader) (err error) {
		target, err = s.find(ctx, r, call, ref)
		return err
	})
	if err == nil {
		err = call.mayRemoveFactor(&target)
	}
	if err == nil && call.Actor.owns(ActSecondFactor, &target) {
		err = s.proveAgain(ctx, call, &target, proof)
	}
	if err != nil {
		return err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		u, err := s.lockTarget(ctx, tx, call, ActSecondFactor, ByNumber(target.Number))
		if err != nil {
			return err
		}
		if err := call.If.check(u.Version); err != nil {
			return err
		}
		f, err := tx.SecondFactor(ctx, u.Tenant, u.Number)
		if err != nil {
			return orError(err, errNoFactor())
		}
		was := u
		was.Rank = max(u.Rank, f.Rank)
		if err := call.mayRemoveFactor(&was); err != nil {
			return err
		}
		there, err := tx.DeleteSecondFactor(ctx, u.Tenant, u.Number)
		if err != nil || !there {
			return orError(err, errNoFactor())
		}
		return s.record(ctx, tx, call, EventFactorRemoved, onUser(&u), "", &changes{})
	})
	call.Changed = err == nil
	return err
}

// mayRemoveFactor decides whether the caller may take a person's second factor away:
// an administrator that of another could do so in turn, and the two would be worth what
// one password is.
func (c *Call) mayRemoveFactor(target *User) error {
	if err := c.Actor.mayTouch(ActSecondFactor, target); err != nil {
		return err
	}
	if c.trusted || c.Actor.owns(ActSecondFactor, target) || target.Rank < c.Actor.Rank {
		return nil
	}
	return Wrong(CodeForbidden, ReasonRankTooLow, "The second factor can be removed by its person, or by somebody of a higher rank.")
}

// SecondFactorOf tells whether a user has a second factor. Errors: user.not_found.
func (s *Service) SecondFactorOf(ctx context.Context, call *Call, ref UserRef) (SecondFactorStatus, error) {
	if err := s.enter(ctx, call, ActSignOut); err != nil {
		return SecondFactorStatus{}, err
	}
	var status SecondFactorStatus
	err := s.store.View(ctx, func(r Reader) error {
		u, err := s.find(ctx, r, call, ref)
		if err != nil {
			return err
		}
		status, err = factorStatus(ctx, r, call.Settings, &u)
		return err
	})
	return status, err
}

func factorStatus(ctx context.Context, r Reader, settings *Settings, u *User) (SecondFactorStatus, error) {
	status := SecondFactorStatus{Required: settings.factorRequired(u.Rank)}
	f, err := r.SecondFactor(ctx, u.Tenant, u.Number)
	if err != nil {
		return status, orError(err, nil)
	}
	left, err := r.RecoveryCodes(ctx, u.Tenant, u.Number)
	status.Present, status.CreatedAt, status.Recovery = true, f.CreatedAt, int(left)
	return status, err
}
