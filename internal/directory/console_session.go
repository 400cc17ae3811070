package directory

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"
)

// Lifetimes of a sign-in that is not complete.
const (
	// ChallengeLifetime is how long a person has for the next step of signing in.
	ChallengeLifetime = 5 * time.Minute
	// EnrolmentLifetime is the same where an authenticator app must be set up first.
	EnrolmentLifetime = 15 * time.Minute
)

// keepAwakeAfter is how much later a console session's end must be to be moved: a
// session in use costs one write a minute.
const keepAwakeAfter = time.Minute

// SignInStep is what a sign-in at the console waits for.
type SignInStep string

// The steps of signing in after the password, in their order.
const (
	StepDone SignInStep = "done"
	// StepCode asks for a code of the second factor, or a recovery code.
	StepCode SignInStep = "code"
	// StepPassword asks for a new password in the place of a temporary one.
	StepPassword SignInStep = "password"
	// StepEnrol asks for a second factor, which the tenant wants and the person has not.
	StepEnrol SignInStep = "enrol"
)

// ConsoleSignIn is how far a sign-in at the console has come.
type ConsoleSignIn struct {
	Step SignInStep
	// Challenge is what the next step brings; "" when there is none. It is sealed and
	// good for nothing else.
	Challenge Secret
	// Token is the session's where Step is StepDone; shown only here.
	Token     Secret
	ExpiresAt time.Time // of the challenge, or of the session if nobody uses it
	User      User
	// Enrolment is the second factor to set up where Step is StepEnrol.
	Enrolment Enrolment
	// RecoveryCodes are those of a second factor that was made on the way; shown only
	// here.
	RecoveryCodes []string
}

// challenge is what a sign-in has proved so far: the password, and Factor.
type challenge struct {
	Tenant  TenantNo `json:"t"`
	User    int64    `json:"u"`
	Epoch   int64    `json:"e"`
	Expires int64    `json:"x"` // microseconds since 1970
	Factor  bool     `json:"f,omitempty"`
}

const challengePurpose = "console sign-in"

// maxChallenge bounds a challenge in characters: those of usher are far below it.
const maxChallenge = 1 << 10

func (s *Service) sealChallenge(c challenge) (Secret, error) {
	sealed, err := s.cursors.Seal(challengePurpose, asJSON(c))
	return Secret(base64.RawURLEncoding.EncodeToString(sealed)), err
}

// openChallenge reads a challenge that this directory made and that has time left.
// Errors: sign_in.expired.
func (s *Service) openChallenge(text Secret) (challenge, error) {
	if len(text) > maxChallenge {
		return challenge{}, errChallenge()
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil {
		return challenge{}, errChallenge()
	}
	plain, err := s.cursors.Open(challengePurpose, sealed)
	var c challenge
	if err != nil || json.Unmarshal(plain, &c) != nil || s.now().UnixMicro() >= c.Expires {
		return challenge{}, errChallenge()
	}
	return c, nil
}

func errChallenge() error {
	return Wrong(CodeUnauthenticated, ReasonSignInExpired, "This sign-in has taken too long or was interrupted. Sign in again.")
}

// consoleIdle and consoleSession are the limits of a console session.
func (s *Settings) consoleIdle() time.Duration {
	if s.ConsoleIdleMinutes > 0 {
		return time.Duration(s.ConsoleIdleMinutes) * time.Minute
	}
	return DefaultConsoleIdleMinutes * time.Minute
}

func (s *Settings) consoleSession() time.Duration {
	if s.ConsoleSessionHours > 0 {
		return time.Duration(s.ConsoleSessionHours) * time.Hour
	}
	return DefaultConsoleSessionHours * time.Hour
}

// consoleEnd is when a console session ends that is used now and no more.
func (s *Settings) consoleEnd(created, now time.Time) time.Time {
	idle, last := now.Add(s.consoleIdle()), created.Add(s.consoleSession())
	if last.Before(idle) {
		return last
	}
	return idle
}

// newConsoleToken draws the token of a console session that begins now.
func (s *Service) newConsoleToken(u *User, settings *Settings) (Secret, Token, error) {
	pair, tokens, err := s.newTokens(s.now(), u, "", DoorConsole, s.opts.NewID())
	if err != nil {
		return "", Token{}, err
	}
	token := tokens[0]
	token.ExpiresAt = settings.consoleEnd(token.CreatedAt, token.CreatedAt)
	return Secret(pair.Access), token, nil
}

// keepAwake moves the end of a console session that is used, never beyond its
// absolute limit, which it enforces: a tenant may have shortened it.
func (s *Service) keepAwake(ctx context.Context, call *Call) error {
	token, now := call.console, s.now()
	if !now.Before(token.CreatedAt.Add(call.Settings.consoleSession())) {
		return Wrong(CodeUnauthenticated, ReasonCredentialExpired, "The session has expired.")
	}
	until := call.Settings.consoleEnd(token.CreatedAt, now)
	if call.Unattended || until.Sub(token.ExpiresAt) < min(keepAwakeAfter, call.Settings.consoleIdle()/4) {
		return nil
	}
	// The session is good until its present end, whether this succeeds or not.
	_ = s.store.Update(ctx, func(tx Tx) error { return tx.ExtendToken(ctx, token.Hash, until) })
	return nil
}

// admitConsole notes the session that a call at the console presents and, where the
// person acts as another, makes that one the actor. The token for that is good only
// beside the session of the administrator whom it names: by itself it would be a way
// around the second factor, since other doors give such tokens for a password.
func (s *Service) admitConsole(ctx context.Context, call *Call, auth *Authentication) error {
	token := auth.Token
	call.console = &token
	if call.Acting == "" {
		return nil
	}
	other, claims, err := s.verifySigned(ctx, call, call.Acting)
	if err != nil {
		return err
	}
	if claims.Actor == nil || claims.Actor.User != token.User || other.Tenant != auth.Tenant {
		return errCredential()
	}
	return s.admitSigned(ctx, call, &other, claims)
}
