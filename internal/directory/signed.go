package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Limits of signed tokens.
const (
	// maxSignedText is the most bytes of one that is looked at: those of
	// usher are far below it.
	maxSignedText = 8 << 10
	// signedLeeway is how far the clocks of two processes may be apart.
	signedLeeway = 60 * time.Second
	// maxClaimRunes bounds the names in a token, which is sent with every call.
	maxClaimRunes = 100
)

// signedClaims are the claims of a signed token (RFC 7519; exp, iat, name and
// email as docs/dialects/servicemobility.md 2.2 has them). Times are seconds.
type signedClaims struct {
	IssuedAt      int64        `json:"iat"`
	NotBefore     int64        `json:"nbf,omitempty"`
	ExpiresAt     int64        `json:"exp"`
	Subject       string       `json:"sub"` // user name
	Name          string       `json:"name,omitempty"`
	Email         string       `json:"email,omitempty"`
	Tenant        string       `json:"tid"`
	User          int64        `json:"uid"` // number
	Epoch         int64        `json:"epo"`
	ID            string       `json:"jti"`
	Actor         *signedActor `json:"act,omitempty"` // RFC 8693 section 4.1: who acts as the subject
	Impersonation string       `json:"imp,omitempty"` // id of the leave to do so
	Factor        bool         `json:"fac,omitempty"` // made in a session for which a second factor was asked of who has one
}

// signedActor is who acts as the subject of a token.
type signedActor struct {
	Subject string `json:"sub"`
	User    int64  `json:"uid"`
	Epoch   int64  `json:"epo"`
}

// claimsFor are the claims of a token for a user.
func claimsFor(u *User, tenant *Tenant, id string, now time.Time, life time.Duration) signedClaims {
	return signedClaims{IssuedAt: now.Unix(), ExpiresAt: now.Add(life).Unix(), Subject: u.UserName, Name: cutRunes(fullName(u), maxClaimRunes),
		Email: u.Email, Tenant: tenant.ID, User: u.Number, Epoch: u.AuthEpoch, ID: id}
}

// cutRunes is the beginning of a text.
func cutRunes(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

// isSignedText reports whether a secret has the form of a signed token (RFC 7515
// section 3.1): three parts with dots between, of which the first is a JSON
// object in base64url.
func isSignedText(secret string) bool {
	return strings.HasPrefix(secret, "eyJ") && strings.Count(secret, ".") == 2
}

// sign writes a token with a key of the tenant.
func sign(kid string, key []byte, claims *signedClaims) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader(jose.HeaderKey("kid"), kid))
	if err != nil {
		return "", fmt.Errorf("directory: signing key %s: %w", kid, err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("directory: signing with key %s: %w", kid, err)
	}
	return text, nil
}

// give signs a token for somebody, whose first use is not a stranger's.
func (s *Service) give(kid string, key []byte, claims *signedClaims) (string, error) {
	text, err := sign(kid, key, claims)
	if err == nil {
		s.strangers.Recognise("", Secret(text))
	}
	return text, err
}

// parseSigned reads a token that names its key, and the claims that it says it
// has. Errors: credential.invalid.
func parseSigned(text string) (*jwt.JSONWebToken, *signedClaims, error) {
	if len(text) > maxSignedText {
		return nil, nil, errCredential()
	}
	// Only this one algorithm: "none" and keys of other kinds never match it.
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil || len(token.Headers) != 1 || token.Headers[0].KeyID == "" {
		return nil, nil, errCredential()
	}
	unverified := &signedClaims{}
	if err := token.UnsafeClaimsWithoutVerification(unverified); err != nil {
		return nil, nil, errCredential()
	}
	return token, unverified, nil
}

// proveSigned verifies a signed token and what has become since of the user whom it
// names.
func (s *Service) proveSigned(ctx context.Context, call *Call) (version int64, err error) {
	auth, claims, err := s.verifySigned(ctx, call, call.Secret)
	if err != nil {
		return 0, err
	}
	if call.Door == DoorCanonical && !claims.Factor {
		if err := s.factorAsked(ctx, call, &auth, claims); err != nil {
			return 0, err
		}
	}
	return auth.TenantVersion, s.admitSigned(ctx, call, &auth, claims)
}

