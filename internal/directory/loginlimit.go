package directory

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// Default limits of sign-in attempts a minute, each with a burst of the same
// size: what a person who mistypes needs, and an office behind one address.
const (
	DefaultLoginsPerAccount = 10
	DefaultLoginsPerAddress = 100
)

// trackedKeys bounds how many accounts and how many addresses are remembered.
// An entry that is dropped because there are more starts anew with its full
// burst, so filling the table gains an attacker less than the addresses that
// it takes are worth.
const trackedKeys = 65_536

// LoginLimits are the limits of sign-in attempts in attempts a minute. A zero
// member takes its default.
type LoginLimits struct {
	PerAccount int
	PerAddress int
}

// LoginLimiter limits sign-in attempts by account and by address of the
// client, so that passwords cannot be guessed and hashing cannot be used up.
// It comes before a hash slot (docs/decisions/0004). It counts per process and
// remembers a bounded number of keys. It is safe for concurrent use.
type LoginLimiter struct {
	now       func() time.Time
	accounts  *otter.Cache[accountKey, *rate.Limiter]
	addresses *otter.Cache[string, *rate.Limiter]
	limits    LoginLimits
}

// accountKey is a tenant and a digest of the account's folded name: texts of
// clients have any length, keys in memory have one.
type accountKey struct {
	tenant  TenantNo
	account [sha256.Size]byte
}

// NewLoginLimiter makes a LoginLimiter; now is the clock.
func NewLoginLimiter(limits LoginLimits, now func() time.Time) *LoginLimiter {
	if limits.PerAccount <= 0 {
		limits.PerAccount = DefaultLoginsPerAccount
	}
	if limits.PerAddress <= 0 {
		limits.PerAddress = DefaultLoginsPerAddress
	}
	return &LoginLimiter{now: now, limits: limits,
		accounts:  otter.Must(&otter.Options[accountKey, *rate.Limiter]{MaximumSize: trackedKeys}),
		addresses: otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: trackedKeys})}
}

// Allow counts one attempt for an account (its folded name, whether it exists
// or not) from an address and reports whether it may go on; if not, retryAfter
// is how long until the next may. A refused attempt counts against nothing, so
// that an address that is refused cannot lock the account. "" stands for no
// address and is not limited by address.
func (l *LoginLimiter) Allow(tenant TenantNo, account, addr string) (retryAfter time.Duration, ok bool) {
	_, retryAfter, ok = l.Attempt(tenant, account, addr)
	return retryAfter, ok
}

// Attempt is Allow for programs, which sign in as often as they are run: one
// that turns out to know the secret calls succeeded, and has cost nothing.
func (l *LoginLimiter) Attempt(tenant TenantNo, account, addr string) (succeeded func(), retryAfter time.Duration, ok bool) {
	now := l.now()
	var address *rate.Reservation
	if addr != "" {
		limiter, _ := l.addresses.ComputeIfAbsent(addressKey(addr), perMinute(l.limits.PerAddress))
		if address, retryAfter = take(limiter, now); address == nil {
			return nil, retryAfter, false
		}
	}
	key := accountKey{tenant, sha256.Sum256([]byte(account))}
	limiter, _ := l.accounts.ComputeIfAbsent(key, perMinute(l.limits.PerAccount))
	taken, retryAfter := take(limiter, now)
	giveBack := func() {
		for _, r := range []*rate.Reservation{address, taken} {
			if r != nil {
				r.CancelAt(now) // as of then: a reservation of the past is not given back
			}
		}
	}
	if taken == nil {
		giveBack()
		return nil, retryAfter, false
	}
	return giveBack, 0, true
}

// take takes one token that is there now; without one it takes none and tells
// when the next comes.
func take(limiter *rate.Limiter, now time.Time) (*rate.Reservation, time.Duration) {
	// A reservation of the future that is cancelled does not always give back
	// all that it took (rate.Reservation.CancelAt), so none is made.
	if tokens := limiter.TokensAt(now); tokens < 1 {
		return nil, time.Duration((1 - tokens) / float64(limiter.Limit()) * float64(time.Second))
	}
	r := limiter.ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 { // another attempt took it meanwhile
		r.CancelAt(now)
		return nil, wait
	}
	return r, 0
}

func perMinute(n int) func() (*rate.Limiter, bool) {
	return func() (*rate.Limiter, bool) {
		return rate.NewLimiter(rate.Every(time.Minute/time.Duration(n)), n), false
	}
}

// TooManyLogins is the error for a refused attempt.
func TooManyLogins(retryAfter time.Duration) *Error {
	e := Wrong(CodeRateLimited, ReasonTooManyLogins, "Too many sign-in attempts. Try again later.")
	e.Retry = retryAfter
	return e
}

// addressKey is what counts as one client: an IPv4 address, or the /64 network
// of an IPv6 address, which is what one customer gets (RFC 6177). Other texts
// count as one client each, cut to a bounded length.
func addressKey(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return addr[:min(len(addr), maxAddressText)]
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil { // cannot be: every IPv6 address has 64 bits to mask
		return ip.String()
	}
	return network.String()
}

// maxAddressText is longer than any address text (INET6_ADDRSTRLEN is 46).
const maxAddressText = 64
