package directory

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// SecondFactor is what a person proves besides the password: the seed of time-based
// codes (TOTP, RFC 6238).
type SecondFactor struct {
	User      int64
	Sealed    []byte // the seed
	CreatedAt time.Time
	LastStep  int64     // time step of the last code that was taken: none is good twice
	Failures  int       // wrong codes in a row
	FailedAt  time.Time // of the last one
	// Rank is the highest that the person had when it proved the factor. Who removes it
	// must be above that: a rank that was taken for the purpose protects no more.
	Rank Rank
}

// The codes of a second factor: what every authenticator app can do (RFC 6238
// section 4, RFC 4226 section 5.3).
const (
	codeDigits = 6
	codePeriod = 30 // seconds
	// codeSkew is how many steps a clock may be away (RFC 6238 section 6).
	codeSkew = 1
	// factorSeedBytes is the length of a seed: that of the HMAC's output (RFC 4226
	// section 4, R6).
	factorSeedBytes = 20
	// RecoveryCodes is how many recovery codes a person gets.
	RecoveryCodes = 10
	// recoveryBytes is the length of a recovery code: too much to be found by trying,
	// even by who has the hashes.
	recoveryBytes = 10
)

// Wrong codes in a row. The limiter of sign-ins counts in each process and forgets;
// this is kept, since who tries codes knows the password.
const (
	freeFailures = 5 // until somebody has to wait
	firstPause   = time.Minute
	longestPause = time.Hour
)

// pause is how long after the last wrong code the next is looked at.
func (f *SecondFactor) pause() time.Duration {
	if f.Failures < freeFailures {
		return 0
	}
	return min(firstPause<<min(f.Failures-freeFailures, 10), longestPause)
}

// waits is how long a code of the app must still wait; 0 for not at all. A last
// failure in the future is of a clock that was wrong.
func (f *SecondFactor) waits(now time.Time) time.Duration {
	since := now.Sub(f.FailedAt)
	if pause := f.pause(); since >= 0 && since < pause {
		return pause - since
	}
	return 0
}

// factorPurpose binds a sealed seed to its user.
func factorPurpose(t TenantNo, number int64) string {
	return fmt.Sprintf("second factor %d %d", t, number)
}

var factorEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// factorURL is a seed as authenticator apps read it from a QR code (Key URI Format:
// otpauth://totp/issuer:account?secret=...).
func factorURL(seed []byte, tenant, account string) (string, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "usher " + tenant, AccountName: account, Secret: seed, Period: codePeriod,
		Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", fmt.Errorf("directory: second factor: %w", err)
	}
	return key.URL(), nil
}

// matchCode finds the time step whose code a text is, among those that may be meant now
// and come after the last one that was taken. All are compared, whichever is right.
func matchCode(seed []byte, code string, now time.Time, last int64) (step int64, ok bool, err error) {
	secret := factorEncoding.EncodeToString(seed)
	present := now.Unix() / codePeriod
	for s := present - codeSkew; s <= present+codeSkew; s++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(s), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, fmt.Errorf("directory: second factor: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > last {
			step, ok = s, true
		}
	}
	return step, ok, nil
}

// plainCode is a code without what people put between its characters, and in the
// letters of base32.
func plainCode(text string) string {
	if len(text) > 64 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\t':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, text)
}

// isAppCode reports whether a plain code has the form of an authenticator app's.
func isAppCode(code string) bool {
	return len(code) == codeDigits && !strings.ContainsFunc(code, func(r rune) bool { return r < '0' || r > '9' })
}

// isRecoveryCode reports whether a plain code has the form of a recovery code.
func isRecoveryCode(code string) bool {
	return len(code) == factorEncoding.EncodedLen(recoveryBytes) && !strings.ContainsFunc(code, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '2' || r > '7')
	})
}

// newRecoveryCodes draws recovery codes, as people are shown them, with the hashes
// that are kept.
func newRecoveryCodes() (codes []string, hashes [][]byte) {
	for range RecoveryCodes {
		bits := make([]byte, recoveryBytes)
		rand.Read(bits) // never fails (crypto/rand)
		plain := factorEncoding.EncodeToString(bits)
		hashes = append(hashes, hashOf(plain))
		lower := strings.ToLower(plain)
		codes = append(codes, lower[0:4]+"-"+lower[4:8]+"-"+lower[8:12]+"-"+lower[12:16])
	}
	return codes, hashes
}

// factorRequired reports whether a tenant asks a second factor of a person of a rank.
func (s *Settings) factorRequired(rank Rank) bool {
	switch s.SecondFactor {
	case SecondFactorAll:
		return true
	case SecondFactorAdministrators:
		return rank >= RankAdministrator
	}
	return false
}