// verifySigned verifies a signed token: the key and the user that it names in one
// statement, the signature, the times. What it says before its signature was verified
// decides only what is looked up.
func (s *Service) verifySigned(ctx context.Context, call *Call, text Secret) (Authentication, *signedClaims, error) {
	var auth Authentication
	token, claims, err := parseSigned(string(text))
	if err != nil {
		return auth, nil, err
	}
	err = s.store.Read(ctx, func(r Reader) (err error) {
		auth, err = r.AuthenticateSigned(ctx, token.Headers[0].KeyID, claims.User)
		return err
	})
	if err != nil {
		return auth, nil, err
	}
	key, err := s.openSigningKey(&auth.Key)
	if isSealError(err) {
		return auth, nil, errCredential() // whoever has the token must sign in again
	}
	if err != nil {
		return auth, nil, err
	}
	if err := token.Claims(key); err != nil { // verifies what claims were read from
		return auth, nil, errCredential()
	}
	call.found = true
	if err := checkTimes(claims, s.now()); err != nil {
		return auth, nil, err
	}
	return auth, claims, openDoor(call, &auth)
}

// admitSigned makes the user of a signed token the actor, if the user may still act.
func (s *Service) admitSigned(ctx context.Context, call *Call, auth *Authentication, claims *signedClaims) error {
	if claims.Epoch != auth.User.AuthEpoch || !auth.User.Usable(s.now()) {
		return errCredential()
	}
	call.Actor = personOf(&auth.User)
	call.Actor.signed, call.Actor.renewal = true, auth.User.MustChangePassword
	call.Actor.ends = time.Unix(claims.ExpiresAt, 0)
	if claims.Actor != nil || claims.Impersonation != "" {
		return s.actAs(ctx, call, claims, &auth.User)
	}
	return nil
}

// factorAsked refuses a token that was given for a password alone, where the canonical
// door would have asked for a second factor, or for setting one up: of the person whose
// password it was.
func (s *Service) factorAsked(ctx context.Context, call *Call, auth *Authentication, claims *signedClaims) error {
	number := auth.User.Number
	if claims.Actor != nil {
		number = claims.Actor.User
	}
	needed := true
	err := s.store.View(ctx, func(r Reader) error {
		if _, err := r.SecondFactor(ctx, auth.Tenant, number); !errors.Is(err, ErrNotFound) {
			return err
		}
		tenant, err := r.Tenant(ctx, auth.Tenant)
		if err != nil {
			return err
		}
		person, err := r.UserByNumber(ctx, auth.Tenant, number)
		needed = tenant.Settings.factorRequired(person.Rank)
		return err
	})
	if err == nil && !needed {
		return nil
	}
	return orError(err, Wrong(CodeUnauthenticated, ReasonFactorRequired, "The token was given without a second factor. Sign in at this door."))
}

// checkTimes refuses a token before and after its time.
func checkTimes(c *signedClaims, now time.Time) error {
	if now.Unix() >= c.ExpiresAt {
		return Wrong(CodeUnauthenticated, ReasonCredentialExpired, "The token has expired.")
	}
	if latest := now.Add(signedLeeway).Unix(); c.IssuedAt > latest || c.NotBefore > latest {
		return errCredential()
	}
	return nil
}

// actAs decides whether an administrator may still act as a user: the leave is
// there and has time left, and neither person has changed since.
func (s *Service) actAs(ctx context.Context, call *Call, claims *signedClaims, target *User) error {
	call.Actor.acted, call.Actor.renewal, call.Actor.leave = true, false, claims.Impersonation
	if claims.Actor == nil {
		return errCredential()
	}
	var admin User
	var leave Impersonation
	err := s.store.View(ctx, func(r Reader) (err error) {
		if leave, err = r.Impersonation(ctx, claims.Impersonation); err != nil {
			return err
		}
		admin, err = r.UserByNumber(ctx, target.Tenant, claims.Actor.User)
		return err
	})
	if err != nil {
		return err
	}
	now := s.now()
	if leave.Tenant != target.Tenant || leave.Admin != admin.Number || leave.Target != target.Number || !now.Before(leave.ExpiresAt) ||
		claims.Actor.Epoch != admin.AuthEpoch || mayImpersonate(&admin, target, now) != nil {
		return errCredential()
	}
	call.Actor.OnBehalfOf = personOf(&admin).Name
	return nil
}

// mayImpersonate decides whether a person may act as another, as both are now.
func mayImpersonate(admin, target *User, now time.Time) error {
	if !admin.Usable(now) || admin.MustChangePassword {
		return errLogin()
	}
	if admin.Rank < RankAdministrator || target.Rank > admin.Rank {
		return Wrong(CodeForbidden, ReasonRankTooLow, "The administrator's rank is too low to act as this user.")
	}
	return nil
}

// signingPurpose binds a sealed key to its id.
func signingPurpose(kid string) string { return "signing key " + kid }
