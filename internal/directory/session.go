package directory

import "time"

// Lifetimes of what signs people in, besides the OAuth tokens.
const (
	// SessionLifetime is how long an idle cookie session lives
	// (docs/dialects/edubrite.md 2.2).
	SessionLifetime = 12 * time.Hour
	// SignedTokenLifetime is how long a signed token is good
	// (docs/dialects/servicemobility.md 2.2).
	SignedTokenLifetime = 24 * time.Hour
	// ImpersonationLifetime is how long one person may act as another.
	ImpersonationLifetime = time.Hour
	// ResetLifetime is how long a reset token is good.
	ResetLifetime = 24 * time.Hour
	// SigningKeyLifetime is how long a key signs; what it signed stays good.
	SigningKeyLifetime = 90 * 24 * time.Hour
)

// SessionPair is a cookie session: two opaque texts that are valid only
// together. The second is shown only here.
type SessionPair struct {
	ID   string
	Info string
}

// Secret is the pair as a call presents it.
func (p SessionPair) Secret() Secret { return Secret(p.ID + "\n" + p.Info) }

// SigningKey signs a tenant's tokens. It is kept sealed.
type SigningKey struct {
	Tenant    TenantNo
	ID        string // kid of the tokens it signed
	Sealed    []byte
	CreatedAt time.Time
}

// Impersonation is one person's leave to act as another.
type Impersonation struct {
	Tenant    TenantNo
	ID        string // jti of the token
	Admin     int64
	Target    int64
	CreatedAt time.Time
	ExpiresAt time.Time
}

// isTokenText reports whether a secret has the form of a token: 32 lower-case
// hexadecimal digits, as the vendor's sample shows (docs/dialects/iqmetrix.md 2.2).
func isTokenText(secret string) bool {
	if len(secret) != 32 {
		return false
	}
	for i := range len(secret) {
		c := secret[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
