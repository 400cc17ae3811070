package directory

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// Limits of sign-in attempts: what a person who mistypes needs, and little
// more for whoever guesses.
const (
	accountAttempts = 10  // per minute and account
	addressAttempts = 100 // per minute and client address
	limiterEntries  = 100_000
)

// LoginLimiter bounds sign-in attempts per account and per address, in this
// process. Memory is bounded: the entries used least are forgotten first.
type LoginLimiter struct {
	attempts *otter.Cache[string, *rate.Limiter]
}

// NewLoginLimiter makes a LoginLimiter.
func NewLoginLimiter() *LoginLimiter {
	return &LoginLimiter{attempts: otter.Must(&otter.Options[string, *rate.Limiter]{
		MaximumSize:      limiterEntries,
		ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](10 * time.Minute),
	})}
}

// Allow counts an attempt. When it is one too many, it says how long to wait.
func (l *LoginLimiter) Allow(tenant TenantNo, account, addr string) (time.Duration, bool) {
	if wait, ok := l.take("user:"+strconv.FormatInt(int64(tenant), 10)+":"+account, accountAttempts); !ok {
		return wait, false
	}
	if addr == "" {
		return 0, true
	}
	return l.take("addr:"+addr, addressAttempts)
}

func (l *LoginLimiter) take(key string, perMinute int) (time.Duration, bool) {
	limiter, ok := l.attempts.GetIfPresent(key)
	if !ok {
		limiter, _ = l.attempts.SetIfAbsent(key, rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute))
	}
	if limiter.Allow() {
		return 0, true
	}
	return time.Minute / time.Duration(perMinute), false
}

// window is the length of a request limit's window.
const window = time.Minute

// RequestCounter counts requests per tenant and door in fixed windows of one
// minute, in this process.
type RequestCounter struct {
	tenants   atomic.Pointer[map[counterKey]*counter]
	addresses *otter.Cache[string, *counter]
}

type counterKey struct {
	tenant TenantNo
	door   Door
}

// counter packs the window's number and its count, so that both change in one
// atomic step.
type counter struct{ state atomic.Uint64 }

// NewRequestCounter makes a RequestCounter.
func NewRequestCounter() *RequestCounter {
	c := &RequestCounter{addresses: otter.Must(&otter.Options[string, *counter]{
		MaximumSize:      limiterEntries,
		ExpiryCalculator: otter.ExpiryAccessing[string, *counter](2 * window),
	})}
	c.tenants.Store(&map[counterKey]*counter{})
	return c
}

// Count counts a request of a tenant through a door. The flag is false when it
// is past the limit.
func (c *RequestCounter) Count(tenant TenantNo, door Door, limit int, now time.Time) (Quota, bool) {
	return c.of(counterKey{tenant, door}).count(limit, now)
}

// CountAddress counts a request without a valid credential by client address.
func (c *RequestCounter) CountAddress(addr string, limit int, now time.Time) Quota {
	one, ok := c.addresses.GetIfPresent(addr)
	if !ok {
		one, _ = c.addresses.SetIfAbsent(addr, &counter{})
	}
	quota, _ := one.count(limit, now)
	return quota
}

// of finds a tenant's counter. Tenants and doors are few and never go, so the
// map is copied when one is new and read without a lock.
func (c *RequestCounter) of(key counterKey) *counter {
	for {
		have := c.tenants.Load()
		if one, ok := (*have)[key]; ok {
			return one
		}
		next := make(map[counterKey]*counter, len(*have)+1)
		for k, v := range *have {
			next[k] = v
		}
		next[key] = &counter{}
		c.tenants.CompareAndSwap(have, &next)
	}
}

func (c *counter) count(limit int, now time.Time) (Quota, bool) {
	current := uint64(now.Unix()) / uint64(window/time.Second)
	quota := Quota{Limit: limit, Reset: time.Unix(int64(current+1)*int64(window/time.Second), 0).UTC()}
	for {
		old := c.state.Load()
		n := uint64(1)
		if old>>32 == current&0xffffffff {
			n = min(old&0xffffffff+1, 0xffffffff)
		}
		if c.state.CompareAndSwap(old, (current&0xffffffff)<<32|n) {
			quota.Remaining = max(0, limit-int(n))
			return quota, n <= uint64(limit)
		}
	}
}
